using System.Buffers.Binary;

namespace Sdxl.Pictures.Formats;

/// <summary>One directory of a TIFF, read where it lies: a claimed count of millions costs nothing. Source: TIFF 6.0, section 2.</summary>
/// <param name="Little">Byte order of the file.</param>
/// <param name="At">Where the directory begins.</param>
internal readonly record struct TiffDirectory(bool Little, long At)
{
    private const int EntryBytes = 12;

    /// <summary>A tag's whole numbers in place.</summary>
    /// <param name="Type">3: 16 bits, 4: 32 bits.</param>
    /// <param name="At">Of the first; all of them lie in the file.</param>
    public readonly record struct Entry(bool Little, int Type, long Count, long At)
    {
        public int Size => Type == TypeShort ? 2 : 4;

        public long Value(ReadOnlySpan<byte> file, long index) =>
            Type == TypeShort ? Short(file, At + 2 * index, Little) : Long(file, At + 4 * index, Little);
    }

    public const int TypeByte = 1, TypeShort = 3, TypeLong = 4, TypeUndefined = 7;

    /// <summary>Entries; 0 where the directory does not lie in the file.</summary>
    public int Count(ReadOnlySpan<byte> file) => At >= 8 && At + 2 <= file.Length ? Short(file, At, Little) : 0;

    /// <summary>Where the next directory begins; 0 after the last, or where the file ends before it says so.</summary>
    public long Next(ReadOnlySpan<byte> file) => End(file) + 4 <= file.Length ? Long(file, End(file), Little) : 0;

    public long End(ReadOnlySpan<byte> file) => At + 2 + (long)Count(file) * EntryBytes;

    /// <summary>Null where the tag is not there, is of no whole numbers, or leaves the file.</summary>
    public Entry? Find(ReadOnlySpan<byte> file, int tag)
    {
        for (var i = 0; i < Count(file); i++)
        {
            var entry = At + 2 + (long)i * EntryBytes;
            if (entry + EntryBytes > file.Length)
                return null;
            if (Short(file, entry, Little) != tag)
                continue;
            var (type, count) = (Short(file, entry + 2, Little), Long(file, entry + 4, Little));
            var bytes = count * (type == TypeShort ? 2 : 4);
            var at = bytes <= 4 ? entry + 8 : Long(file, entry + 8, Little);
            return type is TypeShort or TypeLong && at + bytes <= file.Length ? new Entry(Little, type, count, at) : null;
        }
        return null;
    }

    /// <summary>A tag's bytes of any type of one byte; empty where it is not there, of another type, or leaves the file.</summary>
    public ReadOnlySpan<byte> Bytes(ReadOnlySpan<byte> file, int tag)
    {
        for (var i = 0; i < Count(file); i++)
        {
            var entry = At + 2 + (long)i * EntryBytes;
            if (entry + EntryBytes > file.Length)
                break;
            if (Short(file, entry, Little) != tag)
                continue;
            var (type, count) = (Short(file, entry + 2, Little), Long(file, entry + 4, Little));
            var at = count <= 4 ? entry + 8 : Long(file, entry + 8, Little);
            return type is TypeByte or TypeUndefined && at + count <= file.Length ? file.Slice((int)at, (int)count) : [];
        }
        return [];
    }

    /// <summary>A tag's first number.</summary>
    public long Number(ReadOnlySpan<byte> file, int tag, long otherwise) =>
        Find(file, tag) is { Count: > 0 } entry ? entry.Value(file, 0) : otherwise;

    public static int Short(ReadOnlySpan<byte> file, long at, bool little) =>
        little ? BinaryPrimitives.ReadUInt16LittleEndian(file[(int)at..]) : BinaryPrimitives.ReadUInt16BigEndian(file[(int)at..]);

    public static long Long(ReadOnlySpan<byte> file, long at, bool little) =>
        little ? BinaryPrimitives.ReadUInt32LittleEndian(file[(int)at..]) : BinaryPrimitives.ReadUInt32BigEndian(file[(int)at..]);
}
