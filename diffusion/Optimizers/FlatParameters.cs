using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Optimizers;

/// <summary>
/// Trained tensors that lie one behind the other in a single fp32 buffer, and their gradients in a second one.
/// </summary>
/// <remarks>
/// An optimizer step, the gradient norm, clipping and zeroing are then a few operations on one vector, not a few on each of hundreds of small tensors.
/// Autograd sees leaves whose storage is a part of <see cref="Values"/> and whose gradient is set beforehand to the same part of <see cref="Gradients"/>
/// (it adds into a gradient that is there). A leaf is one named tensor, or a stack of equally shaped ones that are computed together.
/// </remarks>
public sealed class FlatParameters : IDisposable
{
    private readonly List<(Tensor Leaf, Tensor Gradient, bool Owned)> leaves = []; // an adopted module parameter is not ours to dispose
    private readonly List<(string Name, Tensor Value, Tensor Gradient)> named = [];
    private readonly Dictionary<string, int> indexOf = new(StringComparer.Ordinal);

    private FlatParameters(long count, Device device)
    {
        Count = count;
        Values = empty(count, float32, device).DetachFromDisposeScope();
        Gradients = zeros(count, float32, device).DetachFromDisposeScope();
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
            var gradient = AddLeaf(leaf, at, owned: value is not Parameter);
            Name(name, leaf, gradient);
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
            var gradient = all.AddLeaf(leaf, at, owned: true);
            for (var i = 0; i < stack.Count; i++)
            {
                part[i].copy_(stack[i].Value);
                all.Name(stack[i].Key, part[i].DetachFromDisposeScope(), gradient[i].DetachFromDisposeScope());
            }
            at += length;
        }
        return all;
    }

    /// <summary>All values, [Count], fp32. Changing them changes the tensors.</summary>
    public Tensor Values { get; }

    /// <summary>All gradients, [Count], fp32; what a backward pass adds to.</summary>
    public Tensor Gradients { get; }

    /// <summary>Number of trained values.</summary>
    public long Count { get; }

    /// <summary>The tensors by name, in order. In a stack they are views for reading and writing; gradients flow to the stack.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Tensors => named.Select(p => KeyValuePair.Create(p.Name, p.Value));

    /// <summary>Each tensor beside its gradient, both views into the buffers.</summary>
    public IEnumerable<(string Name, Tensor Value, Tensor Gradient)> WithGradients => named;

    /// <summary>What autograd sees, in order: the tensors themselves or the stacks.</summary>
    public IReadOnlyList<Tensor> Leaves => [.. leaves.Select(l => l.Leaf)];

    public Tensor this[string name] => indexOf.TryGetValue(name, out var i)
        ? named[i].Value
        : throw new KeyNotFoundException($"No trained tensor is called '{name}'. There are {named.Count}: {string.Join(", ", named.Take(3).Select(p => p.Name))}, …");

    /// <summary>From now on the tensors take no gradient: autograd does not follow them any more.</summary>
    public void Freeze()
    {
        foreach (var (leaf, _, _) in leaves)
        {
            leaf.grad = null;
            leaf.requires_grad = false;
        }
        Gradients.zero_();
    }

    private Tensor AddLeaf(Tensor leaf, long at, bool owned)
    {
        leaf.requires_grad = true;
        var gradient = Gradients.narrow(0, at, leaf.NumberOfElements).view(leaf.shape).DetachFromDisposeScope();
        leaf.grad = gradient;
        leaves.Add((leaf, gradient, owned));
        return gradient;
    }

    private void Name(string name, Tensor value, Tensor gradient)
    {
        indexOf.Add(name, named.Count);
        named.Add((name, value, gradient));
    }

    public void Dispose()
    {
        foreach (var (leaf, gradient, owned) in leaves)
        {
            leaf.grad = null;
            leaf.requires_grad = false;
            if (owned)
                leaf.Dispose();
            gradient.Dispose();
        }
        var known = leaves.Select(l => l.Leaf).ToHashSet(ReferenceEqualityComparer.Instance);
        foreach (var (_, value, gradient) in named.Where(n => !known.Contains(n.Value)))
        {
            value.Dispose();
            gradient.Dispose();
        }
        Values.Dispose();
        Gradients.Dispose();
    }
}
