using SixLabors.ImageSharp.Native;
using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp.Formats.Webp;

/// <summary>Writes still WebP pictures, lossy unless told otherwise.</summary>
public sealed class WebpEncoder : ImageEncoder
{
    public WebpFileFormatType? FileFormat { get; init; }

    /// <summary>0..100, for lossy files.</summary>
    public int Quality { get; init; } = 75;

    protected override void Encode<TPixel>(Image<TPixel> image, Stream stream, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (PixelRows.HasAlpha<TPixel>())
            Write<TPixel, Rgba32>(image, stream, 4);
        else
            Write<TPixel, Rgb24>(image, stream, 3);
    }

    private unsafe void Write<TPixel, TStored>(Image<TPixel> image, Stream stream, int channels)
        where TPixel : unmanaged, IPixel<TPixel>
        where TStored : unmanaged, IPixel<TStored>
    {
        var error = stackalloc byte[Shim.ErrorBytes];
        byte* result;
        nuint resultSize;
        var lossless = FileFormat == WebpFileFormatType.Lossless ? 1 : 0;
        using var stored = StoredPixels<TStored>.From(image);
        if (Shim.sdx_webp_encode((byte*)stored.Pixels.Pointer, image.Width * channels, image.Width, image.Height, channels, Quality, lossless, &result, &resultSize, error) != 0)
            throw new ImageFormatException($"WebP: {Shim.Text(error)}.");
        stream.Write(new ReadOnlySpan<byte>(result, checked((int)resultSize)));
        Shim.sdx_webp_free(result);
    }
}
