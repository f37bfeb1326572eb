namespace SixLabors.ImageSharp.Processing.Processors.Transforms;

/// <summary>A windowed sinc.</summary>
public readonly struct LanczosResampler : IResampler
{
    public static readonly LanczosResampler Lanczos3 = new(3);

    public LanczosResampler(float radius) => Radius = radius;

    public float Radius { get; }

    public float GetValue(float x)
    {
        x = MathF.Abs(x);
        return x < Radius ? Sinc(x) * Sinc(x / Radius) : 0F;
    }

    private static float Sinc(float x)
    {
        if (x == 0)
            return 1F;
        x *= MathF.PI;
        return MathF.Sin(x) / x;
    }
}
