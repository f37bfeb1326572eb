using Sdxl.Pictures;

namespace Sdxl.Vision.Crops;

/// <summary>The largest square of a picture, in its pixels.</summary>
public sealed record SquareCrop(int Left, int Top, int Size)
{
    /// <summary>The square in the middle.</summary>
    public static SquareCrop Centred(int width, int height)
    {
        var size = Math.Min(width, height);
        return new SquareCrop((width - size) / 2, (height - size) / 2, size);
    }

    /// <summary>
    /// The square whose middle is as near as possible to the mask's centre of mass, moved so far that it holds the whole subject (all that
    /// is at least half as bright as the mask's brightest over its darkest) where that fits at all.
    /// </summary>
    public static SquareCrop Around(PixelGrid mask)
    {
        var size = Math.Min(mask.Width, mask.Height);
        if (mask.Width == mask.Height)
            return new SquareCrop(0, 0, size);
        var wide = mask.Width > mask.Height;
        var (sums, isSubject) = Profile(mask, alongColumns: wide);
        var total = sums.Sum();
        if (total == 0)
            return Centred(mask.Width, mask.Height);

        var centre = sums.Select((sum, i) => (i + 0.5) * sum).Sum() / total;
        var start = (int)Math.Round(centre - size / 2.0);
        var (first, last) = (Array.IndexOf(isSubject, true), Array.LastIndexOf(isSubject, true));
        if (first >= 0 && last - first < size)
            start = Math.Clamp(start, last + 1 - size, first);
        start = Math.Clamp(start, 0, sums.Length - size);
        return wide ? new SquareCrop(start, 0, size) : new SquareCrop(0, start, size);
    }

    /// <summary>The mask's sum at each position of the longer axis, and whether any of the subject is there.</summary>
    private static (double[] Sums, bool[] IsSubject) Profile(PixelGrid mask, bool alongColumns)
    {
        var (darkest, brightest) = (mask.Data.Min(), mask.Data.Max());
        var threshold = darkest + (brightest - darkest + 1) / 2;
        var length = alongColumns ? mask.Width : mask.Height;
        var (sums, isSubject) = (new double[length], new bool[length]);
        for (var y = 0; y < mask.Height; y++)
        {
            for (var x = 0; x < mask.Width; x++)
            {
                var value = mask.Data[y * mask.Width + x];
                var at = alongColumns ? x : y;
                sums[at] += value;
                isSubject[at] |= brightest > darkest && value >= threshold;
            }
        }
        return (sums, isSubject);
    }
}
