namespace SixLabors.ImageSharp.Processing.Processors.Transforms;

/// <summary>A filter: the weight of a source pixel by its distance, in target pixels when shrinking.</summary>
public interface IResampler
{
    /// <summary>Weights are 0 from here on.</summary>
    float Radius { get; }

    float GetValue(float x);
}
