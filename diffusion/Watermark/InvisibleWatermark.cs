namespace Sdxl.Diffusion.Watermark;

/// <summary>
/// The invisible mark of SDXL's own code: 48 bits, repeated over the picture, in the blue-yellow channel; read by the published decoder
/// (invisible-watermark, "dwtDct").
/// </summary>
/// <remarks>
/// U of OpenCV's YUV on 8-bit pixels, of the largest top-left part whose sides are multiples of 4; Haar approximation (sum of 2 x 2,
/// halved); in each 4 x 4 block of it the entry of largest magnitude v after the first becomes (floor(v / 36) + 0.25 + 0.5 bit) 36. No
/// cosine transform is taken, whatever the method's name says. A bit is read as the mean over its blocks of (v mod 36 > 18).
/// The published encoder writes that once and hopes. Where colours are strong, the changed entry is often no longer its block's largest, or
/// the pixels clip, and another value is read; so here the picture is read back as the decoder will, and where a bit is not safe, its
/// failing blocks are moved to the cheapest level of 36 that reads rightly. Source: ShieldMnt/invisible-watermark imwatermark/maxDct.py;
/// Stability-AI/generative-models, whose bits these are.
/// </remarks>
public static class InvisibleWatermark
{
    /// <summary>Pictures narrower than this stay unmarked, as in the reference.</summary>
    public const int MinWidth = 256;

    /// <summary>The 48 bits that say "made by SDXL".</summary>
    public const string Bits = "101100111110110010010000011110111011000110011110";

    private const int Block = 4;          // entries along a block of the approximation
    private const int BlockPixels = 8;
    private const double Scale = 36;      // distance between two levels
    private const double SafeShare = 0.75; // of a bit's blocks must be read rightly before the published way is good enough
    private const int BlockBytes = BlockPixels * BlockPixels * 3;
    private const int LevelsTried = 4;    // how far from its level a block may be moved to be readable
    private const double Clearance = 4;   // what rounding may add to an entry that must stay the smaller

    /// <summary>Marks a picture in place.</summary>
    /// <param name="rgb">Rows from the top, three bytes a pixel.</param>
    public static void Apply(Span<byte> rgb, int width, int height)
    {
        if (width < MinWidth)
            return;
        var plain = rgb.ToArray();
        foreach (var (left, top, bit) in Blocks(width, height))
            WriteAsPublished(rgb, width, left, top, Bits[bit] == '1');
        if (IsSafelyRead(rgb, width, height))
            return;
        foreach (var (left, top, bit) in Blocks(width, height))
            MakeReadable(rgb, plain, width, left, top, Bits[bit] == '1');
    }

    /// <summary>Reads what the published decoder reads: one bit for each of the 48.</summary>
    public static string Read(ReadOnlySpan<byte> rgb, int width, int height) =>
        string.Concat(ShareOfOnes(rgb, width, height).Select(share => share * 255 > 127 ? '1' : '0'));

    /// <summary>Every bit is read from most of its blocks, with room for what saving and scaling do to some.</summary>
    private static bool IsSafelyRead(ReadOnlySpan<byte> rgb, int width, int height) =>
        ShareOfOnes(rgb, width, height).Zip(Bits).All(b => (b.Second == '1' ? b.First : 1 - b.First) >= SafeShare);

    /// <summary>For each of the 48 bits, the share of its blocks that read as 1; NaN where a picture has too few blocks.</summary>
    private static double[] ShareOfOnes(ReadOnlySpan<byte> rgb, int width, int height)
    {
        var ones = new int[Bits.Length];
        var seen = new int[Bits.Length];
        foreach (var (left, top, bit) in Blocks(width, height))
        {
            seen[bit]++;
            if (IsRead(rgb, width, left, top, true))
                ones[bit]++;
        }
        return [.. ones.Zip(seen, (o, n) => (double)o / n)];
    }

    /// <summary>The blocks row by row, with the bit each carries.</summary>
    private static IEnumerable<(int Left, int Top, int Bit)> Blocks(int width, int height)
    {
        var index = 0;
        for (var top = 0; top + BlockPixels <= height / 4 * 4; top += BlockPixels)
        {
            for (var left = 0; left + BlockPixels <= width / 4 * 4; left += BlockPixels)
                yield return (left, top, index++ % Bits.Length);
        }
    }

    private static void MakeReadable(Span<byte> rgb, ReadOnlySpan<byte> plain, int width, int left, int top, bool bit)
    {
        if (IsRead(rgb, width, left, top, bit))
            return;
        Span<byte> published = stackalloc byte[BlockBytes];
        CopyBlock(rgb, width, left, top, published);
        Span<double> entries = stackalloc double[Block * Block], changes = stackalloc double[Block * Block];
        ApproximateUnrounded(plain, width, left, top, 128, entries);
        foreach (var target in Targets(entries, bit))
        {
            RestoreRows(rgb, plain, width, left, top);
            Changes(entries, target, changes);
            for (var i = 1; i < entries.Length; i++)
            {
                if (changes[i] != 0)
                    Shift(rgb, width, left, top, i, changes[i] / 2); // an entry is half the sum of its four pixels
            }
            if (IsRead(rgb, width, left, top, bit))
                return;
        }
        PasteBlock(rgb, width, left, top, published); // unreadable in any way tried: the other blocks of this bit outvote it
    }

    /// <summary>
    /// The published encoder's way: there U of grey is 0.5 and not 128: an entry v reads as v + 255, which is 3 more modulo 36.
    /// </summary>
    private static void WriteAsPublished(Span<byte> rgb, int width, int left, int top, bool bit)
    {
        Span<double> entries = stackalloc double[Block * Block];
        ApproximateUnrounded(rgb, width, left, top, 0.5f, entries);
        var at = Largest(entries);
        var target = (entries[at] < 0 ? -1 : 1) * (Math.Floor(Math.Abs(entries[at]) / Scale) + 0.25 + (bit ? 0.5 : 0)) * Scale;
        Shift(rgb, width, left, top, at, (target - entries[at]) / 2);
    }

    /// <summary>Values that read as the bit, the cheapest to reach first.</summary>
    private static List<double> Targets(ReadOnlySpan<double> entries, bool bit)
    {
        var level = Math.Floor(entries[Largest(entries)] / Scale);
        var targets = new List<(double Target, double Cost)>();
        Span<double> changes = stackalloc double[Block * Block];
        for (var k = Math.Max(0, level - LevelsTried); k <= level + LevelsTried; k++)
        {
            var target = (k + 0.25 + (bit ? 0.5 : 0)) * Scale;
            Changes(entries, target, changes);
            double cost = 0;
            foreach (var change in changes)
                cost += Math.Abs(change);
            targets.Add((target, cost));
        }
        return [.. targets.OrderBy(t => t.Cost).Select(t => t.Target)];
    }

    /// <summary>
    /// What makes <paramref name="target"/> the largest entry after the first: the largest becomes it, others above come down below it.
    /// </summary>
    private static void Changes(ReadOnlySpan<double> entries, double target, Span<double> changes)
    {
        var at = Largest(entries);
        changes.Clear();
        for (var i = 1; i < entries.Length; i++)
            changes[i] = i == at ? target - entries[i] : Math.Min(0, target - Clearance - entries[i]);
    }

    private static bool IsRead(ReadOnlySpan<byte> rgb, int width, int left, int top, bool bit)
    {
        Span<double> entries = stackalloc double[Block * Block];
        Approximate(rgb, width, left, top, entries);
        return ReadBit(entries) == bit;
    }

    private static bool ReadBit(ReadOnlySpan<double> entries) => Math.Abs(entries[Largest(entries)]) % Scale > Scale / 2;

    /// <summary>Position of the largest magnitude after the first entry; the first of equals.</summary>
    private static int Largest(ReadOnlySpan<double> entries)
    {
        var at = 1;
        for (var i = 2; i < entries.Length; i++)
        {
            if (Math.Abs(entries[i]) > Math.Abs(entries[at]))
                at = i;
        }
        return at;
    }

    /// <summary>The approximation of a block as the decoder sees it: from U rounded to bytes, in double.</summary>
    private static void Approximate(ReadOnlySpan<byte> rgb, int width, int left, int top, Span<double> entries)
    {
        const double half = 0.7071067811865476; // its square is a little more than 1/2: an entry of exactly 18 modulo 36 reads as 1
        Span<double> u = stackalloc double[4];
        for (var i = 0; i < entries.Length; i++)
        {
            for (var pixel = 0; pixel < 4; pixel++)
            {
                var at = PixelAt(width, left, top, i, pixel);
                u[pixel] = RoundedU(rgb[at], rgb[at + 1], rgb[at + 2]);
            }
            entries[i] = half * (half * u[3] + half * u[1]) + half * (half * u[2] + half * u[0]);
        }
    }

    /// <summary>
    /// The approximation as the encoder sees it: from unrounded U, in fp32 as there, so that equals among its entries are settled alike.
    /// </summary>
    /// <param name="grey">U of grey pixels.</param>
    private static void ApproximateUnrounded(ReadOnlySpan<byte> rgb, int width, int left, int top, float grey, Span<double> entries)
    {
        const float half = 0.70710677f;
        Span<float> u = stackalloc float[4];
        for (var i = 0; i < entries.Length; i++)
        {
            for (var pixel = 0; pixel < 4; pixel++)
            {
                var at = PixelAt(width, left, top, i, pixel);
                var y = MathF.FusedMultiplyAdd(rgb[at + 2], 0.114f, MathF.FusedMultiplyAdd(rgb[at + 1], 0.587f, rgb[at] * 0.299f));
                u[pixel] = (rgb[at + 2] - y) * 0.492f + grey;
            }
            entries[i] = half * (half * u[3] + half * u[1]) + half * (half * u[2] + half * u[0]);
        }
    }

    /// <summary>OpenCV's 8-bit U in 14-bit fixed point.</summary>
    private static int RoundedU(int r, int g, int b)
    {
        var y = (4899 * r + 9617 * g + 1868 * b + 8192) >> 14;
        return Math.Clamp((8061 * (b - y) + (128 << 14) + 8192) >> 14, 0, 255);
    }

    /// <summary>Adds to U of an entry's four pixels: B + 2.032 dU, G - 0.395 dU.</summary>
    private static void Shift(Span<byte> rgb, int width, int left, int top, int entry, double change)
    {
        for (var pixel = 0; pixel < 4; pixel++)
        {
            var at = PixelAt(width, left, top, entry, pixel);
            rgb[at + 1] = ToByte(rgb[at + 1] - 0.395 * change);
            rgb[at + 2] = ToByte(rgb[at + 2] + 2.032 * change);
        }
    }

    private static void CopyBlock(ReadOnlySpan<byte> rgb, int width, int left, int top, Span<byte> block)
    {
        for (var y = 0; y < BlockPixels; y++)
            rgb.Slice(((top + y) * width + left) * 3, BlockPixels * 3).CopyTo(block[(y * BlockPixels * 3)..]);
    }

    private static void PasteBlock(Span<byte> rgb, int width, int left, int top, ReadOnlySpan<byte> block)
    {
        for (var y = 0; y < BlockPixels; y++)
            block.Slice(y * BlockPixels * 3, BlockPixels * 3).CopyTo(rgb[(((top + y) * width + left) * 3)..]);
    }

    private static void RestoreRows(Span<byte> rgb, ReadOnlySpan<byte> plain, int width, int left, int top)
    {
        for (var y = 0; y < BlockPixels; y++)
        {
            var at = ((top + y) * width + left) * 3;
            plain.Slice(at, BlockPixels * 3).CopyTo(rgb[at..]);
        }
    }

    private static int PixelAt(int width, int left, int top, int entry, int pixel) =>
        ((top + entry / Block * 2 + pixel / 2) * width + left + entry % Block * 2 + pixel % 2) * 3;

    private static byte ToByte(double level) => (byte)Math.Clamp(Math.Round(level), 0, 255);
}
