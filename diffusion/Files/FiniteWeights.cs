using static TorchSharp.torch;

namespace Sdxl.Diffusion.Files;

/// <summary>
/// Weights that somebody brings are read through this door: a training that went wrong leaves NaN or infinity, one of which makes every
/// picture black.
/// </summary>
public static class FiniteWeights
{
    /// <summary>Copies one tensor out as fp32 on the CPU, which the caller owns.</summary>
    /// <exception cref="SafetensorsException">There is no such tensor, or it holds NaN or infinity.</exception>
    public static Tensor ReadFinite(this SafetensorsFile file, string name)
    {
        var tensor = file.Read(name, ScalarType.Float32);
        if (Problem(tensor) is not { } problem)
            return tensor;
        tensor.Dispose();
        throw new SafetensorsException(file.Path, $"tensor '{name}' {problem}");
    }

    /// <summary>What is wrong with a tensor's numbers, as the rest of a sentence that begins with its name; null: nothing.</summary>
    public static string? Problem(Tensor tensor)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        if (tensor.NumberOfElements == 0 || tensor.isfinite().all().item<bool>())
            return null;
        var (nan, infinite) = (tensor.isnan().sum().item<long>(), tensor.isinf().sum().item<long>());
        var what = infinite == 0 ? $"NaN ({nan}" : nan == 0 ? $"infinity ({infinite}" : $"NaN and infinity ({nan + infinite}";
        return $"holds {what} of {tensor.NumberOfElements} numbers). A training that diverged leaves such weights, and they draw nothing "
            + "but black. "
            + "Use an earlier checkpoint of it, or train again with a lower learning rate.";
    }
}
