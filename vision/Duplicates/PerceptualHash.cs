using System.Numerics;
using Sdxl.Pictures;

namespace Sdxl.Vision.Duplicates;

/// <summary>64 bits that change little when a picture is scaled, recompressed or slightly edited.</summary>
/// <remarks>The signs of the 64 lowest frequencies (8 x 8, without the mean brightness) of a 32 x 32 grey picture's cosine transform
/// against their median. Source: phash.org, "pHash".</remarks>
public static class PerceptualHash
{
    /// <summary>Differing bits up to which two pictures count as near-duplicates.</summary>
    public const int NearDuplicateBits = 6;

    private const int Side = 32, Kept = 8;

    private static readonly double[,] s_cosines = Cosines();

    public static ulong Of(PixelGrid picture)
    {
        var grey = PictureResizer.Resize(picture.Luma(), Side, Side, ResizeFilter.Bicubic).Data;
        var rows = new double[Kept, Side];                                  // [frequency across, y]
        for (var u = 0; u < Kept; u++)
        {
            for (var y = 0; y < Side; y++)
            {
                for (var x = 0; x < Side; x++)
                    rows[u, y] += s_cosines[u, x] * grey[y * Side + x];
            }
        }
        var frequencies = new double[Kept * Kept];
        for (var v = 0; v < Kept; v++)
        {
            for (var u = 0; u < Kept; u++)
            {
                for (var y = 0; y < Side; y++)
                    frequencies[v * Kept + u] += s_cosines[v, y] * rows[u, y];
            }
        }
        var ordered = frequencies[1..].Order().ToArray();                   // without the first, the brightness
        var median = ordered[ordered.Length / 2];
        var hash = 0UL;
        for (var bit = 1; bit < frequencies.Length; bit++)
            hash |= frequencies[bit] > median ? 1UL << bit : 0;
        return hash;
    }

    /// <summary>Differing bits, 0..63.</summary>
    public static int Distance(ulong a, ulong b) => BitOperations.PopCount(a ^ b);

    /// <summary>Pairs of positions (first &lt; second) that are near-duplicates.</summary>
    public static IReadOnlyList<(int First, int Second, int Bits)> NearDuplicates(IReadOnlyList<ulong> hashes)
    {
        var pairs = new List<(int, int, int)>();
        for (var i = 0; i < hashes.Count; i++)
        {
            for (var j = i + 1; j < hashes.Count; j++)
            {
                if (Distance(hashes[i], hashes[j]) is var bits && bits <= NearDuplicateBits)
                    pairs.Add((i, j, bits));
            }
        }
        return pairs;
    }

    /// <summary>
    /// Positions of pictures that are near-duplicates of one another, directly or through a third; in order, each at least two.
    /// </summary>
    public static IReadOnlyList<IReadOnlyList<int>> Groups(IReadOnlyList<ulong> hashes)
    {
        var first = Enumerable.Range(0, hashes.Count).ToArray();            // of each one's group
        foreach (var (a, b, _) in NearDuplicates(hashes))
        {
            var (kept, merged) = (Math.Min(first[a], first[b]), Math.Max(first[a], first[b]));
            for (var i = 0; i < first.Length; i++)
                first[i] = first[i] == merged ? kept : first[i];
        }
        return
        [
            .. Enumerable
                .Range(0, hashes.Count)
                .GroupBy(i => first[i])
                .Where(group => group.Skip(1).Any())
                .Select(group => group.ToArray()),
        ];
    }

    private static double[,] Cosines()
    {
        var cosines = new double[Kept, Side];
        for (var frequency = 0; frequency < Kept; frequency++)
        {
            for (var at = 0; at < Side; at++)
                cosines[frequency, at] = Math.Cos(Math.PI * (2 * at + 1) * frequency / (2 * Side));
        }
        return cosines;
    }
}
