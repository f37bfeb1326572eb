namespace SixLabors.ImageSharp.Processing.Processors.Transforms;

/// <summary>Keys' cubic with a = -0.5.</summary>
public readonly struct BicubicResampler : IResampler
{
    public float Radius => 2F;

    public float GetValue(float x)
    {
        x = MathF.Abs(x);
        return x switch
        {
            <= 1F => (((1.5F * x) - 2.5F) * x * x) + 1,
            < 2F => (((((-0.5F * x) + 2.5F) * x) - 4) * x) + 2,
            _ => 0F,
        };
    }
}
