namespace SixLabors.ImageSharp.Processing.Processors.Transforms;

/// <summary>Linear interpolation.</summary>
public readonly struct TriangleResampler : IResampler
{
    public float Radius => 1F;

    public float GetValue(float x)
    {
        x = MathF.Abs(x);
        return x < 1F ? 1F - x : 0F;
    }
}
