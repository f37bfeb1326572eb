using Sdxl.Pictures;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.GpuWorker.Storage;

/// <summary>Small pictures for pages that show many: WebP.</summary>
public static class Thumbnails
{
    public const string Extension = ".webp";

    /// <summary>The longer side at most, in pixels.</summary>
    public const int Side = 320;

    private static readonly WebpEncoder s_encoder = new() { Quality = 80 };

    /// <param name="picture">RGB of any size.</param>
    public static byte[] Of(PixelGrid picture)
    {
        var (width, height) = PictureResizer.FitWithin(picture.Width, picture.Height, Side);
        var small = PictureResizer.Resize(picture, width, height, ResizeFilter.Bicubic);
        using var image = Image.LoadPixelData<Rgb24>(small.Data, small.Width, small.Height);
        using var stream = new MemoryStream();
        image.SaveAsWebp(stream, s_encoder);
        return stream.ToArray();
    }
}
