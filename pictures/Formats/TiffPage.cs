namespace Sdxl.Pictures.Formats;

/// <summary>What a TIFF's first page is made of, once it is known to be of a kind that is read.</summary>
/// <remarks>
/// Read: grey, palette and red green blue (with or without opacity) in whole numbers of up to 16 bits, in strips, plain or packed by LZW,
/// Deflate or PackBits. The other kinds are refused by name: ImageSharp 2.1 cannot read tiles, CMYK and CIELab; its decoders of fax, JPEG
/// and YCbCr are not trusted here (docs/security.md).
/// </remarks>
/// <param name="Planes">Samples where each lies in strips of its own, else 1.</param>
internal sealed record TiffPage(
    int Width, int Height, int Bits, int Samples, int Compression, int Photometric, int Planes, int RowsPerStrip, int Predictor)
{
    public const int Rgb = 2, Palette = 3, Plain = 1, Chunky = 1, Planar = 2;

    private const int Lzw = 5, Deflate = 8, OldDeflate = 32946, PackBits = 32773;
    private const int WhiteIsZero = 0, NoPredictor = 1, Horizontal = 2, Unsigned = 1;

    /// <exception cref="PictureFaultException">A kind that is not read; the message names it.</exception>
    public static TiffPage Read(ReadOnlySpan<byte> file, TiffDirectory directory, int width, int height)
    {
        if (directory.Find(file, TiffTag.TileOffsets) is not null)
            throw PictureFaultException.Unsupported("a tiled TIFF");
        var compression = (int)directory.Number(file, TiffTag.Compression, Plain);
        if (compression is not (Plain or Lzw or Deflate or OldDeflate or PackBits))
            throw PictureFaultException.Unsupported(NameOfCompression(compression));
        var photometric = (int)directory.Number(file, TiffTag.Photometric, -1);
        if (photometric is < WhiteIsZero or > Palette)
            throw PictureFaultException.Unsupported(NameOfColours(photometric));
        var samples = (int)directory.Number(file, TiffTag.SamplesPerPixel, 1);
        if (photometric == Rgb ? samples is not (3 or 4) : samples != 1)
        {
            var colours = photometric switch { Rgb => "red green blue", Palette => "a palette", _ => "grey" };
            throw PictureFaultException.Unsupported($"a TIFF of {samples} channels for {colours}");
        }
        var bits = ReadBits(file, directory, samples, photometric);
        if (directory.Number(file, TiffTag.SampleFormat, Unsigned) != Unsigned)
            throw PictureFaultException.Unsupported("a TIFF of floating-point or signed numbers");
        if (directory.Number(file, TiffTag.FillOrder, 1) != 1)
            throw PictureFaultException.Unsupported("a TIFF of reversed bit order");

        var planes = directory.Number(file, TiffTag.PlanarConfiguration, Chunky) == Planar ? samples : 1;
        // The tag counts for these packings only.
        var isPredicted = compression is Lzw or Deflate or OldDeflate;
        var predictor = isPredicted ? (int)directory.Number(file, TiffTag.Predictor, NoPredictor) : NoPredictor;
        if (predictor != NoPredictor && (predictor != Horizontal || bits < 8 || planes > 1))
            throw PictureFaultException.Unsupported($"a TIFF of predictor {predictor}{(planes > 1 ? " in planes" : $" at {bits} bits")}");
        var rows = (int)Math.Clamp(directory.Number(file, TiffTag.RowsPerStrip, height), 1, height);
        return new TiffPage(width, height, bits, samples, compression, photometric, planes, rows, predictor);
    }

    /// <summary>Bytes of a row in one strip.</summary>
    public long RowBytes => ((long)Width * Bits * (Samples / Planes) + 7) / 8;

    /// <summary>Strips of all planes together.</summary>
    public long Strips => ((long)Height + RowsPerStrip - 1) / RowsPerStrip * Planes;

    private static int ReadBits(ReadOnlySpan<byte> file, TiffDirectory directory, int samples, int photometric)
    {
        var bits = directory.Number(file, TiffTag.BitsPerSample, 1);
        if (directory.Find(file, TiffTag.BitsPerSample) is { } each)
        {
            for (var i = 1; i < Math.Min(each.Count, samples); i++)
            {
                if (each.Value(file, i) != bits)
                    throw PictureFaultException.Unsupported("a TIFF of channels of different sizes");
            }
        }
        var isRead = photometric switch
        {
            Rgb => bits is 8 or 16,
            Palette => bits is 1 or 2 or 4 or 8,
            _ => bits is 1 or 2 or 4 or 8 or 16,
        };
        return isRead ? (int)bits : throw PictureFaultException.Unsupported($"a TIFF of {bits} bits a channel");
    }

    private static string NameOfCompression(int compression) => compression switch
    {
        2 or 3 or 4 => "a fax-compressed TIFF",
        6 or 7 => "a JPEG-compressed TIFF",
        _ => $"a TIFF of compression {compression}",
    };

    private static string NameOfColours(int photometric) => photometric switch
    {
        5 => "a CMYK TIFF",
        6 => "a YCbCr TIFF",
        8 => "a CIELab TIFF",
        _ => $"a TIFF of colour kind {photometric}",
    };
}
