using System.Buffers.Binary;

namespace Sdxl.Vision.Pictures;

/// <summary>Finds out whether a file was cut off. Decoders are lenient: they fill what is missing with grey, and training would learn the grey.</summary>
internal static class PictureEnd
{
    /// <summary>What is missing, as the end of a sentence; null where nothing is or the format is not one of JPEG, PNG, WebP (whose decoders notice by themselves).</summary>
    public static string? WhatIsMissing(ReadOnlySpan<byte> file) => file switch
    {
        [0xFF, 0xD8, 0xFF, ..] => JpegEnds(file) ? null : "its end marker is missing",
        [0x89, (byte)'P', (byte)'N', (byte)'G', ..] => PngEnds(file) ? null : "its end chunk is missing",
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] =>
            BinaryPrimitives.ReadUInt32LittleEndian(file[4..]) + 8L is var needed && needed > file.Length ? $"it says {needed:N0} bytes and has {file.Length:N0}" : null,
        _ => null,
    };

    /// <summary>Walks the segments, because a thumbnail inside one has an end marker of its own.</summary>
    private static bool JpegEnds(ReadOnlySpan<byte> file)
    {
        const byte Start = 0xD8, End = 0xD9, Scan = 0xDA, FirstRestart = 0xD0, LastRestart = 0xD7, Temporary = 0x01;
        var at = 2;
        while (at + 1 < file.Length)
        {
            if (file[at] != 0xFF)
            {
                // Within a scan's data, or stray bytes between segments: go on to the next marker.
                var next = file[at..].IndexOf((byte)0xFF);
                if (next < 0)
                    return false;
                at += next;
                continue;
            }
            switch (file[at + 1])
            {
                case End:
                    return true;
                case 0xFF:
                    at++;                               // fill byte
                    break;
                case 0x00 or Start or Temporary or (>= FirstRestart and <= LastRestart):
                    at += 2;                            // a 0xFF of the data itself, or a marker without a segment
                    break;
                case Scan:
                default:
                    if (at + 3 >= file.Length)
                        return false;
                    at += 2 + BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2)..]);
                    break;
            }
        }
        return false;
    }

    private static bool PngEnds(ReadOnlySpan<byte> file)
    {
        for (long at = 8; at + 12 <= file.Length;)
        {
            var chunk = file[(int)at..];
            if (chunk[4..8].SequenceEqual("IEND"u8))
                return true;
            at += 12L + BinaryPrimitives.ReadUInt32BigEndian(chunk);
        }
        return false;
    }
}
