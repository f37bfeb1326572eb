using System.Buffers.Binary;

namespace Sdxl.Pictures.Formats;

/// <summary>Walks a JPEG's segments, because a thumbnail inside one has an end marker of its own.</summary>
/// <remarks>Source: ITU-T T.81, annex B.</remarks>
internal static class JpegStructure
{
    /// <summary>
    /// A progressive JPEG has about ten; each costs a pass over all coefficients: thousands in a small file would take hours.
    /// </summary>
    private const int MostScans = 100;

    private const byte Marker = 0xFF, Start = 0xD8, End = 0xD9, Scan = 0xDA, FirstRestart = 0xD0, LastRestart = 0xD7, Temporary = 0x01;
    private const byte Jfif = 0xE0, Exif = 0xE1, Profile = 0xE2, Adobe = 0xEE, FirstApplication = 0xE0, LastApplication = 0xEF,
        Comment = 0xFE;
    private const byte Baseline = 0xC0, Progressive = 0xC2, HuffmanTables = 0xC4, LastFrame = 0xCF, ArithmeticTables = 0xCC;

    public static PictureStructure Of(byte[] file, PictureLimits limits)
    {
        var parts = new PictureParts();
        var (at, kept, scans, orientation) = (2, 0, 0, 1);
        (int Width, int Height, bool Progressive, bool IsCmyk)? frame = null;
        var profile = new JpegProfile();
        while (at + 1 < file.Length)
        {
            if (file[at] != Marker)
            {
                // Within a scan's data, or stray bytes between segments: go on to the next marker.
                var next = file.AsSpan(at).IndexOf(Marker);
                if (next < 0)
                    break;
                at += next;
                continue;
            }
            var marker = file[at + 1];
            switch (marker)
            {
                case End:
                    var (width, height, progressive, isCmyk) = frame ?? throw PictureFaultException.Broken("it has no frame");
                    if (!progressive && scans > 1)
                        limits.Require(width, height, limits.OtherMegapixels);
                    parts.Add(file, kept, at + 2);
                    return new(PictureFormat.Jpeg, width, height, parts, Orientation: orientation) { Colours = profile.Read(isCmyk) };
                case Marker:
                    at++;                               // fill byte
                    continue;
                case 0x00 or Start or Temporary or (>= FirstRestart and <= LastRestart):
                    at += 2;                            // a 0xFF of the data itself, or a marker without a segment
                    continue;
            }
            var end = at + 3 < file.Length ? at + 2 + BinaryPrimitives.ReadUInt16BigEndian(file.AsSpan(at + 2)) : int.MaxValue;
            if (end > file.Length)
                break;
            var segment = file.AsSpan(at + 4, Math.Max(0, end - at - 4));
            if (IsFrame(marker))
                frame = frame is null ? Frame(marker, segment, limits) : throw PictureFaultException.Broken("it has two frames");
            else if (marker == Scan && ++scans > MostScans)
                throw PictureFaultException.Broken($"it has more than {MostScans} scans");
            else if (marker == Exif && segment.StartsWith("Exif\0\0"u8))
                orientation = orientation == 1 ? ExifOrientation.Of(segment[6..]) : orientation;
            else if (marker == Profile)
                profile.Take(segment);

            if (marker is >= FirstApplication and <= LastApplication and not (Jfif or Adobe) or Comment)
            {
                parts.Add(file, kept, at);
                kept = end;
            }
            at = end;
        }
        throw PictureFaultException.CutOff("its end marker is missing");
    }

    private static bool IsFrame(byte marker) => marker is >= Baseline and <= LastFrame and not (HuffmanTables or ArithmeticTables);

    private static (int Width, int Height, bool Progressive, bool IsCmyk) Frame(byte marker, ReadOnlySpan<byte> segment,
        PictureLimits limits)
    {
        if (marker > Progressive)
            throw PictureFaultException.Unsupported("a lossless, hierarchical or arithmetic-coded JPEG");
        if (segment.Length < 6)
            throw PictureFaultException.Broken("its frame header breaks off");
        var (height, width) = (BinaryPrimitives.ReadUInt16BigEndian(segment[1..]), BinaryPrimitives.ReadUInt16BigEndian(segment[3..]));
        limits.Require(width, height, marker == Progressive ? limits.OtherMegapixels : limits.JpegMegapixels);
        return segment[5] is 1 or 3 or 4
            ? (width, height, marker == Progressive, segment[5] == 4)
                : throw PictureFaultException.Unsupported($"a JPEG of {segment[5]} channels");
    }
}
