using Sdxl.Pictures;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Jpeg;

namespace Sdxl.Functions.Trainings;

/// <summary>
/// Pictures of the report as data: addresses, small: a page with fifty prepared pictures at full size would have a hundred megabytes.
/// </summary>
internal static class ReportPreview
{
    /// <summary>Twice the 8rem (128 CSS pixels) that the page shows, for screens with two pixels a CSS pixel.</summary>
    private const int Side = 256;

    private static readonly PictureLoader s_loader = new(new PictureLimits());

    /// <summary>A WebP that is small already.</summary>
    public static string Thumbnail(byte[] webp) => Data("image/webp", webp);

    public static string Picture(byte[] png)
    {
        using var image = Small(png).ToRgb();
        using var stream = new MemoryStream();
        image.SaveAsJpeg(stream, new JpegEncoder { Quality = 85 });
        return Data("image/jpeg", stream.ToArray());
    }

    public static string Mask(byte[] png)
    {
        using var image = Small(png).Luma().ToGrey();
        using var stream = new MemoryStream();
        image.SaveAsPng(stream);
        return Data("image/png", stream.ToArray());
    }

    private static PixelGrid Small(byte[] png)
    {
        var pixels = s_loader.Load(png, "prepared picture").Pixels;
        var (width, height) = PictureResizer.FitWithin(pixels.Width, pixels.Height, Side);
        return PictureResizer.Resize(pixels, width, height, ResizeFilter.Bilinear);
    }

    private static string Data(string type, byte[] bytes) => $"data:{type};base64,{Convert.ToBase64String(bytes)}";
}
