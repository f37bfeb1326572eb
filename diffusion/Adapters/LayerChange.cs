using static TorchSharp.torch;

namespace Sdxl.Diffusion.Adapters;

/// <summary>
/// What a file adds to the weight of one layer: W' = W + Delta(); with a magnitude (DoRA) each row of W' then gets that length.
/// </summary>
/// <param name="Net">unet, text_encoder or text_encoder_2.</param>
/// <param name="Module">The layer's name in the diffusers net: "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q".</param>
/// <param name="Scale">alpha / rank.</param>
/// <param name="Magnitude">[out], or null.</param>
public abstract record LayerChange(string Net, string Module, double Scale, Tensor? Magnitude) : IDisposable
{
    /// <summary>
    /// The layer's outputs, and the numbers of a row of its weight: inputs, of a convolution times the kernel's height and width.
    /// </summary>
    public abstract (long Rows, long Columns) Size { get; }

    /// <summary>
    /// strength · Scale · the change, fp32, in the order of the weight's numbers; the caller gives it the weight's shape.
    /// </summary>
    public abstract Tensor Delta(double strength = 1);

    /// <summary>The same on a device, owned by the dispose scope.</summary>
    internal abstract LayerChange On(Device device);

    /// <summary>The tensors that the change is made of.</summary>
    protected abstract IEnumerable<Tensor?> Parts { get; }

    /// <summary>What does not fit together, as the rest of a sentence that begins with the layer; null: nothing.</summary>
    internal abstract string? Problem();

    /// <summary>All tensors of it.</summary>
    internal IEnumerable<Tensor> All => Parts.Append(Magnitude).OfType<Tensor>();

    public void Dispose()
    {
        foreach (var tensor in All)
            tensor.Dispose();
    }

    /// <summary>
    /// A factor [out, r] times a factor [r, in], or with a core [r, r, k, k] (Tucker's form): factors [r, out] and [r, in] on both its
    /// sides, as LyCORIS has them.
    /// </summary>
    private protected static Tensor Product(Tensor a, Tensor b, Tensor? core) =>
        core is null ? Matrix(a).matmul(b.flatten(1)) : einsum("ijkl,ip,jq->pqkl", core, a, b);

    /// <summary>[a, b]; of a 1x1 convolution's [a, b, 1, 1] the same.</summary>
    private protected static Tensor Matrix(Tensor tensor) => tensor.flatten(1);

    /// <summary>Rows and columns of <see cref="Product"/>.</summary>
    private protected static (long, long) SizeOf(Tensor a, Tensor b, Tensor? core) =>
        core is null ? (a.shape[0], b.NumberOfElements / Math.Max(1, b.shape[0]))
            : (a.shape[1], b.shape[1] * core.shape[2] * core.shape[3]);

    /// <summary>What does not fit in <see cref="Product"/>.</summary>
    private protected static string? ProblemOf(string nameA, Tensor a, string nameB, Tensor b, Tensor? core)
    {
        if (core is not null)
        {
            return core.dim() == 4 && a.dim() == 2 && b.dim() == 2 && core.shape[0] == a.shape[0] && core.shape[1] == b.shape[0]
                ? null
                : $"{nameA} is {Shown(a)}, {nameB} {Shown(b)} and their core {Shown(core)}; expected [r, out], [r, in] and [r, r, k, k].";
        }
        if (a.dim() < 2 || b.dim() < 2 || a.shape.Skip(2).Any(side => side != 1))
            return $"{nameA} is {Shown(a)} and {nameB} {Shown(b)}; expected [out, r] and [r, in], of a convolution [r, in, k, k].";
        return a.shape[1] == b.shape[0] ? null : $"{nameB} is {Shown(b)} and {nameA} is {Shown(a)}; their ranks differ.";
    }

    private protected static string Shown(Tensor tensor) => $"[{string.Join(", ", tensor.shape)}]";
}
