using System.Buffers.Binary;
using Sdxl.Core.Text;

namespace Sdxl.Vision.Pictures;

/// <summary>
/// What a picture file's own structure says and decoders do not: whether it was cut off (decoders are lenient: they fill what is missing with grey, and training would learn the grey),
/// how many pictures it holds, and how a TIFF lies.
/// </summary>
/// <param name="Missing">What is missing, as the end of a sentence; null where nothing is.</param>
/// <param name="Frames">Frames of an animation, pages of a TIFF; 1 or more.</param>
/// <param name="Orientation">The TIFF's orientation tag, 1..8 as in EXIF; 1 for the other formats, whose decoders read it.</param>
/// <param name="InScans">A JPEG in several scans, progressive or not: all its coefficients are kept until the last.</param>
internal sealed record PictureStructure(string? Missing, int Frames = 1, int Orientation = 1, bool InScans = false)
{
    public static PictureStructure Of(ReadOnlySpan<byte> file) => file switch
    {
        [0xFF, 0xD8, 0xFF, ..] => Jpeg(file),
        [0x89, (byte)'P', (byte)'N', (byte)'G', ..] => Png(file),
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] => Webp(file),
        [(byte)'G', (byte)'I', (byte)'F', (byte)'8', ..] => GifStructure.Of(file),
        [(byte)'B', (byte)'M', ..] => new(BmpIsWhole(file) ? null : "rows are missing"),
        [(byte)'I', (byte)'I', 42, 0, ..] or [(byte)'M', (byte)'M', 0, 42, ..] => TiffStructure.Of(file),
        _ => new((string?)null),
    };

    /// <summary>Walks the segments, because a thumbnail inside one has an end marker of its own.</summary>
    private static PictureStructure Jpeg(ReadOnlySpan<byte> file)
    {
        const byte Start = 0xD8, End = 0xD9, Scan = 0xDA, FirstRestart = 0xD0, LastRestart = 0xD7, Temporary = 0x01, Progressive = 0xC2;
        const string Missing = "its end marker is missing";
        var (at, scans, progressive) = (2, 0, false);
        while (at + 1 < file.Length)
        {
            if (file[at] != 0xFF)
            {
                // Within a scan's data, or stray bytes between segments: go on to the next marker.
                var next = file[at..].IndexOf((byte)0xFF);
                if (next < 0)
                    return new(Missing);
                at += next;
                continue;
            }
            switch (file[at + 1])
            {
                case End:
                    return new(null, InScans: progressive || scans > 1);
                case 0xFF:
                    at++;                               // fill byte
                    break;
                case 0x00 or Start or Temporary or (>= FirstRestart and <= LastRestart):
                    at += 2;                            // a 0xFF of the data itself, or a marker without a segment
                    break;
                default:
                    scans += file[at + 1] == Scan ? 1 : 0;
                    progressive |= file[at + 1] == Progressive;
                    if (at + 3 >= file.Length)
                        return new(Missing);
                    at += 2 + BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2)..]);
                    break;
            }
        }
        return new(Missing);
    }

    private static PictureStructure Png(ReadOnlySpan<byte> file)
    {
        var frames = 1;
        for (long at = 8; at + 12 <= file.Length;)
        {
            var chunk = file[(int)at..];
            if (chunk[4..8].SequenceEqual("acTL"u8) && chunk.Length >= 12)
                frames = (int)Math.Clamp(BinaryPrimitives.ReadUInt32BigEndian(chunk[8..]), 1, 1_000_000);
            if (chunk[4..8].SequenceEqual("IEND"u8))
                return new(null, frames);
            at += 12L + BinaryPrimitives.ReadUInt32BigEndian(chunk);
        }
        return new("its end chunk is missing");
    }

    private static PictureStructure Webp(ReadOnlySpan<byte> file)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(file[4..]) + 8L is var needed && needed > file.Length)
            return new($"it says {Plural.Of(needed, "byte")} and has {file.Length:N0}");
        var frames = 0;
        for (long at = 12; at + 8 <= file.Length;)
        {
            var chunk = file[(int)at..];
            frames += chunk[..4].SequenceEqual("ANMF"u8) ? 1 : 0;
            var bytes = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
            at += 8L + bytes + bytes % 2;
        }
        return new(null, Math.Max(frames, 1));
    }

    /// <summary>Whether uncompressed rows are all there; compressed ones say it when they are decoded.</summary>
    private static bool BmpIsWhole(ReadOnlySpan<byte> file)
    {
        const int OldHeader = 12, UsualHeader = 40, Uncompressed = 0, BitFields = 3;
        if (file.Length < 26)
            return false;
        var (offset, header) = (BinaryPrimitives.ReadUInt32LittleEndian(file[10..]), BinaryPrimitives.ReadUInt32LittleEndian(file[14..]));
        if (header != OldHeader && (header < UsualHeader || file.Length < 34 || BinaryPrimitives.ReadUInt32LittleEndian(file[30..]) is not (Uncompressed or BitFields)))
            return true;
        var (width, height, bits) = header == OldHeader
            ? (BinaryPrimitives.ReadUInt16LittleEndian(file[18..]), BinaryPrimitives.ReadUInt16LittleEndian(file[20..]), BinaryPrimitives.ReadUInt16LittleEndian(file[24..]))
            : (Math.Abs((long)BinaryPrimitives.ReadInt32LittleEndian(file[18..])), Math.Abs((long)BinaryPrimitives.ReadInt32LittleEndian(file[22..])), BinaryPrimitives.ReadUInt16LittleEndian(file[28..]));
        var stride = (width * bits + 31) / 32 * 4;
        return offset + stride * height <= file.Length;
    }
}
