using System.Buffers.Binary;

namespace Sdxl.Pictures.Formats;

/// <summary>
/// Checks a BMP's headers. A palette is written anew, of exactly 256 colours: ImageSharp 2.1 takes memory for whatever palette the header
/// claims, 2 GiB and more, and reads a few bytes past a short one.
/// </summary>
/// <remarks>Source: BITMAPFILEHEADER and BITMAPINFOHEADER as Windows documents them.</remarks>
internal static class BmpStructure
{
    private const int FileHeader = 14, OldHeader = 12, UsualHeader = 40, MostColours = 256;
    private const int Plain = 0, Runs8 = 1, Runs4 = 2, BitFields = 3, AlphaBitFields = 6;

    private sealed record Header(int Bytes, long Offset, long Width, long Height, int Bits, int Compression, long Colours);

    public static PictureStructure Of(byte[] file, PictureLimits limits)
    {
        var header = Read(file);
        var height = Math.Abs(header.Height);
        limits.Require(header.Width, height, limits.OtherMegapixels);
        if (header.Offset < FileHeader + header.Bytes || header.Offset > file.Length)
            throw PictureFaultException.CutOff("its rows are missing");
        var isKnown = (header.Compression, header.Bits) is (Plain, 1 or 4 or 8 or 16 or 24 or 32) or (Runs8, 8) or (Runs4, 4)
            or (BitFields or AlphaBitFields, 16 or 32);
        if (!isKnown)
            throw PictureFaultException.Unsupported($"a BMP of {header.Bits} bits and compression {header.Compression}");
        var stride = (header.Width * header.Bits + 31) / 32 * 4;
        // Packed rows say themselves when they are decoded that they are not all there.
        if (header.Compression is not (Runs8 or Runs4) && header.Offset + stride * height > file.Length)
            throw PictureFaultException.CutOff("rows are missing");
        return new(PictureFormat.Bmp, (int)header.Width, (int)height, header.Bits <= 8 ? WithPalette(file, header) : Whole(file));
    }

    private static Header Read(byte[] file)
    {
        if (file.Length < 26)
            throw PictureFaultException.CutOff("its header breaks off");
        var (offset, bytes) = (Unsigned(file, 10), (int)Unsigned(file, 14));
        if (bytes is not (OldHeader or UsualHeader or 52 or 56 or 64 or 108 or 124))
            throw PictureFaultException.Unsupported($"a BMP with a header of {(uint)bytes:N0} bytes");
        if (file.Length < FileHeader + bytes)
            throw PictureFaultException.CutOff("its header breaks off");
        return bytes == OldHeader
            ? new Header(bytes, offset, Short(file, 18), Short(file, 20), Short(file, 24), Plain, 0)
            : new Header(
                bytes, offset, (int)Unsigned(file, 18), (int)Unsigned(file, 22), Short(file, 28), (int)Unsigned(file, 30),
                Unsigned(file, 46));
    }

    private static PictureParts Whole(byte[] file)
    {
        var parts = new PictureParts();
        parts.Add(file, 0, file.Length);
        return parts;
    }

    /// <summary>The same rows behind a usual header and a palette of 4 bytes a colour, black behind the file's own.</summary>
    private static PictureParts WithPalette(byte[] file, Header header)
    {
        const int Bytes = FileHeader + UsualHeader + 4 * MostColours;
        var head = new byte[Bytes];
        "BM"u8.CopyTo(head);
        Write(10, Bytes);
        Write(14, UsualHeader);
        Write(18, (int)header.Width);
        Write(22, (int)header.Height);
        Write(26, 1 | header.Bits << 16);       // one plane, then the bits
        Write(30, header.Compression);
        Write(46, MostColours);
        var (start, most) = (FileHeader + header.Bytes, 1 << header.Bits);
        var room = (int)Math.Min(header.Offset - start, 4 * MostColours);
        var colourBytes = header.Bytes == OldHeader || (header.Colours == 0 && room < 4 * most) ? 3 : 4;
        var colours = Math.Min(room / colourBytes, header.Colours is > 0 and < MostColours ? (int)header.Colours : most);
        for (var i = 0; i < colours; i++)
            file.AsSpan(start + i * colourBytes, 3).CopyTo(head.AsSpan(FileHeader + UsualHeader + 4 * i));
        var parts = new PictureParts();
        parts.Add(head);
        parts.Add(file, header.Offset, file.Length);
        return parts;

        void Write(int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(at), value);
    }

    private static int Short(byte[] file, int at) => BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(at));

    private static long Unsigned(byte[] file, int at) => BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at));
}
