namespace Sdxl.Vision.Pictures;

/// <summary>Resizes exactly as Pillow does, byte for byte: the models' reference preprocessors use Pillow.</summary>
/// <remarks>
/// Separable, first along rows, then along columns, 8-bit between the two; weights in fixed point with 22 bits. When shrinking, the filter is stretched, so nothing aliases.
/// Source: python-pillow src/libImaging/Resample.c.
/// </remarks>
public static class PictureResizer
{
    private const int PrecisionBits = 32 - 8 - 2;

    /// <summary>The picture at width x height; the same object where nothing changes.</summary>
    public static PixelGrid Resize(PixelGrid source, int width, int height, ResizeFilter filter)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        var across = width == source.Width ? source : AlongRows(source, new Weights(source.Width, width, filter));
        return height == source.Height ? across : AlongColumns(across, new Weights(source.Height, height, filter));
    }

    /// <summary>The size that fits into a box of side x side with the shape kept; never larger than the source.</summary>
    public static (int Width, int Height) FitWithin(int width, int height, int side)
    {
        var longest = Math.Max(width, height);
        return longest <= side ? (width, height) : (Scaled(width, side, longest), Scaled(height, side, longest));

        static int Scaled(int length, int side, int longest) => Math.Max(1, (int)Math.Round((double)length * side / longest));
    }

    private static PixelGrid AlongRows(PixelGrid source, Weights weights)
    {
        var channels = source.Channels;
        var result = new PixelGrid(weights.Count, source.Height, channels);
        for (var y = 0; y < source.Height; y++)
        {
            var from = source.Data.AsSpan(y * source.Width * channels, source.Width * channels);
            var to = result.Data.AsSpan(y * weights.Count * channels, weights.Count * channels);
            for (var x = 0; x < weights.Count; x++)
            {
                var first = weights.First(x);
                var factors = weights.Factors(x);
                if (channels == 3)
                {
                    int red = 1 << (PrecisionBits - 1), green = red, blue = red;
                    var at = from.Slice(first * 3, factors.Length * 3);
                    for (var k = 0; k < factors.Length; k++)
                    {
                        red += at[3 * k] * factors[k];
                        green += at[3 * k + 1] * factors[k];
                        blue += at[3 * k + 2] * factors[k];
                    }
                    (to[3 * x], to[3 * x + 1], to[3 * x + 2]) = (Clip(red), Clip(green), Clip(blue));
                    continue;
                }
                for (var c = 0; c < channels; c++)
                {
                    var sum = 1 << (PrecisionBits - 1);
                    for (var k = 0; k < factors.Length; k++)
                        sum += from[(first + k) * channels + c] * factors[k];
                    to[x * channels + c] = Clip(sum);
                }
            }
        }
        return result;
    }

    private static PixelGrid AlongColumns(PixelGrid source, Weights weights)
    {
        var stride = source.Width * source.Channels;
        var result = new PixelGrid(source.Width, weights.Count, source.Channels);
        var sums = new int[stride];
        for (var y = 0; y < weights.Count; y++)
        {
            var first = weights.First(y);
            var factors = weights.Factors(y);
            Array.Fill(sums, 1 << (PrecisionBits - 1));
            for (var k = 0; k < factors.Length; k++)        // row by row: the inner loop runs along memory
            {
                var row = source.Data.AsSpan((first + k) * stride, stride);
                var factor = factors[k];
                for (var i = 0; i < row.Length; i++)
                    sums[i] += row[i] * factor;
            }
            var to = result.Data.AsSpan(y * stride, stride);
            for (var i = 0; i < to.Length; i++)
                to[i] = Clip(sums[i]);
        }
        return result;
    }

    private static byte Clip(int sum) => (byte)Math.Clamp(sum >> PrecisionBits, 0, 255);

    /// <summary>For each output position: the first input position and the fixed-point weights from there on.</summary>
    private sealed class Weights
    {
        private readonly int[] _firsts, _lengths, _factors;
        private readonly int _stride;

        public Weights(int inputs, int outputs, ResizeFilter filter)
        {
            var (support, shape) = Shape(filter);
            var scale = (double)inputs / outputs;
            var stretch = Math.Max(scale, 1);
            support *= stretch;
            _stride = (int)Math.Ceiling(support) * 2 + 1;
            (_firsts, _lengths, _factors) = (new int[outputs], new int[outputs], new int[outputs * _stride]);
            var exact = new double[_stride];
            for (var i = 0; i < outputs; i++)
            {
                var centre = (i + 0.5) * scale;
                var first = Math.Max((int)(centre - support + 0.5), 0);
                var length = Math.Min((int)(centre + support + 0.5), inputs) - first;
                var total = 0.0;
                for (var k = 0; k < length; k++)
                    total += exact[k] = shape((k + first - centre + 0.5) / stretch);
                for (var k = 0; k < length; k++)
                {
                    var value = total == 0 ? exact[k] : exact[k] / total;
                    _factors[i * _stride + k] = (int)(value * (1 << PrecisionBits) + (value < 0 ? -0.5 : 0.5));
                }
                (_firsts[i], _lengths[i]) = (first, length);
            }
        }

        public int Count => _firsts.Length;

        public int First(int i) => _firsts[i];

        public ReadOnlySpan<int> Factors(int i) => _factors.AsSpan(i * _stride, _lengths[i]);

        private static (double Support, Func<double, double> Shape) Shape(ResizeFilter filter) => filter switch
        {
            ResizeFilter.Box => (0.5, static x => x is > -0.5 and <= 0.5 ? 1 : 0),
            ResizeFilter.Bilinear => (1, static x => Math.Max(1 - Math.Abs(x), 0)),
            ResizeFilter.Bicubic => (2, Cubic),
            ResizeFilter.Lanczos => (3, static x => x is >= -3 and < 3 ? Sinc(x) * Sinc(x / 3) : 0),
            _ => throw new ArgumentOutOfRangeException(nameof(filter), filter, "Expected Lanczos (1), Bilinear (2), Bicubic (3) or Box (4)."),
        };

        /// <summary>Keys' cubic with a = -0.5.</summary>
        private static double Cubic(double x)
        {
            const double A = -0.5;
            x = Math.Abs(x);
            return x < 1 ? ((A + 2) * x - (A + 3)) * x * x + 1
                : x < 2 ? (((x - 5) * x + 8) * x - 4) * A
                : 0;
        }

        private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(x * Math.PI) / (x * Math.PI);
    }
}
