using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Optimizers;

/// <summary>
/// An update rule over parameter groups. Its whole memory is named tensors and named numbers, so that a checkpoint can hold it exactly.
/// </summary>
public abstract class Optimizer : IDisposable
{
    /// <summary>
    /// Elements handled at a time, which bounds the temporary memory of a step whatever the net's size. On the CPU the ten operations of an
    /// update then find their few vectors of 512 KiB in the cache, instead of passing all of them through memory ten times.
    /// </summary>
    private const long ChunkElementsOnCpu = 1 << 17, ChunkElementsOnGpu = 1 << 24;

    private readonly SortedDictionary<string, Tensor> state = new(StringComparer.Ordinal);
    private Tensor? factor; // of the current step's gradients

    protected Optimizer(IReadOnlyList<ParameterGroup> groups) => Groups = groups;

    public IReadOnlyList<ParameterGroup> Groups { get; }

    /// <summary>Steps done.</summary>
    public int Steps { get; private set; }

    /// <summary>Running tensors by name: {group}.{kind}, or {group}.{kind}.{parameter} where they are per tensor.</summary>
    public IReadOnlyDictionary<string, Tensor> State => state;

    /// <summary>Running numbers by name, "steps" among them.</summary>
    public virtual IReadOnlyDictionary<string, double> Numbers => new Dictionary<string, double> { ["steps"] = Steps };

    /// <summary>One update of every group that is not frozen, with the gradients that lie in it. Gradients are left as they are.</summary>
    /// <param name="gradientFactor">A scalar tensor that every gradient is multiplied by (clipping); null: 1.</param>
    public void Step(Tensor? gradientFactor = null)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        factor = gradientFactor;
        Steps++;
        Update(Groups.Where(g => !g.Frozen).ToList());
    }

    /// <summary>
    /// Puts back what <see cref="State"/> and <see cref="Numbers"/> once were, one tensor at a time: a full fine-tune's are 10 GB each.
    /// </summary>
    /// <param name="savedShapes">Names and shapes of what was saved.</param>
    /// <param name="copyTo">Fills a tensor with the saved one of a name.</param>
    /// <param name="savedNumbers">What <see cref="Numbers"/> was.</param>
    /// <exception cref="InvalidDataException">A tensor or number is missing, unknown or of another shape.</exception>
    public void Restore(
        IReadOnlyDictionary<string, long[]> savedShapes,
        Action<string, Tensor> copyTo,
        IReadOnlyDictionary<string, double> savedNumbers
    )
    {
        using var guard = no_grad();
        foreach (var (name, tensor) in state)
        {
            if (!savedShapes.TryGetValue(name, out var shape))
                throw new InvalidDataException(
                    $"The checkpoint's optimizer state lacks '{name}'. Delete the checkpoint; training starts from the one before."
                );
            if (!shape.SequenceEqual(tensor.shape))
                throw new InvalidDataException(
                    $"The checkpoint's optimizer state '{name}' is [{string.Join(", ", shape)}]; expected "
                        + $"[{string.Join(", ", tensor.shape)}]."
                );
            copyTo(name, tensor);
        }
        if (savedShapes.Keys.FirstOrDefault(k => !state.ContainsKey(k)) is { } unknown)
            throw new InvalidDataException($"The checkpoint's optimizer state holds '{unknown}', which {GetType().Name} does not have.");
        Steps = (int)savedNumbers["steps"];
        RestoreNumbers(savedNumbers);
    }

    /// <param name="groups">The groups that train; gradients are off.</param>
    protected abstract void Update(IReadOnlyList<ParameterGroup> groups);

    protected virtual void RestoreNumbers(IReadOnlyDictionary<string, double> saved) { }

    /// <summary>A running tensor of zeros, kept in <see cref="State"/>.</summary>
    protected Tensor NewState(string name, Tensor like) => NewState(name, like.shape, like.device);

    protected Tensor NewState(string name, long[] shape, Device device)
    {
        var tensor = zeros(shape, float32, device).DetachFromDisposeScope();
        state.Add(name, tensor);
        return tensor;
    }

    /// <summary>The gradient times the step's factor: what an update is computed from. A tensor of the current scope.</summary>
    protected Tensor Scaled(Tensor gradient) => factor is null ? gradient : gradient * factor;

    /// <summary>
    /// Cuts a group's values and vectors as long as they into pieces: [values, gradients times the step's factor, vectors …].
    /// </summary>
    protected IEnumerable<Tensor[]> Chunks(FlatParameters parameters, params Tensor[] vectors)
    {
        foreach (var (start, length) in parameters.Pieces(ChunkFor(parameters.Values)))
        {
            using var scope = NewDisposeScope();
            Tensor Part(Tensor vector) => vector.narrow(0, start, length);
            yield return [Part(parameters.Values), Scaled(parameters.GradientPart(start, length)), .. vectors.Select(Part)];
        }
    }

    /// <summary>Cuts equally long vectors into the same pieces.</summary>
    protected static IEnumerable<Tensor[]> Chunks(params Tensor[] vectors)
    {
        var (count, chunk) = (vectors[0].shape[0], ChunkFor(vectors[0]));
        for (long at = 0; at < count; at += chunk)
        {
            using var scope = NewDisposeScope();
            yield return Array.ConvertAll(vectors, v => v.narrow(0, at, Math.Min(chunk, count - at)));
        }
    }

    private static long ChunkFor(Tensor vector) => vector.device_type == DeviceType.CPU ? ChunkElementsOnCpu : ChunkElementsOnGpu;

    public void Dispose()
    {
        foreach (var tensor in state.Values)
            tensor.Dispose();
        GC.SuppressFinalize(this);
    }
}
