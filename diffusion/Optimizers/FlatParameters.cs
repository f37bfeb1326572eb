using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Optimizers;

/// <summary>
/// Trained tensors that lie one behind the other in a single fp32 buffer.
/// </summary>
/// <remarks>
/// An optimizer step is then a few operations on pieces of one vector, not a few on each of hundreds of small tensors.
/// Autograd sees leaves whose storage is a part of <see cref="Values"/>.
/// Gradients are the tensors that the backward pass made, not copied, added or zeroed, and are let go after the step: the next pass's
/// activations have their memory.
/// </remarks>
public sealed class FlatParameters : IDisposable
{
    // An adopted module parameter is not ours to dispose
    private readonly List<(string Name, Tensor Leaf, long Start, bool Owned)> leaves = [];
    private readonly Dictionary<string, int> indexOf = new(StringComparer.Ordinal);
    private Tensor?[]? gradients; // of the leaves, between the backward pass and ClearGradients

    /// <param name="start">Names and start values; they are copied as fp32, in this order. A module's fp32 <see cref="Parameter"/> is moved
    /// into the buffer, so that the module trains.</param>
    /// <param name="device">Where the buffers live.</param>
    public FlatParameters(IReadOnlyList<KeyValuePair<string, Tensor>> start, Device device)
    {
        Count = start.Sum(p => p.Value.NumberOfElements);
        Values = empty(Count, float32, device).DetachFromDisposeScope();
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        long at = 0;
        foreach (var (name, value) in start)
        {
            var part = Values.narrow(0, at, value.NumberOfElements).view(value.shape);
            part.copy_(value);
            // Nets hold on to their parameter objects: the object stays, its storage changes.
            var leaf = value is Parameter ? value.set_(part) : part.detach().DetachFromDisposeScope();
            leaf.requires_grad = true;
            indexOf.Add(name, leaves.Count);
            leaves.Add((name, leaf, at, value is not Parameter));
            at += value.NumberOfElements;
        }
    }

    /// <summary>All values, [Count], fp32. Changing them changes the tensors.</summary>
    public Tensor Values { get; }

    /// <summary>Number of trained values.</summary>
    public long Count { get; }

    /// <summary>The tensors by name, in order.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Tensors => leaves.Select(l => KeyValuePair.Create(l.Name, l.Leaf));

    /// <summary>Each tensor beside its gradient of this step; zeros where the backward pass did not come.</summary>
    public IEnumerable<(string Name, Tensor Value, Tensor Gradient)> WithGradients =>
        leaves.Zip(Gradients, (l, gradient) => (l.Name, l.Leaf, gradient ?? zeros_like(l.Leaf)));

    /// <summary>
    /// The gradient of each tensor, in their order; null where the backward pass did not come. They belong to this object, until <see
    /// cref="ClearGradients"/>.
    /// </summary>
    public IReadOnlyList<Tensor?> Gradients => gradients ??= [.. leaves.Select(l =>
    {
        var gradient = l.Leaf.grad?.DetachFromDisposeScope();
        l.Leaf.grad = null;
        return gradient;
    })];

    /// <summary>
    /// Start and length of pieces that cover all values. None is longer than <paramref name="longest"/>; a tensor longer than that is cut
    /// by itself, short neighbours share one.
    /// </summary>
    public IEnumerable<(long Start, long Length)> Pieces(long longest)
    {
        long from = 0, to = 0;
        foreach (var (_, leaf, start, _) in leaves)
        {
            var end = start + leaf.NumberOfElements;
            if (end - from > longest && to > from)
            {
                yield return (from, to - from);
                from = to;
            }
            for (; end - from > longest; from += longest)
                yield return (from, longest);
            to = end;
        }
        if (to > from)
            yield return (from, to - from);
    }

    /// <summary>
    /// Gradients of <paramref name="length"/> values from <paramref name="start"/> on, zeros where the backward pass did not come: a view
    /// where they are part of one tensor. For reading.
    /// </summary>
    public Tensor GradientPart(long start, long length)
    {
        using var scope = NewDisposeScope();
        var end = start + length;
        var parts = new List<Tensor>();
        var i = leaves.BinarySearch(
            ("", Values, start, false),
            Comparer<(string, Tensor, long Start, bool)>.Create((a, b) => a.Start.CompareTo(b.Start))
        );
        for (i = i < 0 ? ~i - 1 : i; i < leaves.Count && leaves[i].Start < end; i++)
        {
            var (_, leaf, at, _) = leaves[i];
            var (from, to) = (Math.Max(start, at), Math.Min(end, at + leaf.NumberOfElements));
            if (to > from)
                parts.Add(
                    Gradients[i] is { } gradient
                        ? gradient.flatten().narrow(0, from - at, to - from)
                        : zeros(to - from, float32, Values.device)
                );
        }
        return (parts.Count == 1 ? parts[0] : cat(parts, 0)).MoveToOuterDisposeScope();
    }

    /// <summary>Lets the step's gradients go.</summary>
    public void ClearGradients()
    {
        foreach (var gradient in Gradients)
            gradient?.Dispose();
        gradients = null;
    }

    public Tensor this[string name] =>
        indexOf.TryGetValue(name, out var i)
            ? leaves[i].Leaf
            : throw new KeyNotFoundException(
                $"No trained tensor is called '{name}'. There are {leaves.Count}: {string.Join(", ", leaves.Take(3).Select(l => l.Name))}, "
                    + "…"
            );

    /// <summary>From now on the tensors take no gradient: autograd does not follow them any more.</summary>
    public void Freeze()
    {
        ClearGradients();
        foreach (var (_, leaf, _, _) in leaves)
            leaf.requires_grad = false;
    }

    public void Dispose()
    {
        Freeze();
        foreach (var (_, leaf, _, _) in leaves.Where(l => l.Owned))
            leaf.Dispose();
        Values.Dispose();
    }
}
