using static TorchSharp.torch;

namespace Sdxl.Diffusion.Adapters;

/// <summary>
/// Something that changes what a linear layer computes without touching its weight: a LoRA, a DoRA.
/// </summary>
/// <remarks>
/// The attach point is a public settable field <c>ILinearAdapter? Adapter</c> on our own linear module (parameters <c>weight</c> [out,in] and <c>bias</c> [out]);
/// its forward is <c>Adapter is null ? functional.linear(x, weight, bias) : Adapter.Forward(x, weight, bias)</c>.
/// The field is an interface, so module registration never sees the adapter's tensors and the checkpoint's names stay as they are.
/// </remarks>
public interface ILinearAdapter
{
    /// <param name="x">[..., in]</param>
    /// <param name="weight">The layer's own weight, [out, in].</param>
    /// <param name="bias">[out], or null.</param>
    /// <returns>[..., out]</returns>
    Tensor Forward(Tensor x, Tensor weight, Tensor? bias);

    /// <summary>The weight that the layer has in effect (for merging and for comparing files): [out, in].</summary>
    Tensor MergedWeight(Tensor weight);
}
