using System.Collections;
using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp;

/// <summary>An image's frames with their pixel type.</summary>
public sealed class ImageFrameCollection<TPixel> : ImageFrameCollection, IEnumerable<ImageFrame<TPixel>>
    where TPixel : unmanaged, IPixel<TPixel>
{
    private readonly List<ImageFrame<TPixel>> frames;
    private readonly Image<TPixel> parent;

    internal ImageFrameCollection(Image<TPixel> parent, IEnumerable<ImageFrame<TPixel>> frames)
    {
        this.parent = parent;
        this.frames = [.. frames];
    }

    public override int Count => frames.Count;

    public new ImageFrame<TPixel> RootFrame => frames[0];

    public new ImageFrame<TPixel> this[int index] => frames[index];

    /// <summary>A new image with a copy of one frame and of the metadata.</summary>
    public Image<TPixel> CloneFrame(int index) =>
        new(parent.Configuration, parent.Metadata.DeepClone(), [frames[index].CloneAs<TPixel>(parent.Configuration)]);

    public IEnumerator<ImageFrame<TPixel>> GetEnumerator() => frames.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    protected override void Dispose(bool disposing) => frames.ForEach(frame => frame.Dispose());

    private protected override ImageFrame FrameAt(int index) => frames[index];
}
