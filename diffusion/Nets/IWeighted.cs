using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Nets;

/// <summary>A layer for whose weight another can stand in: a fine-tune's, computed once. The base weight stays as it is.</summary>
internal interface IWeighted
{
    /// <summary>The base weight: [out, in], of a convolution [out, in, k, k].</summary>
    Parameter Weight { get; }

    /// <summary>What stands in for the weight: the same shape and type, the caller's to dispose; null: nothing.</summary>
    void StandIn(Tensor? weight);
}

/// <summary>Holds what stands in for a layer's weight; a plain object, so that RegisterComponents does not see its tensor.</summary>
internal sealed class WeightSlot
{
    public Tensor? Tensor { get; set; }
}

/// <summary>Adds a change to a weight.</summary>
internal static class ChangedWeight
{
    /// <summary>
    /// W + delta in the weight's type; with a magnitude [out] (DoRA) each of its rows then gets that length. The caller's, owned by no
    /// scope.
    /// </summary>
    /// <param name="delta">fp32, as many rows and numbers as the weight.</param>
    public static Tensor Of(Tensor weight, Tensor delta, Tensor? magnitude)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        var sum = weight.to_type(ScalarType.Float32).Plus(delta.reshape(weight.shape));
        if (magnitude is not null)
            sum = sum * (magnitude.to_type(ScalarType.Float32) / RowLengths(sum)).view(
                [-1, .. Enumerable.Repeat(1L, weight.shape.Length - 1)]);
        return sum.to_type(weight.dtype).DetachFromDisposeScope();
    }

    /// <summary>The length of each output's weights, [out].</summary>
    public static Tensor RowLengths(Tensor weight) => weight.flatten(1).Squared().sum(1).sqrt();
}
