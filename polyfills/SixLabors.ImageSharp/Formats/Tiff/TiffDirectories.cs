using System.Buffers.Binary;

namespace SixLabors.ImageSharp.Formats.Tiff;

/// <summary>Walks a TIFF's directories as the real library does before it looks at any: libtiff is more lenient, and reads pages in any order.</summary>
internal static class TiffDirectories
{
    private const int Most = 65534, EntryBytes = 12, BigEntryBytes = 20;
    private const byte Big = 43;

    /// <exception cref="ImageFormatException">A directory leads to itself or back, or there are too many.</exception>
    public static void Check(ReadOnlySpan<byte> file)
    {
        var little = file[0] == 'I';
        var big = file[little ? 2 : 3] == Big;
        var (countBytes, entryBytes, linkBytes) = big ? (8, BigEntryBytes, 8) : (2, EntryBytes, 4);
        var directories = 0;
        for (var at = Number(file, big ? 8UL : 4UL, linkBytes, little); at != 0 && at < (ulong)file.Length;)
        {
            var entries = Math.Min(Number(file, at, countBytes, little), (ulong)file.Length); // more do not fit, and would overflow
            var next = Number(file, at + (ulong)countBytes + entries * (ulong)entryBytes, linkBytes, little);
            if (next != 0 && next <= at)
                throw new ImageFormatException("TIFF image contains circular directory offsets");
            if (++directories >= Most)
                throw new ImageFormatException("TIFF image contains too many directories");
            at = next;
        }
    }

    /// <summary>0 where the file ends before.</summary>
    private static ulong Number(ReadOnlySpan<byte> file, ulong at, int size, bool little)
    {
        if (at + (ulong)size > (ulong)file.Length)
            return 0;
        var bytes = file[(int)at..];
        return (size, little) switch
        {
            (2, true) => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
            (2, false) => BinaryPrimitives.ReadUInt16BigEndian(bytes),
            (4, true) => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            (4, false) => BinaryPrimitives.ReadUInt32BigEndian(bytes),
            (_, true) => BinaryPrimitives.ReadUInt64LittleEndian(bytes),
            _ => BinaryPrimitives.ReadUInt64BigEndian(bytes),
        };
    }
}
