using SixLabors.ImageSharp.Native;
using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp.Formats.Png;

/// <summary>PNG: header and texts here, pixels by libpng.</summary>
internal sealed unsafe class PngCodec : PictureCodec
{
    public override IImageFormat Format => PngFormat.Instance;

    public override bool Matches(ReadOnlySpan<byte> bytes) => PngHeader.Matches(bytes);

    public override ImageInfo Identify(DecoderOptions options, ReadOnlySpan<byte> bytes)
    {
        var header = PngHeader.Read(bytes, options.SkipMetadata);
        return new ImageInfo(new PixelTypeInfo(header.Channels * header.Depth), new Size(header.Width, header.Height), header.Metadata);
    }

    public override Image<TPixel> Decode<TPixel>(DecoderOptions options, ReadOnlySpan<byte> bytes)
    {
        var header = PngHeader.Read(bytes, options.SkipMetadata);
        if (!header.HasData)
            throw new InvalidImageContentException("PNG Image does not contain a data chunk.");
        // 16 bits only for pixels that keep them, and no second copy for the usual kind: a large picture is there once.
        var wide = header.Depth == 16 && (typeof(TPixel) == typeof(L16) || typeof(TPixel) == typeof(Rgba64));
        var alpha = header.HasTransparentColor || header.Color is PngColorType.GrayscaleWithAlpha or PngColorType.RgbWithAlpha;
        var grey = header.Color is PngColorType.Grayscale && !alpha && typeof(TPixel) != typeof(Rgba32);
        fixed (byte* data = bytes)
        {
            var (file, size, config) = ((nint)data, bytes.Length, options.Configuration);
            var frame = (wide, grey, alpha) switch
            {
                (true, true, _) => DecodeFrame<L16, TPixel>(config, header.Width, header.Height, (target, stride, w, h) => Read(file, size, 1, 16, target, stride, w, h)),
                (true, _, _) => DecodeFrame<Rgba64, TPixel>(config, header.Width, header.Height, (target, stride, w, h) => Read(file, size, 4, 16, target, stride, w, h)),
                (_, true, _) => DecodeFrame<L8, TPixel>(config, header.Width, header.Height, (target, stride, w, h) => Read(file, size, 1, 8, target, stride, w, h)),
                (_, _, var withAlpha) when withAlpha || typeof(TPixel) == typeof(Rgba32) => DecodeFrame<Rgba32, TPixel>(config, header.Width, header.Height, (target, stride, w, h) => Read(file, size, 4, 8, target, stride, w, h)),
                _ => DecodeFrame<Rgb24, TPixel>(config, header.Width, header.Height, (target, stride, w, h) => Read(file, size, 3, 8, target, stride, w, h)),
            };
            return One(options, header.Metadata, frame);
        }
    }

    public override Image Decode(DecoderOptions options, ReadOnlySpan<byte> bytes)
    {
        var header = PngHeader.Read(bytes, skipMetadata: true);
        return (header.Color, header.Depth, header.HasTransparentColor) switch
        {
            (PngColorType.Grayscale, 16, false) => Decode<L16>(options, bytes),
            (PngColorType.Grayscale, _, false) => Decode<L8>(options, bytes),
            (PngColorType.Rgb, < 16, false) => Decode<Rgb24>(options, bytes),
            (not PngColorType.Palette, 16, _) => Decode<Rgba64>(options, bytes),
            _ => Decode<Rgba32>(options, bytes),
        };
    }

    private static void Read(nint data, int size, int channels, int depth, byte* target, long stride, int width, int height)
    {
        var error = stackalloc byte[Shim.ErrorBytes];
        Shim.Check(Shim.sdx_png_decode((byte*)data, (nuint)size, channels, depth, target, stride, width, height, error), "PNG", error);
    }
}
