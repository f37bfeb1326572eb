using SixLabors.ImageSharp.Processing.Processors.Transforms;

namespace SixLabors.ImageSharp.Processing.Operations;

/// <summary>For each target pixel the source pixels that make it and their weights (sum 1), in one flat array.</summary>
internal sealed class ResizeKernels
{
    private readonly float[] weights;
    private readonly int stride;
    private readonly (int Start, int Length)[] spans;

    public ResizeKernels(IResampler sampler, int targetSize, int sourceSize)
    {
        var ratio = (double)sourceSize / targetSize;
        var scale = Math.Max(ratio, 1); // shrinking widens the filter: this is the antialiasing
        var radius = (int)Ceiling(scale * sampler.Radius);
        stride = Math.Min((2 * radius) + 1, sourceSize);
        weights = new float[(long)targetSize * stride];
        spans = new (int, int)[targetSize];
        var values = new double[stride];
        for (var i = 0; i < targetSize; i++)
        {
            var center = ((i + .5) * ratio) - .5;
            var left = Math.Max((int)Ceiling(center - radius), 0);
            var right = Math.Min((int)Floor(center + radius), sourceSize - 1);
            double sum = 0;
            for (var j = left; j <= right; j++)
                sum += values[j - left] = sampler.GetValue((float)((j - center) / scale));
            for (var j = left; j <= right; j++)
                weights[(i * (long)stride) + j - left] = (float)(sum > 0 ? values[j - left] / sum : values[j - left]);
            spans[i] = (left, right - left + 1);
        }
    }

    /// <summary>Most source pixels that one target pixel needs.</summary>
    public int MaxLength => stride;

    public int Start(int target) => spans[target].Start;

    public int End(int target) => spans[target].Start + spans[target].Length;

    public ReadOnlySpan<float> Weights(int target) => weights.AsSpan(target * stride, spans[target].Length);

    // Exact multiples must not fall to the wrong side by rounding.
    private static double Ceiling(double value) => Math.Ceiling(value - 1e-8);

    private static double Floor(double value) => Math.Floor(value + 1e-8);
}
