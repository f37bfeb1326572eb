using System.Buffers.Binary;
using Sdxl.Core.Text;
using Sdxl.Pictures.Colours;

namespace Sdxl.Pictures.Formats;

/// <summary>
/// Walks a WebP's chunks and keeps the pixels and their opacity. Of an animation, which ImageSharp 2.1 cannot read, the first frame is
/// made a still picture, if it fills the canvas.
/// </summary>
/// <remarks>Source: RFC 9649, section 2.</remarks>
internal static class WebpStructure
{
    private const int ChunkHeader = 8, FrameHeader = 16, ExtendedBytes = 10;
    private const byte HasAnimation = 0x02, HasAlpha = 0x10;

    public static PictureStructure Of(byte[] file, PictureLimits limits)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(4)) + 8L is var needed && needed > file.Length)
            throw PictureFaultException.CutOff($"it says {Plural.Of(needed, "byte")} and has {file.Length:N0}");
        var chunks = Chunks(file, 12, needed);
        var canvas = chunks.Find(chunk => chunk.Is(file, "VP8X"u8));
        var isAnimated = canvas.Bytes >= ExtendedBytes && (file[canvas.At] & HasAnimation) != 0;
        var frames = chunks.FindAll(chunk => chunk.Is(file, "ANMF"u8) && chunk.Bytes >= FrameHeader);
        if (isAnimated && frames.Count == 0)
            throw PictureFaultException.CutOff("its first frame is missing");
        var still = isAnimated ? Chunks(file, frames[0].At + FrameHeader, frames[0].At + frames[0].Bytes) : chunks;
        var (width, height, parts) = Still(file, still, limits);
        if (isAnimated && !Fills(file, frames[0], canvas, width, height))
            throw PictureFaultException.Unsupported("an animated WebP whose first frame does not fill it");
        var exif = chunks.Find(chunk => chunk.Is(file, "EXIF"u8));
        var orientation = exif.Bytes > 0 ? ExifOrientation.OfPrefixed(file.AsSpan((int)exif.At, (int)exif.Bytes)) : 1;
        var profile = chunks.Find(chunk => chunk.Is(file, "ICCP"u8));
        return new(PictureFormat.Webp, width, height, parts, Math.Max(frames.Count, 1), orientation)
        {
            Colours = ColourProfile.Read(profile.Bytes > 0 ? file.AsSpan((int)profile.At, (int)profile.Bytes) : []),
        };
    }

    /// <summary>A file of the first picture among the chunks, with its opacity where it has one.</summary>
    private static (int Width, int Height, PictureParts Parts) Still(byte[] file, List<Chunk> chunks, PictureLimits limits)
    {
        var picture = chunks.Find(chunk => chunk.Is(file, "VP8 "u8) || chunk.Is(file, "VP8L"u8));
        if (picture.Bytes < 10 && !(picture.Bytes >= 5 && picture.Is(file, "VP8L"u8)))
            throw PictureFaultException.CutOff("its pixels are missing");
        var isLossless = picture.Is(file, "VP8L"u8);
        var (width, height) = isLossless ? LosslessSize(file.AsSpan((int)picture.At)) : LossySize(file.AsSpan((int)picture.At));
        limits.Require(width, height, limits.OtherMegapixels);

        var body = new PictureParts();
        var alpha = isLossless ? default : chunks.Find(chunk => chunk.Is(file, "ALPH"u8));
        if (alpha.Bytes > 1)
        {
            body.Add(Extended(width, height));
            AddChunk(body, file, alpha);
        }
        AddChunk(body, file, picture);
        var parts = new PictureParts();
        var header = "RIFF\0\0\0\0WEBP"u8.ToArray();
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(4), (uint)(4 + body.Length));
        parts.Add(header);
        body.CopyTo(parts);
        return (width, height, parts);
    }

    private static void AddChunk(PictureParts parts, byte[] file, Chunk chunk)
    {
        parts.Add(file, chunk.At - ChunkHeader, chunk.At + chunk.Bytes);
        parts.Add(new byte[chunk.Bytes % 2]);
    }

    private static byte[] Extended(int width, int height)
    {
        byte[] chunk = [.. "VP8X"u8, ExtendedBytes, 0, 0, 0, HasAlpha, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        for (var i = 0; i < 3; i++)
            (chunk[12 + i], chunk[15 + i]) = ((byte)(width - 1 >> 8 * i), (byte)(height - 1 >> 8 * i));
        return chunk;
    }

    private static (int Width, int Height) LosslessSize(ReadOnlySpan<byte> data)
    {
        if (data[0] != 0x2F)
            throw PictureFaultException.Broken("its lossless pixels do not begin with their signature");
        var bits = BinaryPrimitives.ReadUInt32LittleEndian(data[1..]);
        return ((int)(bits & 0x3FFF) + 1, (int)(bits >> 14 & 0x3FFF) + 1);
    }

    private static (int Width, int Height) LossySize(ReadOnlySpan<byte> data) => data[3..6] is [0x9D, 0x01, 0x2A]
        ? (BinaryPrimitives.ReadUInt16LittleEndian(data[6..]) & 0x3FFF, BinaryPrimitives.ReadUInt16LittleEndian(data[8..]) & 0x3FFF)
        : throw PictureFaultException.Broken("its pixels do not begin with their signature");

    /// <summary>Whether a frame begins at the canvas's corner and is as large.</summary>
    private static bool Fills(byte[] file, Chunk frame, Chunk canvas, int width, int height) =>
        Number24(file, frame.At) == 0 && Number24(file, frame.At + 3) == 0
        && width == Number24(file, canvas.At + 4) + 1 && height == Number24(file, canvas.At + 7) + 1;

    private static int Number24(byte[] file, long at) => file[at] | file[at + 1] << 8 | file[at + 2] << 16;

    private static List<Chunk> Chunks(byte[] file, long at, long end)
    {
        var chunks = new List<Chunk>();
        while (at + ChunkHeader <= end)
        {
            var bytes = BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan((int)at + 4));
            if (at + ChunkHeader + bytes > end)
                break;
            chunks.Add(new Chunk(at + ChunkHeader, bytes));
            at += ChunkHeader + bytes + bytes % 2;
        }
        return chunks;
    }

    /// <param name="At">Of the data; the name and the size stand before it.</param>
    private readonly record struct Chunk(long At, long Bytes)
    {
        public bool Is(byte[] file, ReadOnlySpan<byte> name) =>
            At >= ChunkHeader && file.AsSpan((int)At - ChunkHeader, 4).SequenceEqual(name);
    }
}
