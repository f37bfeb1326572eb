using SixLabors.ImageSharp.Native;
using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp.Formats.Jpeg;

/// <summary>JPEG: header and profiles here, pixels by libjpeg-turbo.</summary>
/// <remarks>As in the real library, a file that is cut off is no error: rows are missing (black there, grey here). Callers who mind look for its end marker.</remarks>
internal sealed unsafe class JpegCodec : PictureCodec
{
    private const int ShortestFileBytes = 11;
    private const int BlockPixels = 8;

    public override IImageFormat Format => JpegFormat.Instance;

    public override bool Matches(ReadOnlySpan<byte> bytes) => bytes.Length >= ShortestFileBytes && bytes[0] == 0xFF && bytes[1] == 0xD8;

    public override ImageInfo Identify(DecoderOptions options, ReadOnlySpan<byte> bytes)
    {
        var header = JpegHeader.Read(bytes, options.SkipMetadata);
        return new ImageInfo(new PixelTypeInfo(header.Components * header.Precision), new Size(header.Width, header.Height), header.Metadata);
    }

    public override Image<TPixel> Decode<TPixel>(DecoderOptions options, ReadOnlySpan<byte> bytes)
    {
        var header = JpegHeader.Read(bytes, options.SkipMetadata);
        var block = BlockSize(header, options.TargetSize);
        var (width, height) = (Scaled(header.Width, block), Scaled(header.Height, block));
        var limit = options.Configuration.MemoryAllocator.LimitBytes;
        fixed (byte* data = bytes)
        {
            var (file, size) = ((nint)data, bytes.Length);
            var frame = header.Components == 1
                ? DecodeFrame<L8, TPixel>(options.Configuration, width, height, (target, stride, w, h) => Read(file, size, block, 1, limit, target, stride, w, h))
                : DecodeFrame<Rgb24, TPixel>(options.Configuration, width, height, (target, stride, w, h) => Read(file, size, block, 3, limit, target, stride, w, h));
            return One(options, header.Metadata, frame);
        }
    }

    public override Image Decode(DecoderOptions options, ReadOnlySpan<byte> bytes) => Decode<Rgb24>(options, bytes);

    /// <summary>Pixels for each block of 8: the fewest of 1, 2, 4 that still cover the target, else 8.</summary>
    private static int BlockSize(JpegHeader header, Size? target)
    {
        foreach (var block in target is null ? [] : (ReadOnlySpan<int>)[1, 2, 4])
        {
            if (Scaled(header.Width, block) >= target!.Value.Width && Scaled(header.Height, block) >= target.Value.Height)
                return block;
        }
        return BlockPixels;
    }

    private static int Scaled(int side, int block) => ((side * block) + BlockPixels - 1) / BlockPixels;

    private static void Read(nint data, int size, int scale, int channels, long limit, byte* target, long stride, int width, int height)
    {
        var error = stackalloc byte[Shim.ErrorBytes];
        Shim.Check(Shim.sdx_jpeg_decode((byte*)data, (nuint)size, scale, channels, limit, target, stride, width, height, error), "JPEG", error);
    }
}
