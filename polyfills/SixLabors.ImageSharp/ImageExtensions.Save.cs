using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Webp;

namespace SixLabors.ImageSharp;

/// <content>Saving in a named format.</content>
public static partial class ImageExtensions
{
    public static void SaveAsJpeg(this Image source, string path) => source.Save(path, source.Configuration.ImageFormatsManager.GetEncoder(JpegFormat.Instance));

    public static Task SaveAsJpegAsync(this Image source, string path) => SaveAsJpegAsync(source, path, default(CancellationToken));

    public static Task SaveAsJpegAsync(this Image source, string path, CancellationToken cancellationToken) =>
        source.SaveAsync(path, source.Configuration.ImageFormatsManager.GetEncoder(JpegFormat.Instance), cancellationToken);

    public static void SaveAsJpeg(this Image source, string path, JpegEncoder encoder) =>
        source.Save(path, encoder ?? source.Configuration.ImageFormatsManager.GetEncoder(JpegFormat.Instance));

    public static Task SaveAsJpegAsync(this Image source, string path, JpegEncoder encoder, CancellationToken cancellationToken = default) =>
        source.SaveAsync(path, encoder ?? source.Configuration.ImageFormatsManager.GetEncoder(JpegFormat.Instance), cancellationToken);

    public static void SaveAsJpeg(this Image source, Stream stream) =>
        source.Save(stream, source.Configuration.ImageFormatsManager.GetEncoder(JpegFormat.Instance));

    public static Task SaveAsJpegAsync(this Image source, Stream stream, CancellationToken cancellationToken = default) =>
        source.SaveAsync(stream, source.Configuration.ImageFormatsManager.GetEncoder(JpegFormat.Instance), cancellationToken);

    public static void SaveAsJpeg(this Image source, Stream stream, JpegEncoder encoder) =>
        source.Save(stream, encoder ?? source.Configuration.ImageFormatsManager.GetEncoder(JpegFormat.Instance));

    public static Task SaveAsJpegAsync(this Image source, Stream stream, JpegEncoder encoder, CancellationToken cancellationToken = default) =>
        source.SaveAsync(stream, encoder ?? source.Configuration.ImageFormatsManager.GetEncoder(JpegFormat.Instance), cancellationToken);

    public static void SaveAsPng(this Image source, string path) => source.Save(path, source.Configuration.ImageFormatsManager.GetEncoder(PngFormat.Instance));

    public static Task SaveAsPngAsync(this Image source, string path) => SaveAsPngAsync(source, path, default(CancellationToken));

    public static Task SaveAsPngAsync(this Image source, string path, CancellationToken cancellationToken) =>
        source.SaveAsync(path, source.Configuration.ImageFormatsManager.GetEncoder(PngFormat.Instance), cancellationToken);

    public static void SaveAsPng(this Image source, string path, PngEncoder encoder) =>
        source.Save(path, encoder ?? source.Configuration.ImageFormatsManager.GetEncoder(PngFormat.Instance));

    public static Task SaveAsPngAsync(this Image source, string path, PngEncoder encoder, CancellationToken cancellationToken = default) =>
        source.SaveAsync(path, encoder ?? source.Configuration.ImageFormatsManager.GetEncoder(PngFormat.Instance), cancellationToken);

    public static void SaveAsPng(this Image source, Stream stream) =>
        source.Save(stream, source.Configuration.ImageFormatsManager.GetEncoder(PngFormat.Instance));

    public static Task SaveAsPngAsync(this Image source, Stream stream, CancellationToken cancellationToken = default) =>
        source.SaveAsync(stream, source.Configuration.ImageFormatsManager.GetEncoder(PngFormat.Instance), cancellationToken);

    public static void SaveAsPng(this Image source, Stream stream, PngEncoder encoder) =>
        source.Save(stream, encoder ?? source.Configuration.ImageFormatsManager.GetEncoder(PngFormat.Instance));

    public static Task SaveAsPngAsync(this Image source, Stream stream, PngEncoder encoder, CancellationToken cancellationToken = default) =>
        source.SaveAsync(stream, encoder ?? source.Configuration.ImageFormatsManager.GetEncoder(PngFormat.Instance), cancellationToken);

    public static void SaveAsWebp(this Image source, string path) => source.Save(path, source.Configuration.ImageFormatsManager.GetEncoder(WebpFormat.Instance));

    public static Task SaveAsWebpAsync(this Image source, string path) => SaveAsWebpAsync(source, path, default(CancellationToken));

    public static Task SaveAsWebpAsync(this Image source, string path, CancellationToken cancellationToken) =>
        source.SaveAsync(path, source.Configuration.ImageFormatsManager.GetEncoder(WebpFormat.Instance), cancellationToken);

    public static void SaveAsWebp(this Image source, string path, WebpEncoder encoder) =>
        source.Save(path, encoder ?? source.Configuration.ImageFormatsManager.GetEncoder(WebpFormat.Instance));

    public static Task SaveAsWebpAsync(this Image source, string path, WebpEncoder encoder, CancellationToken cancellationToken = default) =>
        source.SaveAsync(path, encoder ?? source.Configuration.ImageFormatsManager.GetEncoder(WebpFormat.Instance), cancellationToken);

    public static void SaveAsWebp(this Image source, Stream stream) =>
        source.Save(stream, source.Configuration.ImageFormatsManager.GetEncoder(WebpFormat.Instance));

    public static Task SaveAsWebpAsync(this Image source, Stream stream, CancellationToken cancellationToken = default) =>
        source.SaveAsync(stream, source.Configuration.ImageFormatsManager.GetEncoder(WebpFormat.Instance), cancellationToken);

    public static void SaveAsWebp(this Image source, Stream stream, WebpEncoder encoder) =>
        source.Save(stream, encoder ?? source.Configuration.ImageFormatsManager.GetEncoder(WebpFormat.Instance));

    public static Task SaveAsWebpAsync(this Image source, Stream stream, WebpEncoder encoder, CancellationToken cancellationToken = default) =>
        source.SaveAsync(stream, encoder ?? source.Configuration.ImageFormatsManager.GetEncoder(WebpFormat.Instance), cancellationToken);
}
