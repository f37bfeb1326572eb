namespace Sdxl.Diffusion.Watermark;

/// <summary>
/// The invisible mark of SDXL's own code: 48 bits, repeated over the picture, in the blue-yellow channel; read by the published decoder (invisible-watermark, "dwtDct").
/// </summary>
/// <remarks>
/// U of OpenCV's YUV on 8-bit pixels, of the largest top-left part whose sides are multiples of 4; Haar approximation (sum of 2 x 2, halved); in each 4 x 4 block of it the
/// entry of largest magnitude v after the first becomes (floor(v / 36) + 0.25 + 0.5 bit) 36. No cosine transform is taken, whatever the method's name says. A bit is read as
/// the mean over its blocks of (v mod 36 > 18).
/// The published encoder writes that once and hopes. Where colours are strong, the changed entry is often no longer its block's largest, or the pixels clip, and another value
/// is read; so here each block is read back as the decoder will and, where that fails, written one or more levels of 36 away.
/// Source: ShieldMnt/invisible-watermark imwatermark/maxDct.py; Stability-AI/generative-models, whose bits these are.
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
    private const int LevelsTried = 4;    // how far from the nearest level a block may be moved to stay readable

    /// <summary>Marks a picture in place.</summary>
    /// <param name="rgb">Rows from the top, three bytes a pixel.</param>
    public static void Apply(Span<byte> rgb, int width, int height)
    {
        if (width < MinWidth)
            return;
        var index = 0;
        for (var top = 0; top + BlockPixels <= height / 4 * 4; top += BlockPixels)
        {
            for (var left = 0; left + BlockPixels <= width / 4 * 4; left += BlockPixels)
                WriteBlock(rgb, width, left, top, Bits[index++ % Bits.Length] == '1');
        }
    }

    /// <summary>Reads what the published decoder reads: one bit for each of the 48.</summary>
    public static string Read(ReadOnlySpan<byte> rgb, int width, int height)
    {
        var ones = new int[Bits.Length];
        var seen = new int[Bits.Length];
        var index = 0;
        Span<double> entries = stackalloc double[Block * Block];
        for (var top = 0; top + BlockPixels <= height / 4 * 4; top += BlockPixels)
        {
            for (var left = 0; left + BlockPixels <= width / 4 * 4; left += BlockPixels, index++)
            {
                Approximate(rgb, width, left, top, entries);
                seen[index % Bits.Length]++;
                if (ReadBit(entries))
                    ones[index % Bits.Length]++;
            }
        }
        return string.Concat(Enumerable.Range(0, Bits.Length).Select(i => seen[i] > 0 && (int)(255.0 * ones[i] / seen[i]) >= 128 ? '1' : '0'));
    }

    private static void WriteBlock(Span<byte> rgb, int width, int left, int top, bool bit)
    {
        Span<double> entries = stackalloc double[Block * Block];
        ApproximateUnrounded(rgb, width, left, top, entries);
        var at = Largest(entries);
        var nearest = Math.Floor(Math.Abs(entries[at]) / Scale);
        Span<byte> before = stackalloc byte[12], best = stackalloc byte[12];
        Square(rgb, width, left, top, at, before, store: true);
        for (var tried = 0; tried <= 2 * LevelsTried; tried++)
        {
            // 0, +1, -1, +2, -2, …: the entry must stay the largest, so up comes first.
            var level = nearest + (tried % 2 == 1 ? (tried + 1) / 2 : -tried / 2);
            if (level < 0)
                continue;
            var target = Math.Sign(entries[at]) * (level + 0.25 + (bit ? 0.5 : 0)) * Scale;
            Square(rgb, width, left, top, at, before, store: false);
            Shift(rgb, width, left, top, at, (target - entries[at]) / 2); // an approximation entry is half the sum of its four pixels
            if (tried == 0)
                Square(rgb, width, left, top, at, best, store: true);
            if (IsRead(rgb, width, left, top, bit))
                return;
        }
        Square(rgb, width, left, top, at, best, store: false); // unreadable in any way (clipped colours): as the reference would
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

    /// <summary>The approximation of a block as the decoder sees it: from U rounded to bytes.</summary>
    private static void Approximate(ReadOnlySpan<byte> rgb, int width, int left, int top, Span<double> entries)
    {
        for (var i = 0; i < entries.Length; i++)
        {
            var sum = 0;
            for (var pixel = 0; pixel < 4; pixel++)
            {
                var at = PixelAt(width, left, top, i, pixel);
                sum += RoundedU(rgb[at], rgb[at + 1], rgb[at + 2]);
            }
            entries[i] = sum / 2.0;
        }
    }

    private static void ApproximateUnrounded(ReadOnlySpan<byte> rgb, int width, int left, int top, Span<double> entries)
    {
        for (var i = 0; i < entries.Length; i++)
        {
            double sum = 0;
            for (var pixel = 0; pixel < 4; pixel++)
            {
                var at = PixelAt(width, left, top, i, pixel);
                sum += 0.492 * (rgb[at + 2] - (0.299 * rgb[at] + 0.587 * rgb[at + 1] + 0.114 * rgb[at + 2])) + 128;
            }
            entries[i] = sum / 2;
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

    /// <summary>Copies an entry's four pixels out of or back into the picture.</summary>
    private static void Square(Span<byte> rgb, int width, int left, int top, int entry, Span<byte> pixels, bool store)
    {
        for (var pixel = 0; pixel < 4; pixel++)
        {
            var inside = rgb.Slice(PixelAt(width, left, top, entry, pixel), 3);
            var outside = pixels.Slice(pixel * 3, 3);
            if (store) inside.CopyTo(outside);
            else outside.CopyTo(inside);
        }
    }

    private static int PixelAt(int width, int left, int top, int entry, int pixel) =>
        ((top + entry / Block * 2 + pixel / 2) * width + left + entry % Block * 2 + pixel % 2) * 3;

    private static byte ToByte(double level) => (byte)Math.Clamp(Math.Round(level), 0, 255);
}
