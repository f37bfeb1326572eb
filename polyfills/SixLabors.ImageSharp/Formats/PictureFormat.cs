using System.Text;
using SixLabors.ImageSharp.Formats.Bmp;
using SixLabors.ImageSharp.Formats.Gif;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Tiff;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;

namespace SixLabors.ImageSharp.Formats;

/// <summary>Finds the codec by the first bytes and does what all formats have in common.</summary>
internal static class PictureFormat
{
    private static readonly PictureCodec[] Codecs = [new PngCodec(), new JpegCodec(), new GifCodec(), new BmpCodec(), new TiffCodec(), new WebpCodec()];

    public static IImageFormat Detect(Configuration configuration, ReadOnlySpan<byte> bytes)
    {
        _ = configuration;
        return Find(bytes).Format;
    }

    public static ImageInfo Identify(DecoderOptions options, ReadOnlySpan<byte> bytes)
    {
        ArgumentNullException.ThrowIfNull(options);
        var codec = Find(bytes);
        var info = codec.Identify(options, bytes);
        info.Metadata.DecodedImageFormat = codec.Format;
        return info;
    }

    public static Image<TPixel> Decode<TPixel>(DecoderOptions options, ReadOnlySpan<byte> bytes)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        ArgumentNullException.ThrowIfNull(options);
        var codec = Find(bytes);
        return Finish(options, codec, codec.Decode<TPixel>(options, bytes));
    }

    public static Image Decode(DecoderOptions options, ReadOnlySpan<byte> bytes)
    {
        ArgumentNullException.ThrowIfNull(options);
        var codec = Find(bytes);
        return Finish(options, codec, codec.Decode(options, bytes));
    }

    private static TImage Finish<TImage>(DecoderOptions options, PictureCodec codec, TImage image)
        where TImage : Image
    {
        image.Metadata.DecodedImageFormat = codec.Format;
        // Both sides must differ: this is the real library's test.
        if (options.TargetSize is { } target && image.Width != target.Width && image.Height != target.Height)
            image.Mutate(picture => picture.Resize(new ResizeOptions { Size = target, Sampler = options.Sampler, Mode = ResizeMode.Max }));
        return image;
    }

    private static PictureCodec Find(ReadOnlySpan<byte> bytes)
    {
        foreach (var codec in Codecs)
        {
            if (codec.Matches(bytes))
                return codec;
        }
        var text = new StringBuilder().AppendLine("Image cannot be loaded. Available decoders:");
        foreach (var codec in Codecs)
            text.AppendLine(System.Globalization.CultureInfo.InvariantCulture, $" - {codec.Format.Name} : {codec.Format.Name[0]}{codec.Format.Name[1..].ToLowerInvariant()}Decoder");
        throw new UnknownImageFormatException(text.ToString());
    }
}
