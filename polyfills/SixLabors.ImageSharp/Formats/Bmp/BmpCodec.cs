using System.Buffers.Binary;
using SixLabors.ImageSharp.Metadata;
using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp.Formats.Bmp;

/// <summary>BMP with 1..32 bits, plain, run-length coded or with channel masks.</summary>
internal sealed unsafe class BmpCodec : PictureCodec
{
    public override IImageFormat Format => BmpFormat.Instance;

    public override bool Matches(ReadOnlySpan<byte> bytes) => bytes.StartsWith("BM"u8);

    public override ImageInfo Identify(DecoderOptions options, ReadOnlySpan<byte> bytes)
    {
        var header = BmpHeader.Read(bytes);
        return new ImageInfo(new PixelTypeInfo(header.Bits), new Size(header.Width, header.Height), new ImageMetadata());
    }

    public override Image<TPixel> Decode<TPixel>(DecoderOptions options, ReadOnlySpan<byte> bytes)
    {
        var header = BmpHeader.Read(bytes);
        header.CheckData(bytes.Length);
        fixed (byte* data = bytes)
        {
            var (file, size) = ((nint)data, bytes.Length);
            return One(options, new ImageMetadata(), DecodeFrame<Rgba32, TPixel>(options.Configuration, header.Width, header.Height, (target, _, w, h) =>
            {
                var source = new ReadOnlySpan<byte>((byte*)file, size);
                for (var y = 0; y < h; y++)
                {
                    var row = new Span<Rgba32>((Rgba32*)target + ((long)(header.TopDown ? y : h - 1 - y) * w), w);
                    if (!header.IsRunLength)
                        BmpRows.Unpack(header, source, y, row);
                    else
                        row.Fill(header.Palette(source, 0)); // what the runs leave out is colour 0
                }
                if (header.IsRunLength)
                    BmpRows.UnpackRuns(header, source, (Rgba32*)target);
            }));
        }
    }

    public override Image Decode(DecoderOptions options, ReadOnlySpan<byte> bytes) => Decode<Rgba32>(options, bytes);
}
