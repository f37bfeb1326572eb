using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Optimizers;

/// <summary>
/// Trained tensors that lie one behind the other in a single fp32 buffer.
/// </summary>
/// <remarks>
/// An optimizer step is then a few operations on pieces of one vector, not a few on each of hundreds of small tensors.
/// Autograd sees leaves whose storage is a part of <see cref="Values"/>. A leaf is one named tensor, or a stack of equally shaped ones that are computed together.
/// Gradients are the tensors that the backward pass made, not copied, added or zeroed, and are let go after the step: the next pass's activations have their memory.
/// </remarks>
public sealed class FlatParameters : IDisposable
{
    private readonly List<(Tensor Leaf, long Start, bool Owned)> leaves = []; // an adopted module parameter is not ours to dispose
    private readonly List<(string Name, Tensor Value, int Leaf, int? InStack)> named = [];
    private readonly Dictionary<string, int> indexOf = new(StringComparer.Ordinal);
    private Tensor?[]? gradients; // of the leaves, between the backward pass and ClearGradients

    private FlatParameters(long count, Device device)
    {
        Count = count;
        Values = empty(count, float32, device).DetachFromDisposeScope();
    }

    /// <param name="start">Names and start values; they are copied as fp32, in this order. A module's fp32 <see cref="Parameter"/> is moved into the buffer, so that the module trains.</param>
    /// <param name="device">Where the buffers live.</param>
    public FlatParameters(IReadOnlyList<KeyValuePair<string, Tensor>> start, Device device) : this(start.Sum(p => p.Value.NumberOfElements), device)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        long at = 0;
        foreach (var (name, value) in start)
        {
            var part = Values.narrow(0, at, value.NumberOfElements).view(value.shape);
            part.copy_(value);
            // Nets hold on to their parameter objects: the object stays, its storage changes.
            var leaf = value is Parameter ? value.set_(part) : part.detach().DetachFromDisposeScope();
            AddLeaf(leaf, at, owned: value is not Parameter);
            Name(name, leaf);
            at += value.NumberOfElements;
        }
    }

    /// <summary>Parameters whose leaves are stacks [n, …] of n equally shaped tensors.</summary>
    public static FlatParameters Stacked(IReadOnlyList<IReadOnlyList<KeyValuePair<string, Tensor>>> stacks, Device device)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var all = new FlatParameters(stacks.Sum(s => s.Sum(p => p.Value.NumberOfElements)), device);
        long at = 0;
        foreach (var stack in stacks)
        {
            var shape = stack[0].Value.shape;
            var length = stack.Sum(p => p.Value.NumberOfElements);
            var part = all.Values.narrow(0, at, length).view([stack.Count, .. shape]);
            var leaf = part.detach().DetachFromDisposeScope();
            all.AddLeaf(leaf, at, owned: true);
            for (var i = 0; i < stack.Count; i++)
            {
                part[i].copy_(stack[i].Value);
                all.Name(stack[i].Key, part[i].DetachFromDisposeScope(), i);
            }
            at += length;
        }
        return all;
    }

    /// <summary>All values, [Count], fp32. Changing them changes the tensors.</summary>
    public Tensor Values { get; }

    /// <summary>Number of trained values.</summary>
    public long Count { get; }

    /// <summary>The tensors by name, in order. In a stack they are views for reading and writing; gradients flow to the stack.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Tensors => named.Select(p => KeyValuePair.Create(p.Name, p.Value));

    /// <summary>Each tensor beside its gradient of this step; zeros where the backward pass did not come.</summary>
    public IEnumerable<(string Name, Tensor Value, Tensor Gradient)> WithGradients =>
        named.Select(n => (n.Name, n.Value, Gradients[n.Leaf] is not { } all ? zeros_like(n.Value) : n.InStack is { } i ? all[i] : all));

    /// <summary>What autograd sees, in order: the tensors themselves or the stacks.</summary>
    public IReadOnlyList<Tensor> Leaves => [.. leaves.Select(l => l.Leaf)];

    /// <summary>The gradient of each leaf, in their order; null where the backward pass did not come. They belong to this object, until <see cref="ClearGradients"/>.</summary>
    public IReadOnlyList<Tensor?> Gradients => gradients ??= [.. leaves.Select(l =>
    {
        var gradient = l.Leaf.grad?.DetachFromDisposeScope();
        l.Leaf.grad = null;
        return gradient;
    })];

    /// <summary>Start and length of pieces that cover all values. None is longer than <paramref name="longest"/>; a leaf longer than that is cut by itself, short neighbours share one.</summary>
    public IEnumerable<(long Start, long Length)> Pieces(long longest)
    {
        long from = 0, to = 0;
        foreach (var (leaf, start, _) in leaves)
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

    /// <summary>Gradients of <paramref name="length"/> values from <paramref name="start"/> on, zeros where the backward pass did not come: a view where they are part of one leaf. For reading.</summary>
    public Tensor GradientPart(long start, long length)
    {
        using var scope = NewDisposeScope();
        var end = start + length;
        var parts = new List<Tensor>();
        var i = leaves.BinarySearch((Values, start, false), Comparer<(Tensor, long Start, bool)>.Create((a, b) => a.Start.CompareTo(b.Start)));
        for (i = i < 0 ? ~i - 1 : i; i < leaves.Count && leaves[i].Start < end; i++)
        {
            var (leaf, at, _) = leaves[i];
            var (from, to) = (Math.Max(start, at), Math.Min(end, at + leaf.NumberOfElements));
            if (to > from)
                parts.Add(Gradients[i] is { } gradient ? gradient.flatten().narrow(0, from - at, to - from) : zeros(to - from, float32, Values.device));
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

    public Tensor this[string name] => indexOf.TryGetValue(name, out var i)
        ? named[i].Value
        : throw new KeyNotFoundException($"No trained tensor is called '{name}'. There are {named.Count}: {string.Join(", ", named.Take(3).Select(p => p.Name))}, …");

    /// <summary>From now on the tensors take no gradient: autograd does not follow them any more.</summary>
    public void Freeze()
    {
        ClearGradients();
        foreach (var (leaf, _, _) in leaves)
            leaf.requires_grad = false;
    }

    private void AddLeaf(Tensor leaf, long start, bool owned)
    {
        leaf.requires_grad = true;
        leaves.Add((leaf, start, owned));
    }

    /// <summary>A name for the newest leaf or a part of it.</summary>
    private void Name(string name, Tensor value, int? inStack = null)
    {
        indexOf.Add(name, named.Count);
        named.Add((name, value, leaves.Count - 1, inStack));
    }

    public void Dispose()
    {
        Freeze();
        foreach (var (_, value, _, _) in named.Where(n => n.InStack is not null))
            value.Dispose();
        foreach (var (leaf, _, _) in leaves.Where(l => l.Owned))
            leaf.Dispose();
        Values.Dispose();
    }
}
