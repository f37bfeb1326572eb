using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Optimizers;

/// <summary>
/// Trained tensors that lie one behind the other in a single fp32 buffer, and their gradients in a second one.
/// </summary>
/// <remarks>
/// An optimizer step, the gradient norm, clipping and zeroing are then a few operations on one vector, not a few on each of hundreds of small tensors.
/// Each tensor is a leaf of its own for autograd whose storage is a part of <see cref="Values"/>; its gradient is set beforehand to the same part of
/// <see cref="Gradients"/>, and autograd adds into a gradient that is there.
/// </remarks>
public sealed class FlatParameters : IDisposable
{
    private readonly List<(string Name, Tensor Leaf, Tensor Gradient)> parts = [];
    private readonly HashSet<Tensor> adoptedLeaves = new(ReferenceEqualityComparer.Instance); // theirs to dispose, not ours
    private readonly Dictionary<string, int> indexOf = new(StringComparer.Ordinal);

    /// <param name="start">Names and start values; they are copied as fp32, in this order. A module's fp32 <see cref="Parameter"/> is moved into the buffer, so that the module trains.</param>
    /// <param name="device">Where the buffers live.</param>
    public FlatParameters(IReadOnlyList<KeyValuePair<string, Tensor>> start, Device device)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        Count = start.Sum(p => p.Value.NumberOfElements);
        Values = empty(Count, float32, device).DetachFromDisposeScope();
        Gradients = zeros(Count, float32, device).DetachFromDisposeScope();
        long at = 0;
        foreach (var (name, value) in start)
        {
            var shape = value.shape;
            var part = Values.narrow(0, at, value.NumberOfElements).view(shape);
            part.copy_(value);
            // A module's own parameter moves into the buffer (nets hold on to the object); any other start value only lends its numbers.
            var adopted = value is Parameter;
            var leaf = adopted ? value.set_(part) : part.detach().DetachFromDisposeScope();
            leaf.requires_grad = true;
            var gradient = Gradients.narrow(0, at, value.NumberOfElements).view(shape).DetachFromDisposeScope();
            leaf.grad = gradient;
            indexOf.Add(name, parts.Count);
            parts.Add((name, leaf, gradient));
            if (adopted)
                adoptedLeaves.Add(leaf);
            at += value.NumberOfElements;
        }
    }

    /// <summary>All values, [Count], fp32. Changing them changes the tensors.</summary>
    public Tensor Values { get; }

    /// <summary>All gradients, [Count], fp32; what a backward pass adds to.</summary>
    public Tensor Gradients { get; }

    /// <summary>Number of trained values.</summary>
    public long Count { get; }

    /// <summary>The tensors by name, in order: leaves that require gradients.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Tensors => parts.Select(p => KeyValuePair.Create(p.Name, p.Leaf));

    /// <summary>Each tensor beside its gradient, both views into the buffers.</summary>
    public IEnumerable<(string Name, Tensor Value, Tensor Gradient)> WithGradients => parts.Select(p => (p.Name, p.Leaf, p.Gradient));

    public Tensor this[string name] => indexOf.TryGetValue(name, out var i)
        ? parts[i].Leaf
        : throw new KeyNotFoundException($"No trained tensor is called '{name}'. There are {parts.Count}: {string.Join(", ", parts.Take(3).Select(p => p.Name))}, …");

    /// <summary>From now on the tensors take no gradient: autograd does not follow them any more.</summary>
    public void Freeze()
    {
        foreach (var (_, leaf, _) in parts)
        {
            leaf.grad = null;
            leaf.requires_grad = false;
        }
        Gradients.zero_();
    }

    public void Dispose()
    {
        foreach (var (_, leaf, gradient) in parts)
        {
            leaf.grad = null;
            leaf.requires_grad = false;
            if (!adoptedLeaves.Contains(leaf))
                leaf.Dispose();
            gradient.Dispose();
        }
        Values.Dispose();
        Gradients.Dispose();
    }
}
