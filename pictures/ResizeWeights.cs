namespace Sdxl.Pictures;

/// <summary>For each output position: the first input position and the fixed-point weights from there on.</summary>
/// <remarks>
/// When shrinking, the filter is stretched, so nothing aliases. Source: python-pillow src/libImaging/Resample.c, precompute_coeffs.
/// </remarks>
internal sealed class ResizeWeights
{
    /// <summary>Fraction bits of a weight.</summary>
    public const int PrecisionBits = 32 - 8 - 2;

    private readonly int[] _firsts, _lengths, _factors;
    private readonly int _stride;

    public ResizeWeights(int inputs, int outputs, ResizeFilter filter)
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
        Longest = _lengths.Max();
    }

    public int Count => _firsts.Length;

    /// <summary>Most inputs that one output needs.</summary>
    public int Longest { get; }

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
