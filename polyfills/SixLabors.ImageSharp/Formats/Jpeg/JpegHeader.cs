using System.Buffers.Binary;
using SixLabors.ImageSharp.Metadata;
using SixLabors.ImageSharp.Metadata.Profiles.Exif;
using SixLabors.ImageSharp.Metadata.Profiles.Icc;

namespace SixLabors.ImageSharp.Formats.Jpeg;

/// <summary>A JPEG's markers up to its first scan (ITU T.81, annex B): size, components, EXIF (APP1), colour profile (APP2).</summary>
internal sealed class JpegHeader
{
    private const byte StartOfImage = 0xD8, EndOfImage = 0xD9, StartOfScan = 0xDA, App1 = 0xE1, App2 = 0xE2;

    private readonly SortedDictionary<byte, byte[]> profileParts = [];

    public int Width { get; private set; }

    public int Height { get; private set; }

    public int Components { get; private set; }

    public int Precision { get; private set; }

    public ImageMetadata Metadata { get; } = new();

    /// <exception cref="InvalidImageContentException">No frame header before the first scan, or an impossible one.</exception>
    /// <exception cref="NotSupportedException">A kind of JPEG that nobody decodes: lossless, hierarchical.</exception>
    public static JpegHeader Read(ReadOnlySpan<byte> bytes, bool skipMetadata)
    {
        var header = new JpegHeader();
        for (var at = 2; at < bytes.Length;)
        {
            // Bytes between segments are skipped, and so is padding of 0xFF.
            if (bytes[at] != 0xFF || at + 1 >= bytes.Length || bytes[at + 1] is 0xFF or 0x00 or StartOfImage or (>= 0xD0 and <= 0xD7))
            {
                at++;
                continue;
            }
            var marker = bytes[at + 1];
            if (marker is EndOfImage or StartOfScan)
                break;
            var length = at + 4 <= bytes.Length ? BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 2)..]) : 0;
            if (length < 2 || at + 2 + length > bytes.Length)
            {
                if (header.Width > 0)
                    break;
                throw new InvalidImageContentException($"Input stream does not have enough bytes to parse declared contents of the {marker:X2} marker.");
            }
            var data = bytes.Slice(at + 4, length - 2);
            if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC))
                header.ReadFrame(marker, data);
            else if (marker == App1 && !skipMetadata && data.StartsWith("Exif\0\0"u8) && header.Metadata.ExifProfile is null)
                header.Metadata.ExifProfile = new ExifProfile(data[6..].ToArray());
            else if (marker == App2 && !skipMetadata && data.StartsWith("ICC_PROFILE\0"u8) && data.Length > 14)
                header.profileParts[data[12]] = data[14..].ToArray();
            at += 2 + length;
        }
        if (header.Width == 0)
            throw new InvalidImageContentException("JPEG: no frame header before the first scan.");
        if (header.profileParts.Count > 0)
            header.Metadata.IccProfile = new IccProfile([.. header.profileParts.Values.SelectMany(part => part)]);
        return header;
    }

    private void ReadFrame(byte marker, ReadOnlySpan<byte> data)
    {
        if (marker is 0xC3 or >= 0xC5 and <= 0xC7 or 0xCB or 0xCF)
            throw new NotSupportedException($"Decoding jpeg files with frame type SOF{marker - 0xC0} (lossless or differential) is not supported.");
        if (data.Length < 6)
            throw new InvalidImageContentException($"Marker SOF{marker - 0xC0} has bad length {data.Length + 2}.");
        Precision = data[0];
        Height = BinaryPrimitives.ReadUInt16BigEndian(data[1..]);
        Width = BinaryPrimitives.ReadUInt16BigEndian(data[3..]);
        Components = data[5];
        if (Width == 0 || Height == 0)
            throw new InvalidImageContentException($"Invalid image dimensions: {Width}x{Height}.");
        if (Components is not (1 or 3 or 4))
            throw new NotSupportedException($"Images with {Components} components are not supported.");
        if (data.Length < 6 + (3 * Components))
            throw new InvalidImageContentException($"Marker SOF{marker - 0xC0} has bad length {data.Length + 2}.");
        var jpeg = Metadata.GetJpegMetadata();
        jpeg.Progressive = marker is 0xC2 or 0xCA;
        jpeg.ColorType = (Components, data[7]) switch
        {
            (1, _) => JpegEncodingColor.Luminance,
            (4, _) => JpegEncodingColor.Cmyk,
            (_, 0x22) => JpegEncodingColor.YCbCrRatio420,
            (_, 0x21) => JpegEncodingColor.YCbCrRatio422,
            _ => JpegEncodingColor.YCbCrRatio444,
        };
    }
}
