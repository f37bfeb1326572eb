using System.Buffers.Binary;
using System.IO.Compression;

namespace Sdxl.Tests.Pictures;

/// <summary>PNGs written chunk by chunk.</summary>
internal static class HandPng
{
    /// <param name="rows">A filter byte and the samples of each row.</param>
    /// <param name="others">Chunks between the header and the pixels, without length and checksum.</param>
    public static byte[] Of(int width, int height, byte bits, byte colour, byte[] rows, bool interlaced = false, params byte[][] others) =>
        Packed(width, height, bits, colour, Zlib(rows, 1), interlaced, others);

    /// <param name="data">Deflated already.</param>
    public static byte[] Packed(int width, int height, byte bits, byte colour, byte[] data, bool interlaced = false, params byte[][] others)
    {
        using var stream = new MemoryStream();
        stream.Write([0x89, .. "PNG\r\n"u8, 0x1A, 0x0A]);
        byte[] header = [.. "IHDR"u8, 0, 0, 0, 0, 0, 0, 0, 0, bits, colour, 0, 0, interlaced ? (byte)1 : (byte)0];
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(8), height);
        Span<byte> number = stackalloc byte[4];
        foreach (var chunk in (byte[][])[header, .. others, [.. "IDAT"u8, .. data], [.. "IEND"u8]])
        {
            BinaryPrimitives.WriteInt32BigEndian(number, chunk.Length - 4);
            stream.Write(number);
            stream.Write(chunk);
            BinaryPrimitives.WriteUInt32BigEndian(number, Crc(chunk));
            stream.Write(number);
        }
        return stream.ToArray();
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = ~0u;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? 0xEDB88320 ^ (crc >> 1) : crc >> 1;
        }
        return ~crc;
    }

    /// <summary>A part so many times over.</summary>
    public static byte[] Zlib(byte[] part, int times)
    {
        using var stream = new MemoryStream();
        using (var zlib = new ZLibStream(stream, CompressionLevel.Fastest))
        {
            for (var i = 0; i < times; i++)
                zlib.Write(part);
        }
        return stream.ToArray();
    }
}
