using System.Buffers.Binary;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Tests.Pictures;

/// <summary>
/// Pictures of any size in few bytes, written by hand, row by row: the tests measure the decoder's memory, not the encoder's.
/// </summary>
internal static class LargePictures
{
    /// <summary>16 bits a channel, red green blue, all rows alike.</summary>
    public static byte[] Png16(int width, int height)
    {
        var row = new byte[1 + width * 6];
        for (var x = 0; x < width; x++)
            row[1 + 6 * x] = (byte)(x >> 5);
        return HandPng.Packed(width, height, bits: 16, colour: 2, HandPng.Zlib(row, height));
    }

    /// <summary>A good little picture with a compressed text of so many MiB.</summary>
    public static byte[] PngWithText(int mebibytes) =>
        HandPng.Packed(
            1,
            1,
            8,
            0,
            HandPng.Zlib([0, 200], 1),
            false,
            [.. "zTXt"u8, .. "a\0\0"u8, .. HandPng.Zlib(new byte[1 << 20], mebibytes)]
        );

    public static byte[] PngHeader(int width, int height) => HandPng.Packed(width, height, 8, 2, HandPng.Zlib([0], 1));

    /// <summary>Grey by a palette, 8 bits.</summary>
    public static byte[] Bmp8(int width, int height)
    {
        var file = new byte[54 + 1024 + (width + 3) / 4 * 4 * height];
        BmpHeader(width, height, 8).CopyTo(file, 0);
        for (var i = 0; i < 256; i++)
            file.AsSpan(54 + 4 * i, 3).Fill((byte)i);
        return file;
    }

    public static byte[] BmpHeader(int width, int height, short bits)
    {
        var header = new byte[54];
        "BM"u8.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(10), bits == 8 ? 54 + 1024 : 54);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(14), 40);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(18), width);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(22), height);
        header[26] = 1;
        BinaryPrimitives.WriteInt16LittleEndian(header.AsSpan(28), bits);
        return header;
    }

    /// <summary>Red green blue, PackBits, a strip a row; all strips are the same bytes.</summary>
    public static byte[] Tiff(int width, int height, int strips)
    {
        using var row = new MemoryStream();
        for (var left = width * 3; left > 0; left -= 128)
        {
            row.WriteByte((byte)(257 - Math.Min(left, 128)));
            row.WriteByte(90);
        }
        var data = row.ToArray();
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("II*\0"u8);
        var (dataAt, bitsAt) = (8, 8 + data.Length);
        var (offsetsAt, countsAt) = (bitsAt + 6, bitsAt + 6 + 4 * strips);
        writer.Write(countsAt + 4 * strips);
        writer.Write(data);
        writer.Write([8, 0, 8, 0, 8, 0]);
        for (var i = 0; i < strips; i++)
            writer.Write(dataAt);
        for (var i = 0; i < strips; i++)
            writer.Write(data.Length);
        (short Tag, short Type, int Count, int Value)[] entries =
        [
            (256, 4, 1, width),
            (257, 4, 1, height),
            (258, 3, 3, bitsAt),
            (259, 3, 1, 32773),
            (262, 3, 1, 2),
            (273, 4, strips, strips == 1 ? dataAt : offsetsAt),
            (277, 3, 1, 3),
            (278, 4, 1, (height + strips - 1) / strips),
            (279, 4, strips, strips == 1 ? data.Length : countsAt),
        ];
        writer.Write((short)entries.Length);
        foreach (var (tag, type, count, value) in entries)
        {
            writer.Write(tag);
            writer.Write(type);
            writer.Write(count);
            writer.Write(value);
        }
        writer.Write(0);
        return stream.ToArray();
    }

    /// <summary>A screen of one size with a frame of another; a single code of data.</summary>
    public static byte[] Gif(ushort screen, ushort frame)
    {
        byte[] sides = [(byte)screen, (byte)(screen >> 8), (byte)screen, (byte)(screen >> 8)],
            frames = [(byte)frame, (byte)(frame >> 8), (byte)frame, (byte)(frame >> 8)];
        return [.. "GIF89a"u8, .. sides, 0x80, 0, 0, 0, 0, 0, 255, 255, 255, 0x2C, 0, 0, 0, 0, .. frames, 0, 2, 2, 0x44, 1, 0, 0x3B];
    }

    /// <param name="frame">Marker: 0xC0 baseline, 0xC2 progressive.</param>
    public static byte[] JpegHeader(ushort side, byte frame = 0xC0) =>
        [
            0xFF,
            0xD8,
            0xFF,
            frame,
            0,
            17,
            8,
            (byte)(side >> 8),
            (byte)side,
            (byte)(side >> 8),
            (byte)side,
            3,
            1,
            0x11,
            0,
            2,
            0x11,
            0,
            3,
            0x11,
            0,
            0xFF,
            0xD9,
        ];

    /// <summary>A lossless WebP's header: 14 bits for each side less one.</summary>
    public static byte[] WebpHeader(int side)
    {
        var bits = (uint)(side - 1) | (uint)(side - 1) << 14;
        byte[] data = [0x2F, (byte)bits, (byte)(bits >> 8), (byte)(bits >> 16), (byte)(bits >> 24), 0];
        return [.. "RIFF"u8, (byte)(4 + 8 + data.Length), 0, 0, 0, .. "WEBPVP8L"u8, (byte)data.Length, 0, 0, 0, .. data];
    }

    public static byte[] Webp(int width, int height)
    {
        using var image = new Image<Rgb24>(width, height, new Rgb24(10, 120, 90));
        using var stream = new MemoryStream();
        image.SaveAsWebp(stream);
        return stream.ToArray();
    }

    /// <summary>A file of 108 megapixels, made once.</summary>
    public static string Jpeg()
    {
        var file = Path.Combine(Path.GetTempPath(), "sdxl-tests-12000x9000.jpg");
        if (File.Exists(file))
            return file;
        using var image = new Image<Rgb24>(12000, 9000);
        image.ProcessPixelRows(rows =>
        {
            for (var y = 0; y < rows.Height; y++)
            {
                var row = rows.GetRowSpan(y);
                for (var x = 0; x < row.Length; x++)
                    row[x] = new Rgb24((byte)(x / 47), (byte)(y / 36), (byte)((x ^ y) >> 6));
            }
        });
        var part = $"{file}.{Environment.ProcessId}.jpg";
        image.SaveAsJpeg(part);
        File.Move(part, file, overwrite: true);
        return file;
    }

    /// <summary>Uncompressed red green blue; all pages alike, data after the directories.</summary>
    public static byte[] SmallTiff(int width, int height, int orientation, int pages)
    {
        const int Entries = 10, DirectoryBytes = 2 + Entries * 12 + 4 + 6;
        var pixels = Enumerable.Range(0, width * height).SelectMany(i => i < width ? new byte[] { 255, 0, 0 } : [0, 0, 255]).ToArray();
        var dataAt = 8 + pages * DirectoryBytes;
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("II*\0"u8);
        writer.Write(8);
        for (var page = 0; page < pages; page++)
        {
            var at = 8 + page * DirectoryBytes;
            writer.Write((short)Entries);
            Entry(256, 3, 1, width);
            Entry(257, 3, 1, height);
            Entry(258, 3, 3, at + DirectoryBytes - 6);
            Entry(259, 3, 1, 1);
            Entry(262, 3, 1, 2);
            Entry(273, 4, 1, dataAt);
            Entry(274, 3, 1, orientation);
            Entry(277, 3, 1, 3);
            Entry(278, 3, 1, height);
            Entry(279, 4, 1, pixels.Length);
            writer.Write(page + 1 < pages ? at + DirectoryBytes : 0);
            writer.Write((short)8);
            writer.Write((short)8);
            writer.Write((short)8);
        }
        writer.Write(pixels);
        return stream.ToArray();

        void Entry(short tag, short type, int count, int value)
        {
            writer.Write(tag);
            writer.Write(type);
            writer.Write(count);
            writer.Write(value);
        }
    }
}
