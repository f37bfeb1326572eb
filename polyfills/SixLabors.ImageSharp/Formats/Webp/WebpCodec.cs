using System.Buffers.Binary;
using SixLabors.ImageSharp.Metadata;
using SixLabors.ImageSharp.Metadata.Profiles.Exif;
using SixLabors.ImageSharp.Metadata.Profiles.Icc;
using SixLabors.ImageSharp.Native;
using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp.Formats.Webp;

/// <summary>WebP: RIFF chunks here, pixels by libwebp.</summary>
internal sealed unsafe class WebpCodec : PictureCodec
{
    private const int RiffHeaderBytes = 12;

    public override IImageFormat Format => WebpFormat.Instance;

    public override bool Matches(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= RiffHeaderBytes && bytes.StartsWith("RIFF"u8) && bytes[8..].StartsWith("WEBP"u8);

    public override ImageInfo Identify(DecoderOptions options, ReadOnlySpan<byte> bytes)
    {
        var (width, height, alpha, _) = Features(bytes);
        return new ImageInfo(new PixelTypeInfo(alpha ? 32 : 24), new Size(width, height), Metadata(options, bytes));
    }

    public override Image<TPixel> Decode<TPixel>(DecoderOptions options, ReadOnlySpan<byte> bytes)
    {
        var (width, height, alpha, animated) = Features(bytes);
        var metadata = Metadata(options, bytes);
        fixed (byte* data = bytes)
        {
            var (file, size, config) = ((nint)data, bytes.Length, options.Configuration);
            if (animated)
                return new Image<TPixel>(config, metadata, DecodeFrames<TPixel>(options, file, size, width, height));
            return One(options, metadata, alpha
                ? DecodeFrame<Rgba32, TPixel>(config, width, height, (target, stride, w, h) => Read(file, size, 4, target, stride, w, h))
                : DecodeFrame<Rgb24, TPixel>(config, width, height, (target, stride, w, h) => Read(file, size, 3, target, stride, w, h)));
        }
    }

    public override Image Decode(DecoderOptions options, ReadOnlySpan<byte> bytes) => Decode<Rgba32>(options, bytes);

    private static (int Width, int Height, bool Alpha, bool Animated) Features(ReadOnlySpan<byte> bytes)
    {
        var error = stackalloc byte[Shim.ErrorBytes];
        int width, height, alpha, animated;
        fixed (byte* data = bytes)
            Shim.Check(Shim.sdx_webp_info(data, (nuint)bytes.Length, &width, &height, &alpha, &animated, error), "WebP", error);
        return (width, height, alpha != 0, animated != 0);
    }

    /// <summary>Chunks: type, length (little endian), data, a byte of padding where the length is odd.</summary>
    private static ImageMetadata Metadata(DecoderOptions options, ReadOnlySpan<byte> bytes)
    {
        var metadata = new ImageMetadata();
        for (var at = RiffHeaderBytes; !options.SkipMetadata && at + 8 <= bytes.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(at + 4)..]);
            if (length > bytes.Length - at - 8)
                break;
            var data = bytes.Slice(at + 8, (int)length);
            if (bytes[at..].StartsWith("EXIF"u8))
                metadata.ExifProfile = new ExifProfile(data.ToArray());
            else if (bytes[at..].StartsWith("ICCP"u8))
                metadata.IccProfile = new IccProfile(data.ToArray());
            at += 8 + (int)length + ((int)length & 1);
        }
        return metadata;
    }

    private static List<ImageFrame<TPixel>> DecodeFrames<TPixel>(DecoderOptions options, nint data, int size, int width, int height)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        var error = stackalloc byte[Shim.ErrorBytes];
        int count;
        // libwebp keeps two canvases of its own.
        PixelBudget.Check(options.Configuration, width, height, 4);
        var decoder = Shim.sdx_webp_open((byte*)data, (nuint)size, &count, error);
        Shim.Check(decoder == 0 ? 1 : 0, "WebP", error);
        List<ImageFrame<TPixel>> frames = [];
        try
        {
            for (var i = 0; i < Math.Min(count, options.MaxFrames); i++)
                frames.Add(DecodeFrame<Rgba32, TPixel>(options.Configuration, width, height, (target, stride, _, h) => Next(decoder, target, stride * h)));
            return frames;
        }
        catch
        {
            frames.ForEach(frame => frame.Dispose());
            throw;
        }
        finally
        {
            Shim.sdx_webp_close(decoder);
        }
    }

    private static void Next(nint decoder, byte* target, long bytes)
    {
        var error = stackalloc byte[Shim.ErrorBytes];
        Shim.Check(Shim.sdx_webp_next(decoder, target, bytes, error), "WebP", error);
    }

    private static void Read(nint data, int size, int channels, byte* target, long stride, int width, int height)
    {
        var error = stackalloc byte[Shim.ErrorBytes];
        Shim.Check(Shim.sdx_webp_decode((byte*)data, (nuint)size, channels, target, stride, width, height, error), "WebP", error);
    }
}
