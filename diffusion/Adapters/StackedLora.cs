using Sdxl.Diffusion.Nets;
using Sdxl.Diffusion.Optimizers;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Adapters;

/// <summary>
/// The LoRA of a net of small layers, computed for all layers at once: layers of the same shape are stacked, one batched product per shape gives every
/// changed weight of a pass, and projections of the same input are one product each.
/// </summary>
/// <remarks>
/// The same function as a branch beside each layer. A branch costs fewer multiplications where rank is much less than width (SDXL: 1280 against 32), but three to five
/// times the operations: in a toy net, whose products take microseconds, those are the time.
/// n layers of a shape, r rank: down [n, r, in], up [n, out, r], magnitude [n, out].
/// </remarks>
public sealed class StackedLora : IDisposable
{
    private readonly List<Stack> stacks = [];
    private readonly double scale;

    private sealed record Stack(Tensor Base, Tensor Down, Tensor Up, Tensor? Magnitude, long[] Lengths, IReadOnlyList<Action<Tensor?>> Places);

    /// <param name="pieces">For each shape, the layers in the order of the stack; layers in one piece take the same input and are joined.</param>
    /// <param name="parameters">Leaves: down, up (and magnitude) of each shape in turn.</param>
    public StackedLora(IReadOnlyList<IReadOnlyList<LoraPiece>> pieces, FlatParameters parameters, double scale, bool dora)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        this.scale = scale;
        var leaves = parameters.Leaves;
        var each = dora ? 3 : 2;
        for (var i = 0; i < pieces.Count; i++)
        {
            var layers = pieces[i].SelectMany(p => p.Layers).Select(l => l.Layer.Weight).ToList();
            var joined = stack(layers.Select(w => w.to_type(ScalarType.Float32))).DetachFromDisposeScope();
            for (var layer = 0; layer < layers.Count; layer++)
            {
                if (layers[layer].dtype == ScalarType.Float32)
                    layers[layer].set_(joined[layer]); // the layer's own copy goes: no weight is in memory twice
            }
            stacks.Add(new Stack(
                joined, leaves[i * each], leaves[i * each + 1], dora ? leaves[i * each + 2] : null,
                [.. pieces[i].Select(p => (long)p.Layers.Count)], [.. pieces[i].Select(p => p.Place)]));
        }
    }

    /// <summary>Computes every changed weight from the parameters as they are and puts it where the next pass finds it. The tensors belong to the current scope.</summary>
    /// <param name="compute">Type of the pass.</param>
    public void Place(ScalarType compute)
    {
        foreach (var s in stacks)
        {
            // Not baddbmm: TorchSharp's passes its arguments in another order than it documents (0.107.0, THSTensor_baddbmm).
            Tensor changed;
            using (var product = s.Up.bmm(s.Down)) // let go at once: no gradient asks for it
                changed = s.Base.add(product, Num(scale));                                               // [n, out, in]
            if (s.Magnitude is not null)
                changed = changed * (s.Magnitude / changed.detach().norm(2)).unsqueeze(-1);         // rows get their lengths; those of the product are constants
            var parts = changed.to_type(compute).split(s.Lengths, 0);
            for (var i = 0; i < parts.Length; i++)
                s.Places[i](parts[i].flatten(0, 1));                                                // [k·out, in]
        }
    }

    /// <summary>Takes the weights away again: the layers work by themselves.</summary>
    public void Clear()
    {
        foreach (var place in stacks.SelectMany(s => s.Places))
            place(null);
    }

    public void Dispose()
    {
        Clear();
        foreach (var s in stacks)
            s.Base.Dispose();
    }
}

/// <summary>Layers whose changed weights are used as one matrix.</summary>
/// <param name="Layers">One, or the projections of one input in the order they are joined.</param>
/// <param name="Place">Takes the matrix [k·out, in] for the next passes, or null.</param>
public sealed record LoraPiece(IReadOnlyList<(string Module, Linear Layer)> Layers, Action<Tensor?> Place);
