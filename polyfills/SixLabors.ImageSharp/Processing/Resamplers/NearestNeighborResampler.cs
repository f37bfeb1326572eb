namespace SixLabors.ImageSharp.Processing.Processors.Transforms;

/// <summary>One source pixel, unchanged.</summary>
public readonly struct NearestNeighborResampler : IResampler
{
    public float Radius => 1F;

    public float GetValue(float x)
    {
        return x;
    }
}
