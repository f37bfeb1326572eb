using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp.Formats.Png;

/// <summary>Writes PNG; channels and bits follow the pixel type unless they are named here.</summary>
public class PngEncoder : QuantizingImageEncoder
{
    public PngBitDepth? BitDepth { get; init; }

    public PngColorType? ColorType { get; init; }

    public PngCompressionLevel CompressionLevel { get; init; } = PngCompressionLevel.DefaultCompression;

    /// <summary>Texts longer than this many characters are compressed.</summary>
    public int TextCompressionThreshold { get; init; } = 1024;

    /// <exception cref="NotSupportedException">A palette or fewer than 8 bits a channel.</exception>
    protected override void Encode<TPixel>(Image<TPixel> image, Stream stream, CancellationToken cancellationToken)
    {
        var grey = typeof(TPixel) == typeof(L8) || typeof(TPixel) == typeof(L16);
        var wide = typeof(TPixel) == typeof(L16) || typeof(TPixel) == typeof(Rgba64);
        var color = ColorType ?? (grey ? PngColorType.Grayscale : PixelRows.HasAlpha<TPixel>() ? PngColorType.RgbWithAlpha : PngColorType.Rgb);
        var depth = BitDepth ?? (wide ? PngBitDepth.Bit16 : PngBitDepth.Bit8);
        if (color == PngColorType.Palette || depth < PngBitDepth.Bit8)
            throw new NotSupportedException($"PNG: {color} with {(int)depth} bits is not written here. Use 8 or 16 bits of grey or colour.");

        var writer = new PngWriter(stream);
        writer.Begin(image.Width, image.Height, (int)depth, color);
        if (!SkipMetadata)
            writer.Metadata(image.Metadata, TextCompressionThreshold);
        var pixels = image.Frames.RootFrame.Pixels;
        var row = new byte[image.Width * PngWriter.PixelBytes(color, depth)];
        using (var data = writer.OpenData(row.Length, PngWriter.PixelBytes(color, depth), CompressionLevel))
        {
            for (var y = 0; y < image.Height; y++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                PngWriter.Pack<TPixel>(pixels.Row(y), row, color, depth);
                data.Write(row);
            }
        }
        writer.End();
        GC.KeepAlive(image);
    }
}
