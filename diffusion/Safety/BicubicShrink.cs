namespace Sdxl.Diffusion.Safety;

/// <summary>Bicubic scaling of RGB bytes exactly as Pillow does it: what CLIP's preprocessing was defined with, so that scores do not depend on the library.</summary>
/// <remarks>Source: Pillow src/libImaging/Resample.c: a = -0.5, support widened when shrinking, 22-bit fixed point, columns first, rounded to bytes between the passes.</remarks>
internal static class BicubicShrink
{
    private const int FractionBits = 22;

    /// <param name="rgb">Rows from the top, three bytes a pixel.</param>
    public static byte[] Resize(ReadOnlySpan<byte> rgb, int width, int height, int toWidth, int toHeight)
    {
        var across = Kernels(width, toWidth);
        var narrow = new byte[toWidth * height * 3];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < toWidth; x++)
            {
                for (var c = 0; c < 3; c++)
                    narrow[(y * toWidth + x) * 3 + c] = Weighted(rgb, across[x], (y * width + across[x].Start) * 3 + c, 3);
            }
        }
        var down = Kernels(height, toHeight);
        var result = new byte[toWidth * toHeight * 3];
        for (var y = 0; y < toHeight; y++)
        {
            for (var i = 0; i < toWidth * 3; i++)
                result[y * toWidth * 3 + i] = Weighted(narrow, down[y], down[y].Start * toWidth * 3 + i, toWidth * 3);
        }
        return result;
    }

    private static byte Weighted(ReadOnlySpan<byte> source, (int Start, int[] Weights) kernel, int first, int stride)
    {
        var sum = 1 << (FractionBits - 1);
        for (var i = 0; i < kernel.Weights.Length; i++)
            sum += source[first + i * stride] * kernel.Weights[i];
        return (byte)Math.Clamp(sum >> FractionBits, 0, 255);
    }

    private static (int Start, int[] Weights)[] Kernels(int from, int to)
    {
        var scale = (double)from / to;
        var stretch = Math.Max(scale, 1);
        var support = 2 * stretch;
        var kernels = new (int, int[])[to];
        for (var i = 0; i < to; i++)
        {
            var center = (i + 0.5) * scale;
            var start = Math.Max(0, (int)(center - support + 0.5));
            var end = Math.Min(from, (int)(center + support + 0.5));
            double[] weights = [.. Enumerable.Range(start, end - start).Select(x => Cubic((x - center + 0.5) / stretch))];
            var sum = weights.Sum();
            kernels[i] = (start, [.. weights.Select(w => w / sum * (1 << FractionBits)).Select(w => (int)(w < 0 ? w - 0.5 : w + 0.5))]);
        }
        return kernels;
    }

    private static double Cubic(double x)
    {
        const double a = -0.5;
        x = Math.Abs(x);
        return x < 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
    }
}
