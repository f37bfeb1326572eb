using static TorchSharp.torch;

namespace Sdxl.Diffusion.Models;

/// <summary>Named tensors of one net, wherever they lie: a file, shards, or a part of a single-file checkpoint.</summary>
public interface ITensorSource
{
    /// <summary>The file or files, for errors.</summary>
    string Where { get; }

    /// <summary>What is there under a net's own names: shape by name.</summary>
    IReadOnlyDictionary<string, long[]> Shapes { get; }

    /// <summary>
    /// Fills <paramref name="target"/>, which has exactly the tensor's shape, converting the type and crossing to its device. One temporary
    /// at most.
    /// </summary>
    void CopyTo(string name, Tensor target);
}
