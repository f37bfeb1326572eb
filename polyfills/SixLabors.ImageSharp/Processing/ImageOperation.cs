using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp.Processing;

/// <summary>One step on an image.</summary>
internal abstract class ImageOperation
{
    /// <summary>Changes the image's own pixels.</summary>
    /// <returns>null, or a new image with the result where the operation cannot work in place</returns>
    public abstract Image<TPixel>? Execute<TPixel>(Image<TPixel> image)
        where TPixel : unmanaged, IPixel<TPixel>;

    /// <summary>True where <see cref="Execute"/> leaves its image alone and returns a new one.</summary>
    public virtual bool ReturnsNewImage => true;

    /// <summary>A new image of another size with the same metadata, each frame made from the old one.</summary>
    protected static Image<TPixel> Remake<TPixel>(Image<TPixel> image, int width, int height, Action<ImageFrame<TPixel>, ImageFrame<TPixel>> make)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        List<ImageFrame<TPixel>> frames = [];
        foreach (var frame in image.Frames)
        {
            var target = new ImageFrame<TPixel>(image.Configuration, Image<TPixel>.Allocate(image.Configuration, width, height, clean: true));
            make(frame, target);
            frames.Add(target);
        }
        return new Image<TPixel>(image.Configuration, image.Metadata.DeepClone(), frames);
    }
}
