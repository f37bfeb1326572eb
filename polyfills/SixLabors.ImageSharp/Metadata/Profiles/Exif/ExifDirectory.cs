using System.Buffers.Binary;

namespace SixLabors.ImageSharp.Metadata.Profiles.Exif;

/// <summary>
/// The first directory of a TIFF block: "II" or "MM", 42, offset of the directory; there a count of entries of 12 bytes each
/// (tag, type, count, value or its offset), sorted by tag, then the offset of the next directory. A broken block has no values.
/// </summary>
internal static class ExifDirectory
{
    private const int EntryBytes = 12;
    private const ushort ShortType = 3;
    private static readonly byte[] EmptyBlock = [(byte)'I', (byte)'I', 42, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    public static List<ExifShort> ReadShorts(ReadOnlySpan<byte> block, ReadOnlySpan<ExifTag> tags)
    {
        List<ExifShort> found = [];
        block = SkipPrefix(block);
        if (!TryOpen(block, out var little, out var at, out var count))
            return found;
        for (var i = 0; i < count; i++)
        {
            var entry = block.Slice(at + 2 + (i * EntryBytes), EntryBytes);
            foreach (var tag in tags)
            {
                if (Read16(entry, little) == (ushort)tag && Read16(entry[2..], little) == ShortType && Read32(entry[4..], little) == 1 && !found.Exists(value => value.Tag == tag))
                    found.Add(new ExifShort(tag, Read16(entry[8..], little)));
            }
        }
        return found;
    }

    /// <summary>The block with a new first directory at its end, in which <paramref name="tags"/> stand with these values only.</summary>
    public static byte[] WithShorts(byte[]? old, ReadOnlySpan<ExifTag> tags, IEnumerable<ExifShort> values)
    {
        var block = SkipPrefix(old);
        if (!TryOpen(block, out var little, out var at, out var count))
        {
            block = EmptyBlock;
            TryOpen(block, out little, out at, out count);
        }
        var entries = new List<(ushort Tag, byte[] Bytes)>();
        for (var i = 0; i < count; i++)
        {
            var entry = block.Slice(at + 2 + (i * EntryBytes), EntryBytes);
            var tag = Read16(entry, little);
            var replaced = false;
            foreach (var known in tags)
                replaced |= tag == (ushort)known;
            if (!replaced)
                entries.Add((tag, entry.ToArray()));
        }
        foreach (var value in values)
        {
            var entry = new byte[EntryBytes];
            Write16(entry, (ushort)value.Tag, little);
            Write16(entry.AsSpan(2), ShortType, little);
            Write32(entry.AsSpan(4), 1, little);
            Write16(entry.AsSpan(8), value.Value, little);
            entries.Add(((ushort)value.Tag, entry));
        }
        entries.Sort((a, b) => a.Tag.CompareTo(b.Tag));

        var next = at + 2 + (count * EntryBytes);
        var start = (block.Length + 1) & ~1;
        var result = new byte[start + 2 + (entries.Count * EntryBytes) + 4];
        block.CopyTo(result);
        Write32(result.AsSpan(4), (uint)start, little);
        Write16(result.AsSpan(start), (ushort)entries.Count, little);
        for (var i = 0; i < entries.Count; i++)
            entries[i].Bytes.CopyTo(result, start + 2 + (i * EntryBytes));
        if (next + 4 <= block.Length)
            block.Slice(next, 4).CopyTo(result.AsSpan(result.Length - 4));
        return result;
    }

    /// <summary>Some writers leave "Exif\0\0" in front of the block.</summary>
    public static ReadOnlySpan<byte> SkipPrefix(ReadOnlySpan<byte> block) => block.StartsWith("Exif\0\0"u8) ? block[6..] : block;

    private static bool TryOpen(ReadOnlySpan<byte> block, out bool little, out int at, out int count)
    {
        (little, at, count) = (true, 0, 0);
        if (block.Length < 14 || !(block.StartsWith("II"u8) || block.StartsWith("MM"u8)))
            return false;
        little = block[0] == 'I';
        var offset = Read32(block[4..], little);
        if (Read16(block[2..], little) != 42 || offset > block.Length - 2)
            return false;
        at = (int)offset;
        count = Math.Min(Read16(block[at..], little), (block.Length - at - 2) / EntryBytes);
        return true;
    }

    private static ushort Read16(ReadOnlySpan<byte> bytes, bool little) =>
        little ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes);

    private static uint Read32(ReadOnlySpan<byte> bytes, bool little) =>
        little ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : BinaryPrimitives.ReadUInt32BigEndian(bytes);

    private static void Write16(Span<byte> bytes, ushort value, bool little)
    {
        if (little)
            BinaryPrimitives.WriteUInt16LittleEndian(bytes, value);
        else
            BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
    }

    private static void Write32(Span<byte> bytes, uint value, bool little)
    {
        if (little)
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        else
            BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
    }
}
