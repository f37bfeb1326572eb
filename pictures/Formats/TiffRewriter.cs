using System.Buffers.Binary;

namespace Sdxl.Pictures.Formats;

/// <summary>
/// A TIFF with another first directory, at its end, of the dozen tags that decoding needs; the strips and the palette stay where they are.
/// </summary>
internal sealed class TiffRewriter
{
    private const int EntryBytes = 12, PremultipliedAlpha = 1, PlainAlpha = 2;

    private readonly MemoryStream _stream = new();
    private readonly bool _little;

    private TiffRewriter(bool little) => _little = little;

    public static PictureParts Rewrite(
        byte[] file, TiffDirectory directory, TiffPage page, (TiffDirectory.Entry Offsets, TiffDirectory.Entry Counts) strips)
    {
        var at = file.Length + file.Length % 2;         // directories begin at even positions
        var written = new TiffRewriter(directory.Little);
        written._stream.Write(new byte[file.Length % 2]);
        written.WriteDirectory(file, at, Entries(file, directory, page, strips), page);
        var link = new TiffRewriter(directory.Little);
        link.Number(4, at);

        var parts = new PictureParts();
        parts.Add(file, 0, 4);
        parts.Add(link._stream.ToArray());
        parts.Add(file, 8, file.Length);
        parts.Add(written._stream.ToArray());
        return parts;
    }

    /// <summary>In the order of their tags. Values: numbers, or an entry of the file.</summary>
    private static List<(int Tag, TiffDirectory.Entry Values, long Number)> Entries(
        byte[] file, TiffDirectory directory, TiffPage page, (TiffDirectory.Entry Offsets, TiffDirectory.Entry Counts) strips)
    {
        List<(int, TiffDirectory.Entry, long)> entries =
        [
            (TiffTag.Width, Own(TiffDirectory.TypeLong), page.Width),
            (TiffTag.Height, Own(TiffDirectory.TypeLong), page.Height),
            (TiffTag.BitsPerSample, Own(TiffDirectory.TypeShort, page.Samples), page.Bits),
            (TiffTag.Compression, Own(TiffDirectory.TypeShort), page.Compression),
            (TiffTag.Photometric, Own(TiffDirectory.TypeShort), page.Photometric),
            (TiffTag.StripOffsets, strips.Offsets with { Count = page.Strips }, 0),
            (TiffTag.SamplesPerPixel, Own(TiffDirectory.TypeShort), page.Samples),
            (TiffTag.RowsPerStrip, Own(TiffDirectory.TypeLong), page.RowsPerStrip),
            (TiffTag.StripByteCounts, strips.Counts with { Count = page.Strips }, 0),
            (TiffTag.PlanarConfiguration, Own(TiffDirectory.TypeShort), page.Planes > 1 ? TiffPage.Planar : TiffPage.Chunky),
            (TiffTag.Predictor, Own(TiffDirectory.TypeShort), page.Predictor),
        ];
        if (page.Photometric == TiffPage.Palette)
            entries.Add((TiffTag.ColorMap, ColourMap(file, directory, page), 0));
        if (page.Samples == 4)
        {
            // Opacity that is not said to be plain is premultiplied, as libtiff takes it.
            var isPlain = directory.Number(file, TiffTag.ExtraSamples, PlainAlpha) == PlainAlpha;
            entries.Add((TiffTag.ExtraSamples, Own(TiffDirectory.TypeShort), isPlain ? PlainAlpha : PremultipliedAlpha));
        }
        return entries;

        TiffDirectory.Entry Own(int type, int count = 1) => new(directory.Little, type, count, At: 0);
    }

    private static TiffDirectory.Entry ColourMap(byte[] file, TiffDirectory directory, TiffPage page)
    {
        var colours = 3L << page.Bits;
        return directory.Find(file, TiffTag.ColorMap) is { Type: TiffDirectory.TypeShort } map && map.Count >= colours
            ? map with { Count = colours } : throw PictureFaultException.Broken("its palette is missing");
    }

    /// <param name="at">Where the directory will stand.</param>
    private void WriteDirectory(byte[] file, int at, List<(int Tag, TiffDirectory.Entry Values, long Number)> entries, TiffPage page)
    {
        Number(2, entries.Count);
        foreach (var (tag, values, number) in entries)
        {
            Number(2, tag);
            Number(2, values.Type);
            Number(4, values.Count);
            if (values.Count * values.Size > 4)
            {
                Number(4, values.At > 0 ? values.At : at + 2 + entries.Count * EntryBytes + 4);     // the bits of each channel follow
                continue;
            }
            for (var i = 0; i < values.Count; i++)
                Number(values.Size, values.At > 0 ? values.Value(file, i) : number);
            _stream.Write(new byte[4 - values.Count * values.Size]);
        }
        Number(4, 0);       // no next page
        for (var i = 0; i < page.Samples; i++)
            Number(2, page.Bits);
    }

    private void Number(int size, long value)
    {
        Span<byte> bytes = stackalloc byte[4];
        if (_little)
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)value);
        else
            BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)value);
        _stream.Write(_little ? bytes[..size] : bytes[(4 - size)..]);
    }
}
