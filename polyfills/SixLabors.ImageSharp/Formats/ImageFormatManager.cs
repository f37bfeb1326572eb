using System.Diagnostics.CodeAnalysis;
using SixLabors.ImageSharp.Formats.Bmp;
using SixLabors.ImageSharp.Formats.Gif;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Tiff;
using SixLabors.ImageSharp.Formats.Webp;

namespace SixLabors.ImageSharp.Formats;

/// <summary>The known formats and their encoders.</summary>
public class ImageFormatManager
{
    private readonly Dictionary<IImageFormat, IImageEncoder> encoders = new()
    {
        [PngFormat.Instance] = new PngEncoder(),
        [JpegFormat.Instance] = new JpegEncoder(),
        [WebpFormat.Instance] = new WebpEncoder(),
    };

    public IEnumerable<IImageFormat> ImageFormats { get; } =
        [PngFormat.Instance, JpegFormat.Instance, GifFormat.Instance, BmpFormat.Instance, TiffFormat.Instance, WebpFormat.Instance];

    internal IEnumerable<KeyValuePair<IImageFormat, IImageEncoder>> Encoders => encoders;

    /// <param name="extension">with or without the dot, any case</param>
    public bool TryFindFormatByFileExtension(string extension, [NotNullWhen(true)] out IImageFormat? format)
    {
        var plain = extension.TrimStart('.');
        format = ImageFormats.FirstOrDefault(known => known.FileExtensions.Contains(plain, StringComparer.OrdinalIgnoreCase));
        return format is not null;
    }

    public bool TryFindFormatByMimeType(string mimeType, [NotNullWhen(true)] out IImageFormat? format)
    {
        format = ImageFormats.FirstOrDefault(known => known.MimeTypes.Contains(mimeType, StringComparer.OrdinalIgnoreCase));
        return format is not null;
    }

    /// <exception cref="UnknownImageFormatException">This format cannot be written.</exception>
    public IImageEncoder GetEncoder(IImageFormat format)
    {
        ArgumentNullException.ThrowIfNull(format);
        return encoders.TryGetValue(format, out var encoder) ? encoder : throw new UnknownImageFormatException($"No encoder for {format.Name}.");
    }

    public void SetEncoder(IImageFormat imageFormat, IImageEncoder encoder)
    {
        ArgumentNullException.ThrowIfNull(imageFormat);
        ArgumentNullException.ThrowIfNull(encoder);
        encoders[imageFormat] = encoder;
    }

    internal bool HasEncoder(IImageFormat format) => encoders.ContainsKey(format);
}
