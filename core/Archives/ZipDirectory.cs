using System.Buffers.Binary;

namespace Sdxl.Core.Archives;

/// <summary>One entry's name as the directory of a zip has it.</summary>
/// <param name="Bytes">As written, in whatever code page.</param>
/// <param name="IsUtf8">The entry says so (general purpose bit 11).</param>
/// <param name="UnicodePath">The name in UTF-8 from Info-ZIP's extra field 0x7075, where its checksum fits; else null.</param>
/// <param name="Crc">Of the content: tells that this record and ZipArchive's are the same.</param>
internal sealed record ZipName(byte[] Bytes, bool IsUtf8, byte[]? UnicodePath, uint Crc);

/// <summary>
/// Reads the names in a zip's central directory, which ZipArchive decodes at once and loses where it guesses the code page wrong. Sizes and
/// places are still ZipArchive's business.
/// </summary>
/// <remarks>PKWARE APPNOTE.TXT 6.3: 4.3.12 (central directory header), 4.3.14 and 4.3.15 (zip64), 4.3.16 (end), 4.6.9 (Info-ZIP Unicode
/// Path).</remarks>
internal static class ZipDirectory
{
    private const uint HeaderMark = 0x02014b50, EndMark = 0x06054b50, Zip64EndMark = 0x06064b50, Zip64LocatorMark = 0x07064b50;
    private const int HeaderBytes = 46, EndBytes = 22, Zip64EndBytes = 56, Zip64LocatorBytes = 20;
    private const int LongestComment = ushort.MaxValue;
    private const ushort UnicodePathField = 0x7075;
    private const ushort Utf8Flag = 1 << 11;

    /// <param name="zip">Seekable; its position is not kept.</param>
    /// <param name="count">How many entries ZipArchive found.</param>
    /// <exception cref="InvalidDataException">The directory makes no sense, or has another count.</exception>
    public static IReadOnlyList<ZipName> ReadNames(Stream zip, int count)
    {
        zip.Position = FindDirectory(zip);
        using var reader = new BinaryReader(new BufferedStream(new StreamWindow(zip, zip.Position, zip.Length - zip.Position), 1 << 16));
        var names = new List<ZipName>(count);
        Span<byte> header = stackalloc byte[HeaderBytes];
        for (var i = 0; i < count; i++)
        {
            reader.BaseStream.ReadExactly(header);
            if (BinaryPrimitives.ReadUInt32LittleEndian(header) != HeaderMark)
                throw new InvalidDataException($"record {i} of the zip's directory has no header");
            var flags = BinaryPrimitives.ReadUInt16LittleEndian(header[8..]);
            var name = Read(reader, BinaryPrimitives.ReadUInt16LittleEndian(header[28..]));
            var extra = Read(reader, BinaryPrimitives.ReadUInt16LittleEndian(header[30..]));
            _ = Read(reader, BinaryPrimitives.ReadUInt16LittleEndian(header[32..])); // comment
            names.Add(new ZipName(name, (flags & Utf8Flag) != 0, UnicodePath(extra, name),
                BinaryPrimitives.ReadUInt32LittleEndian(header[16..])));
        }
        return names;
    }

    /// <summary>Data 0x7075: version 1, CRC-32 of the plain name, the name in UTF-8. A program that renames without knowing the field
    /// leaves a CRC that is wrong.</summary>
    private static byte[]? UnicodePath(ReadOnlySpan<byte> extra, ReadOnlySpan<byte> name)
    {
        while (extra.Length >= 4)
        {
            var (id, length) = (BinaryPrimitives.ReadUInt16LittleEndian(extra), BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]));
            if (length > extra.Length - 4)
                return null;
            var data = extra.Slice(4, length);
            if (id == UnicodePathField && length > 5 && data[0] == 1
                && BinaryPrimitives.ReadUInt32LittleEndian(data[1..]) == Crc32.Append(0, name))
                return data[5..].ToArray();
            extra = extra[(4 + length)..];
        }
        return null;
    }

    private static long FindDirectory(Stream zip)
    {
        var tail = new byte[Math.Min(zip.Length, EndBytes + LongestComment)];
        zip.Position = zip.Length - tail.Length;
        zip.ReadExactly(tail);
        for (var at = tail.Length - EndBytes; at >= 0; at--)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(at)) != EndMark)
                continue;
            var end = zip.Length - tail.Length + at;
            var offset = BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(at + 16));
            return Zip64Directory(zip, end) ?? offset;
        }
        throw new InvalidDataException("the zip's end record is missing");
    }

    /// <summary>The place from the larger end record, where there is one: its locator stands right before the usual one.</summary>
    private static long? Zip64Directory(Stream zip, long end)
    {
        Span<byte> locator = stackalloc byte[Zip64LocatorBytes];
        if (end < Zip64LocatorBytes)
            return null;
        zip.Position = end - Zip64LocatorBytes;
        zip.ReadExactly(locator);
        if (BinaryPrimitives.ReadUInt32LittleEndian(locator) != Zip64LocatorMark)
            return null;
        var place = BinaryPrimitives.ReadInt64LittleEndian(locator[8..]);
        if (place < 0 || place > zip.Length - Zip64EndBytes)
            return null;
        Span<byte> record = stackalloc byte[Zip64EndBytes];
        zip.Position = place;
        zip.ReadExactly(record);
        return BinaryPrimitives.ReadUInt32LittleEndian(record) == Zip64EndMark
            && BinaryPrimitives.ReadInt64LittleEndian(record[48..]) is >= 0 and var offset && offset <= zip.Length
            ? offset : null;
    }

    private static byte[] Read(BinaryReader reader, int length) => reader.ReadBytes(length) is { } read && read.Length == length
        ? read : throw new EndOfStreamException("the zip's directory is cut short");
}
