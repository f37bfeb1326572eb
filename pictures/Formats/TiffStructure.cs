using System.Buffers.Binary;

namespace Sdxl.Pictures.Formats;

/// <summary>
/// Checks a TIFF's first page and writes it a directory of its own with the dozen tags that decoding needs; the file's directories are not
/// shown to ImageSharp, which would read all of them, with every page, profile and sub-directory.
/// </summary>
/// <remarks>
/// Read: grey, palette and red green blue (with or without opacity) in whole numbers of up to 16 bits, in strips, plain or packed by LZW, Deflate or PackBits.
/// The other kinds are refused by name: ImageSharp 2.1 cannot read tiles, CMYK and CIELab; for fax, JPEG and YCbCr its decoders are not trusted here (docs/security.md).
/// </remarks>
internal static class TiffStructure
{
    private const int MostPages = 10_000, MostStrips = 100_000, Plain = 1, Lzw = 5, Deflate = 8, OldDeflate = 32946, PackBits = 32773;
    private const int WhiteIsZero = 0, BlackIsZero = 1, Rgb = 2, Palette = 3, Chunky = 1, Planar = 2, NoPredictor = 1, Horizontal = 2, Unsigned = 1;
    private const int PremultipliedAlpha = 1, PlainAlpha = 2;

    private sealed record Page(int Width, int Height, int Bits, int Samples, int Compression, int Photometric, int Planes, int RowsPerStrip, int Predictor);

    public static PictureStructure Of(byte[] file, PictureLimits limits)
    {
        var little = file[0] == 'I';
        var directory = file.Length >= 8 ? new TiffDirectory(little, TiffDirectory.Long(file, 4, little)) : default;
        if (directory.Count(file) == 0)
            throw PictureFaultException.CutOff("its directory is missing");
        var (width, height) = (Number(file, directory, TiffTag.Width, 0), Number(file, directory, TiffTag.Height, 0));
        limits.Require(width, height, limits.OtherMegapixels);
        if (directory.End(file) > file.Length)
            throw PictureFaultException.CutOff("its first page breaks off");
        var page = Check(file, directory, (int)width, (int)height);
        var (offsets, counts, strips) = Strips(file, directory, page);
        var orientation = Number(file, directory, TiffTag.Orientation, 1);
        return new(PictureFormat.Tiff, page.Width, page.Height, Rewritten(file, little, page, offsets, counts, strips, directory), Pages(file, directory),
            orientation is >= 1 and <= 8 ? (int)orientation : 1);
    }

    /// <summary>How many; a chain that leads back to where it was is refused: it would go on for ever.</summary>
    private static int Pages(ReadOnlySpan<byte> file, TiffDirectory directory)
    {
        var seen = new HashSet<long>();
        for (; directory.Count(file) > 0 && seen.Count < MostPages; directory = directory with { At = directory.Next(file) })
        {
            if (!seen.Add(directory.At))
                throw PictureFaultException.Broken("its pages have circular directory offsets");
        }
        return seen.Count;
    }

    private static Page Check(ReadOnlySpan<byte> file, TiffDirectory directory, int width, int height)
    {
        if (directory.Find(file, TiffTag.TileOffsets) is not null)
            throw PictureFaultException.Unsupported("a tiled TIFF");
        var compression = (int)Number(file, directory, TiffTag.Compression, Plain);
        if (compression is not (Plain or Lzw or Deflate or OldDeflate or PackBits))
            throw PictureFaultException.Unsupported(compression switch { >= 2 and <= 4 => "a fax-compressed TIFF", 6 or 7 => "a JPEG-compressed TIFF", _ => $"a TIFF of compression {compression}" });
        var (photometric, samples) = ((int)Number(file, directory, TiffTag.Photometric, -1), (int)Number(file, directory, TiffTag.SamplesPerPixel, 1));
        if (photometric is < WhiteIsZero or > Palette)
            throw PictureFaultException.Unsupported(photometric switch { 5 => "a CMYK TIFF", 6 => "a YCbCr TIFF", 8 => "a CIELab TIFF", _ => $"a TIFF of colour kind {photometric}" });
        if (photometric == Rgb ? samples is not (3 or 4) : samples != 1)
            throw PictureFaultException.Unsupported($"a TIFF of {samples} channels for {(photometric == Rgb ? "red green blue" : photometric == Palette ? "a palette" : "grey")}");
        var bits = Bits(file, directory, samples, photometric);
        if (Number(file, directory, TiffTag.SampleFormat, Unsigned) != Unsigned)
            throw PictureFaultException.Unsupported("a TIFF of floating-point or signed numbers");
        if (Number(file, directory, TiffTag.FillOrder, 1) != 1)
            throw PictureFaultException.Unsupported("a TIFF of reversed bit order");
        var (planes, predictor) = ((int)Number(file, directory, TiffTag.PlanarConfiguration, Chunky) == Planar ? samples : 1, (int)Number(file, directory, TiffTag.Predictor, NoPredictor));
        if (compression is not (Lzw or Deflate or OldDeflate))
            predictor = NoPredictor;                // the tag counts for these only
        if (predictor != NoPredictor && (predictor != Horizontal || bits < 8 || planes > 1))
            throw PictureFaultException.Unsupported($"a TIFF of predictor {predictor}{(planes > 1 ? " in planes" : $" at {bits} bits")}");
        var rows = Math.Clamp(Number(file, directory, TiffTag.RowsPerStrip, height), 1, height);
        return new Page(width, height, bits, samples, compression, photometric, planes, (int)rows, predictor);
    }

    private static int Bits(ReadOnlySpan<byte> file, TiffDirectory directory, int samples, int photometric)
    {
        var entry = directory.Find(file, TiffTag.BitsPerSample);
        var bits = entry is { } first && first.Count > 0 ? first.Value(file, 0) : 1;
        for (var i = 1; entry is { } all && i < Math.Min(all.Count, samples); i++)
        {
            if (all.Value(file, i) != bits)
                throw PictureFaultException.Unsupported("a TIFF of channels of different sizes");
        }
        var isRead = photometric switch { Rgb => bits is 8 or 16, Palette => bits is 1 or 2 or 4 or 8, _ => bits is 1 or 2 or 4 or 8 or 16 };
        return isRead ? (int)bits : throw PictureFaultException.Unsupported($"a TIFF of {bits} bits a channel");
    }

    /// <summary>Offsets and byte counts of the strips, each of which lies in the file, compared in place.</summary>
    private static (TiffDirectory.Entry Offsets, TiffDirectory.Entry Counts, int Strips) Strips(ReadOnlySpan<byte> file, TiffDirectory directory, Page page)
    {
        const string BreaksOff = "its first page breaks off";
        var strips = ((long)page.Height + page.RowsPerStrip - 1) / page.RowsPerStrip * page.Planes;
        if (strips > MostStrips)
            throw PictureFaultException.Unsupported($"a TIFF of {strips:N0} strips, more than {MostStrips:N0}");
        if (directory.Find(file, TiffTag.StripOffsets) is not { } offsets || directory.Find(file, TiffTag.StripByteCounts) is not { } counts
            || offsets.Count < strips || counts.Count < strips)
            throw PictureFaultException.CutOff(BreaksOff);
        var rowBytes = ((long)page.Width * page.Bits * (page.Samples / page.Planes) + 7) / 8;
        for (var i = 0; i < strips; i++)
        {
            var (offset, count) = (offsets.Value(file, i), counts.Value(file, i));
            var index = i % (strips / page.Planes);
            var rows = Math.Min(page.RowsPerStrip, page.Height - index * page.RowsPerStrip);
            if (offset + count > file.Length || count < (page.Compression == Plain ? rowBytes * rows : 1))
                throw PictureFaultException.CutOff(BreaksOff);
        }
        return (offsets, counts, (int)strips);
    }

    /// <summary>The file as it is with another first directory at its end; the strips and the palette stay where they are.</summary>
    private static PictureParts Rewritten(byte[] file, bool little, Page page, TiffDirectory.Entry offsets, TiffDirectory.Entry counts, int strips, TiffDirectory directory)
    {
        var map = page.Photometric == Palette ? directory.Find(file, TiffTag.ColorMap) : null;
        if (page.Photometric == Palette && (map is not { Type: TiffDirectory.TypeShort } || map.Value.Count < 3L << page.Bits))
            throw PictureFaultException.Broken("its palette is missing");
        List<(int Tag, int Type, int Count, long Value)> entries =
        [
            (TiffTag.Width, TiffDirectory.TypeLong, 1, page.Width),
            (TiffTag.Height, TiffDirectory.TypeLong, 1, page.Height),
            (TiffTag.BitsPerSample, TiffDirectory.TypeShort, page.Samples, page.Bits),
            (TiffTag.Compression, TiffDirectory.TypeShort, 1, page.Compression),
            (TiffTag.Photometric, TiffDirectory.TypeShort, 1, page.Photometric),
            (TiffTag.StripOffsets, offsets.Type, strips, strips * offsets.Size <= 4 ? -1 : offsets.At),
            (TiffTag.SamplesPerPixel, TiffDirectory.TypeShort, 1, page.Samples),
            (TiffTag.RowsPerStrip, TiffDirectory.TypeLong, 1, page.RowsPerStrip),
            (TiffTag.StripByteCounts, counts.Type, strips, strips * counts.Size <= 4 ? -1 : counts.At),
            (TiffTag.PlanarConfiguration, TiffDirectory.TypeShort, 1, page.Planes > 1 ? Planar : Chunky),
            (TiffTag.Predictor, TiffDirectory.TypeShort, 1, page.Predictor),
        ];
        if (map is { } colours)
            entries.Add((TiffTag.ColorMap, TiffDirectory.TypeShort, 3 << page.Bits, colours.At));
        if (page.Samples == 4)      // opacity that is not said to be plain is premultiplied, as libtiff takes it
            entries.Add((TiffTag.ExtraSamples, TiffDirectory.TypeShort, 1, Number(file, directory, TiffTag.ExtraSamples, PlainAlpha) == PlainAlpha ? PlainAlpha : PremultipliedAlpha));

        using var stream = new MemoryStream();
        var at = file.Length + file.Length % 2;         // directories begin at even positions
        stream.Write(new byte[file.Length % 2]);
        Write(2, entries.Count);
        foreach (var (tag, type, count, value) in entries)
        {
            Write(2, tag);
            Write(2, type);
            Write(4, count);
            if (tag == TiffTag.BitsPerSample && count > 2)
                Write(4, at + 2 + entries.Count * 12 + 4);
            else if (tag == TiffTag.BitsPerSample || value < 0)
                WriteInline(type, count, i => tag == TiffTag.BitsPerSample ? page.Bits : (tag == TiffTag.StripOffsets ? offsets : counts).Value(file, i));
            else if (count == 1)
                WriteInline(type, 1, _ => value);
            else
                Write(4, value);
        }
        Write(4, 0);
        for (var i = 0; i < page.Samples; i++)
            Write(2, page.Bits);

        var parts = new PictureParts();
        parts.Add(file, 0, 4);
        var header = new byte[4];
        if (little)
            BinaryPrimitives.WriteInt32LittleEndian(header, at);
        else
            BinaryPrimitives.WriteInt32BigEndian(header, at);
        parts.Add(header);
        parts.Add(file, 8, file.Length);
        parts.Add(stream.ToArray());
        return parts;

        void WriteInline(int type, int count, Func<int, long> value)
        {
            var size = type == TiffDirectory.TypeShort ? 2 : 4;
            for (var i = 0; i < count; i++)
                Write(size, value(i));
            stream.Write(new byte[4 - size * count]);
        }

        void Write(int size, long value)
        {
            Span<byte> bytes = stackalloc byte[4];
            if (little)
                BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)value);
            else
                BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)value);
            stream.Write(little ? bytes[..size] : bytes[(4 - size)..]);
        }
    }

    private static long Number(ReadOnlySpan<byte> file, TiffDirectory directory, int tag, long otherwise) =>
        directory.Find(file, tag) is { Count: > 0 } entry ? entry.Value(file, 0) : otherwise;
}
