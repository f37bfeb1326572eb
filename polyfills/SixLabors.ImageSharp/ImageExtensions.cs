using System.Text;
using SixLabors.ImageSharp.Formats;

namespace SixLabors.ImageSharp;

/// <summary>Saving pictures; the file's extension chooses the format where no encoder is named.</summary>
public static partial class ImageExtensions
{
    /// <exception cref="UnknownImageFormatException">No encoder for the extension.</exception>
    public static void Save(this Image source, string path) => source.Save(path, EncoderFor(source, path));

    public static Task SaveAsync(this Image source, string path, CancellationToken cancellationToken = default) =>
        source.SaveAsync(path, EncoderFor(source, path), cancellationToken);

    public static void Save(this Image source, string path, IImageEncoder encoder)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(encoder);
        using var file = File.Create(path);
        source.Save(file, encoder);
    }

    public static async Task SaveAsync(this Image source, string path, IImageEncoder encoder, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(encoder);
        await using var file = File.Create(path, 4096, FileOptions.Asynchronous);
        await source.SaveAsync(file, encoder, cancellationToken).ConfigureAwait(false);
    }

    /// <exception cref="NotSupportedException">The stream cannot be written, or no encoder is known for the format.</exception>
    public static void Save(this Image source, Stream stream, IImageFormat format) => source.Save(Writable(stream), EncoderFor(source, format));

    public static Task SaveAsync(this Image source, Stream stream, IImageFormat format, CancellationToken cancellationToken = default) =>
        source.SaveAsync(Writable(stream), EncoderFor(source, format), cancellationToken);

    private static Stream Writable(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return stream.CanWrite ? stream : throw new NotSupportedException("Cannot write to the stream.");
    }

    private static IImageEncoder EncoderFor(Image source, IImageFormat format)
    {
        ArgumentNullException.ThrowIfNull(format);
        return source.Configuration.ImageFormatsManager.GetEncoder(format);
    }

    private static IImageEncoder EncoderFor(Image source, string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var extension = Path.GetExtension(path);
        var manager = source.Configuration.ImageFormatsManager;
        if (manager.TryFindFormatByFileExtension(extension, out var format) && manager.HasEncoder(format))
            return manager.GetEncoder(format);
        var text = new StringBuilder();
        text.AppendLine(System.Globalization.CultureInfo.InvariantCulture, $"No encoder was found for extension '{extension}'. Registered encoders include:");
        foreach (var (known, encoder) in manager.Encoders)
            text.AppendLine(System.Globalization.CultureInfo.InvariantCulture, $" - {known.Name} : {encoder.GetType().Name}");
        throw new UnknownImageFormatException(text.ToString());
    }
}
