namespace SixLabors.ImageSharp.Processing.Processors.Transforms;

/// <summary>The mean of the pixels under the target pixel.</summary>
public readonly struct BoxResampler : IResampler
{
    public float Radius => 0.5F;

    public float GetValue(float x)
    {
        return x is > -0.5F and <= 0.5F ? 1F : 0F;
    }
}
