using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.Native;
using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp.Formats.Jpeg;

/// <summary>Writes baseline JPEG.</summary>
public sealed class JpegEncoder : ImageEncoder
{
    private const int DefaultQuality = 75;

    private readonly int? quality;

    /// <summary>1 (small) .. 100 (good); null: 75.</summary>
    public int? Quality
    {
        get => quality;
        init => quality = value is < 1 or > 100 ? throw new ArgumentException("Quality factor must be in [1..100] range.") : value;
    }

    /// <summary>Null: as the file that the image came from, else 4:2:0.</summary>
    public JpegEncodingColor? ColorType { get; init; }

    protected override void Encode<TPixel>(Image<TPixel> image, Stream stream, CancellationToken cancellationToken)
    {
        const int LargestSide = 65535;
        if (image.Width > LargestSide || image.Height > LargestSide)
            throw new ImageFormatException($"Image is too large to encode at {image.Width}x{image.Height} for JPEG format.");
        var color = ColorType ?? image.Metadata.GetJpegMetadata().ColorType ?? JpegEncodingColor.YCbCrRatio420;
        cancellationToken.ThrowIfCancellationRequested();
        if (color == JpegEncodingColor.Luminance)
            Write<TPixel, L8>(image, stream, 1, color);
        else
            Write<TPixel, Rgb24>(image, stream, 3, color);
    }

    private unsafe void Write<TPixel, TStored>(Image<TPixel> image, Stream stream, int channels, JpegEncodingColor color)
        where TPixel : unmanaged, IPixel<TPixel>
        where TStored : unmanaged, IPixel<TStored>
    {
        var sampling = color switch { JpegEncodingColor.YCbCrRatio444 or JpegEncodingColor.Rgb => 1, JpegEncodingColor.YCbCrRatio422 => 3, _ => 2 };
        byte[] exif = SkipMetadata || image.Metadata.ExifProfile?.ToByteArray() is not { Length: > 0 } block ? [] : [.. "Exif\0\0"u8, .. block];
        byte[] icc = SkipMetadata ? [] : image.Metadata.IccProfile?.ToByteArray() ?? [];
        const int LargestSegmentBytes = 65533;
        if (exif.Length > LargestSegmentBytes)
            exif = [];
        var error = stackalloc byte[Shim.ErrorBytes];
        byte* result;
        nuint resultSize;
        using var stored = StoredPixels<TStored>.From(image);
        fixed (byte* exifData = exif, iccData = icc)
        {
            if (Shim.sdx_jpeg_encode((byte*)stored.Pixels.Pointer, (long)image.Width * sizeof(TStored), image.Width, image.Height, channels, Quality ?? DefaultQuality, sampling, exifData, exif.Length, iccData, icc.Length, &result, &resultSize, error) != 0)
                throw new ImageFormatException($"JPEG: {Shim.Text(error)}.");
        }
        stream.Write(new ReadOnlySpan<byte>(result, checked((int)resultSize)));
        Shim.sdx_free(result);
    }
}
