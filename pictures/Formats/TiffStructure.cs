using Sdxl.Pictures.Colours;

namespace Sdxl.Pictures.Formats;

/// <summary>
/// Checks a TIFF's first page and gives it a directory of its own; the file's directories are not shown to ImageSharp, which would read all
/// of them, with every page, profile and sub-directory.
/// </summary>
internal static class TiffStructure
{
    private const int MostPages = 10_000, MostStrips = 100_000;

    public static PictureStructure Of(byte[] file, PictureLimits limits)
    {
        var little = file[0] == 'I';
        var directory = file.Length >= 8 ? new TiffDirectory(little, TiffDirectory.Long(file, 4, little)) : default;
        if (directory.Count(file) == 0)
            throw PictureFaultException.CutOff("its directory is missing");
        var (width, height) = (directory.Number(file, TiffTag.Width, 0), directory.Number(file, TiffTag.Height, 0));
        limits.Require(width, height, limits.OtherMegapixels);
        if (directory.End(file) > file.Length)
            throw PictureFaultException.CutOff("its first page breaks off");
        var page = TiffPage.Read(file, directory, (int)width, (int)height);
        var parts = TiffRewriter.Rewrite(file, directory, page, Strips(file, directory, page));
        var orientation = directory.Number(file, TiffTag.Orientation, 1) is >= 1 and <= 8 and var known ? (int)known : 1;
        return new(PictureFormat.Tiff, page.Width, page.Height, parts, Pages(file, directory), orientation)
        {
            Colours = ColourProfile.Read(directory.Bytes(file, TiffTag.Profile)),
        };
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

    /// <summary>Where the strips' offsets and byte counts stand; each strip lies in the file, which is compared in place.</summary>
    private static (TiffDirectory.Entry Offsets, TiffDirectory.Entry Counts) Strips(
        ReadOnlySpan<byte> file, TiffDirectory directory, TiffPage page)
    {
        const string BreaksOff = "its first page breaks off";
        if (page.Strips > MostStrips)
            throw PictureFaultException.Unsupported($"a TIFF of {page.Strips:N0} strips, more than {MostStrips:N0}");
        if (directory.Find(file, TiffTag.StripOffsets) is not { } offsets || directory.Find(file, TiffTag.StripByteCounts) is not { } counts
            || offsets.Count < page.Strips || counts.Count < page.Strips)
            throw PictureFaultException.CutOff(BreaksOff);
        for (var i = 0L; i < page.Strips; i++)
        {
            var (offset, count) = (offsets.Value(file, i), counts.Value(file, i));
            var rows = Math.Min(page.RowsPerStrip, page.Height - i % (page.Strips / page.Planes) * page.RowsPerStrip);
            if (offset + count > file.Length || count < (page.Compression == TiffPage.Plain ? page.RowBytes * rows : 1))
                throw PictureFaultException.CutOff(BreaksOff);
        }
        return (offsets, counts);
    }
}
