using System.Buffers.Binary;

namespace Sdxl.Vision.Pictures;

/// <summary>Reads a TIFF's directories: where its first page's data lie, how it lies, how many pages there are. Source: TIFF 6.0, section 2.</summary>
internal static class TiffStructure
{
    private const int Short = 3, Long = 4, EntryBytes = 12, MaxPages = 10_000;
    private const int StripOffsets = 273, Orientation = 274, StripByteCounts = 279, TileOffsets = 324, TileByteCounts = 325;

    public static PictureStructure Of(ReadOnlySpan<byte> file)
    {
        var little = file[0] == 'I';
        var (pages, orientation) = (0, 1);
        string? missing = null;
        for (var at = file.Length >= 8 ? Number(file, 4, Long, little) : 0; at >= 8 && at + 2 <= file.Length && pages < MaxPages; pages++)
        {
            var entries = (int)Number(file, at, Short, little);
            var next = at + 2 + (long)entries * EntryBytes;
            if (pages == 0)
            {
                var first = Values(file, at, entries, Orientation, little);
                orientation = first is [>= 1 and <= 8, ..] ? (int)first[0] : 1;
                missing = IsThere(file, at, entries, StripOffsets, StripByteCounts, little) && IsThere(file, at, entries, TileOffsets, TileByteCounts, little) && next <= file.Length
                    ? null : "its first page breaks off";
            }
            if (next + 4 > file.Length || Number(file, next, Long, little) is var following && following <= at)
            {
                pages++;            // the last one, or one that leads back: it would go on for ever
                break;
            }
            at = Number(file, next, Long, little);
        }
        return pages > 0 ? new(missing, pages, orientation) : new("its directory is missing");
    }

    private static bool IsThere(ReadOnlySpan<byte> file, long directory, int entries, int offsetTag, int bytesTag, bool little)
    {
        var (offsets, bytes) = (Values(file, directory, entries, offsetTag, little), Values(file, directory, entries, bytesTag, little));
        for (var i = 0; i < Math.Min(offsets.Length, bytes.Length); i++)
        {
            if (offsets[i] + bytes[i] > file.Length)
                return false;
        }
        return true;
    }

    /// <summary>A tag's whole numbers; none where it is not there or of another type.</summary>
    private static long[] Values(ReadOnlySpan<byte> file, long directory, int entries, int tag, bool little)
    {
        for (var i = 0; i < entries; i++)
        {
            var entry = directory + 2 + (long)i * EntryBytes;
            if (entry + EntryBytes > file.Length)
                return [];
            if (Number(file, entry, Short, little) != tag)
                continue;
            var (type, count) = ((int)Number(file, entry + 2, Short, little), Number(file, entry + 4, Long, little));
            var size = type == Short ? 2 : 4;
            var start = count * size <= 4 ? entry + 8 : Number(file, entry + 8, Long, little);
            if (type is not (Short or Long) || start + count * size > file.Length)
                return [];
            var values = new long[count];
            for (var k = 0; k < values.Length; k++)
                values[k] = Number(file, start + k * size, type, little);
            return values;
        }
        return [];
    }

    private static long Number(ReadOnlySpan<byte> file, long at, int type, bool little)
    {
        var bytes = file[(int)at..];
        return (type, little) switch
        {
            (Short, true) => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
            (Short, false) => BinaryPrimitives.ReadUInt16BigEndian(bytes),
            (_, true) => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            _ => BinaryPrimitives.ReadUInt32BigEndian(bytes),
        };
    }
}
