using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp;

/// <content>Opening pictures. A stream is read from where it stands to its end.</content>
public abstract partial class Image
{
    /// <exception cref="UnknownImageFormatException">None of the formats knows these first bytes.</exception>
    public static IImageFormat DetectFormat(Stream stream) => DetectFormat(DecoderOptions.Default, stream);

    /// <remarks>A stream that can seek is left where it was.</remarks>
    public static IImageFormat DetectFormat(DecoderOptions options, Stream stream)
    {
        var start = stream.CanSeek ? stream.Position : 0;
        var format = EncodedBytes.Read(options, stream, bytes => PictureFormat.Detect(options.Configuration, bytes));
        if (stream.CanSeek)
            stream.Position = start;
        return format;
    }

    public static IImageFormat DetectFormat(ReadOnlySpan<byte> buffer) => PictureFormat.Detect(Configuration.Default, EncodedBytes.NotEmpty(buffer));

    public static IImageFormat DetectFormat(string path)
    {
        using var file = File.OpenRead(path);
        return DetectFormat(file);
    }

    /// <summary>Size and metadata from the header; no pixel memory is taken.</summary>
    public static ImageInfo Identify(Stream stream) => Identify(DecoderOptions.Default, stream);

    public static ImageInfo Identify(DecoderOptions options, Stream stream) =>
        EncodedBytes.Read(options, stream, bytes => PictureFormat.Identify(options, bytes));

    public static ImageInfo Identify(ReadOnlySpan<byte> buffer) => Identify(DecoderOptions.Default, buffer);

    public static ImageInfo Identify(DecoderOptions options, ReadOnlySpan<byte> buffer) => PictureFormat.Identify(options, EncodedBytes.NotEmpty(buffer));

    public static ImageInfo Identify(string path) => Identify(DecoderOptions.Default, path);

    public static ImageInfo Identify(DecoderOptions options, string path)
    {
        ArgumentNullException.ThrowIfNull(options);
        using var file = File.OpenRead(path);
        return Identify(options, file);
    }

    public static Task<ImageInfo> IdentifyAsync(Stream stream, CancellationToken cancellationToken = default) =>
        IdentifyAsync(DecoderOptions.Default, stream, cancellationToken);

    public static Task<ImageInfo> IdentifyAsync(DecoderOptions options, Stream stream, CancellationToken cancellationToken = default) =>
        EncodedBytes.ReadAsync(options, stream, bytes => PictureFormat.Identify(options, bytes), cancellationToken);

    public static Task<ImageInfo> IdentifyAsync(string path, CancellationToken cancellationToken = default) =>
        IdentifyAsync(DecoderOptions.Default, path, cancellationToken);

    public static async Task<ImageInfo> IdentifyAsync(DecoderOptions options, string path, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        await using var file = EncodedBytes.Open(path);
        return await IdentifyAsync(options, file, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The picture in the pixel type nearest to its file's.</summary>
    public static Image Load(Stream stream) => Load(DecoderOptions.Default, stream);

    public static Image Load(DecoderOptions options, Stream stream) =>
        EncodedBytes.Read(options, stream, bytes => PictureFormat.Decode(options, bytes));

    public static Image Load(ReadOnlySpan<byte> buffer) => Load(DecoderOptions.Default, buffer);

    public static Image Load(DecoderOptions options, ReadOnlySpan<byte> buffer) => PictureFormat.Decode(options, EncodedBytes.NotEmpty(buffer));

    public static Image Load(string path) => Load(DecoderOptions.Default, path);

    public static Image Load(DecoderOptions options, string path)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(path);
        using var file = File.OpenRead(path);
        return Load(options, file);
    }

    public static Task<Image> LoadAsync(Stream stream, CancellationToken cancellationToken = default) =>
        LoadAsync(DecoderOptions.Default, stream, cancellationToken);

    public static Task<Image> LoadAsync(DecoderOptions options, Stream stream, CancellationToken cancellationToken = default) =>
        EncodedBytes.ReadAsync(options, stream, bytes => PictureFormat.Decode(options, bytes), cancellationToken);

    public static Task<Image> LoadAsync(string path, CancellationToken cancellationToken = default) =>
        LoadAsync(DecoderOptions.Default, path, cancellationToken);

    public static async Task<Image> LoadAsync(DecoderOptions options, string path, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        await using var file = EncodedBytes.Open(path);
        return await LoadAsync(options, file, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The picture, every frame converted to <typeparamref name="TPixel"/>; an EXIF orientation is not applied.</summary>
    /// <exception cref="UnknownImageFormatException">None of the formats knows these first bytes.</exception>
    /// <exception cref="InvalidImageContentException">The content is broken, or its pixels are over the allocator's limit.</exception>
    public static Image<TPixel> Load<TPixel>(Stream stream)
        where TPixel : unmanaged, IPixel<TPixel> => Load<TPixel>(DecoderOptions.Default, stream);

    public static Image<TPixel> Load<TPixel>(DecoderOptions options, Stream stream)
        where TPixel : unmanaged, IPixel<TPixel> =>
        EncodedBytes.Read(options, stream, bytes => PictureFormat.Decode<TPixel>(options, bytes));

    public static Image<TPixel> Load<TPixel>(ReadOnlySpan<byte> data)
        where TPixel : unmanaged, IPixel<TPixel> => Load<TPixel>(DecoderOptions.Default, data);

    public static Image<TPixel> Load<TPixel>(DecoderOptions options, ReadOnlySpan<byte> data)
        where TPixel : unmanaged, IPixel<TPixel> => PictureFormat.Decode<TPixel>(options, EncodedBytes.NotEmpty(data));

    public static Image<TPixel> Load<TPixel>(string path)
        where TPixel : unmanaged, IPixel<TPixel> => Load<TPixel>(DecoderOptions.Default, path);

    public static Image<TPixel> Load<TPixel>(DecoderOptions options, string path)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(path);
        using var file = File.OpenRead(path);
        return Load<TPixel>(options, file);
    }

    public static Task<Image<TPixel>> LoadAsync<TPixel>(Stream stream, CancellationToken cancellationToken = default)
        where TPixel : unmanaged, IPixel<TPixel> => LoadAsync<TPixel>(DecoderOptions.Default, stream, cancellationToken);

    public static Task<Image<TPixel>> LoadAsync<TPixel>(DecoderOptions options, Stream stream, CancellationToken cancellationToken = default)
        where TPixel : unmanaged, IPixel<TPixel> =>
        EncodedBytes.ReadAsync(options, stream, bytes => PictureFormat.Decode<TPixel>(options, bytes), cancellationToken);

    public static Task<Image<TPixel>> LoadAsync<TPixel>(string path, CancellationToken cancellationToken = default)
        where TPixel : unmanaged, IPixel<TPixel> => LoadAsync<TPixel>(DecoderOptions.Default, path, cancellationToken);

    public static async Task<Image<TPixel>> LoadAsync<TPixel>(DecoderOptions options, string path, CancellationToken cancellationToken = default)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(path);
        await using var file = EncodedBytes.Open(path);
        return await LoadAsync<TPixel>(options, file, cancellationToken).ConfigureAwait(false);
    }
}
