using static TorchSharp.torch;

namespace Sdxl.Diffusion.Adapters;

/// <summary>LoHa: two low-rank products, multiplied number by number: Scale · (W1a · W1b) ⊙ (W2a · W2b).</summary>
/// <remarks>Source: Yeh et al. 2023 (LyCORIS), section 3; Tucker's form with cores T1, T2 [r, r, k, k] for convolutions.</remarks>
public sealed record LohaLayer(
    string Net, string Module, Tensor W1A, Tensor W1B, Tensor W2A, Tensor W2B, Tensor? T1, Tensor? T2, double Scale,
        Tensor? Magnitude = null)
    : LayerChange(Net, Module, Scale, Magnitude)
{
    public override (long Rows, long Columns) Size => SizeOf(W1A, W1B, T1);

    public override Tensor Delta(double strength = 1) => Product(W1A, W1B, T1) * Product(W2A, W2B, T2) * Num(strength * Scale);

    internal override LayerChange On(Device device) => this with
    {
        W1A = W1A.to(device), W1B = W1B.to(device), W2A = W2A.to(device), W2B = W2B.to(device),
        T1 = T1?.to(device), T2 = T2?.to(device), Magnitude = Magnitude?.to(device),
    };

    protected override IEnumerable<Tensor?> Parts => [W1A, W1B, W2A, W2B, T1, T2];

    internal override string? Problem() =>
        ProblemOf("hada_w1_a", W1A, "hada_w1_b", W1B, T1) ?? ProblemOf("hada_w2_a", W2A, "hada_w2_b", W2B, T2)
        ?? (SizeOf(W1A, W1B, T1) == SizeOf(W2A, W2B, T2) ? null
            : $"its products are {SizeOf(W1A, W1B, T1)} and {SizeOf(W2A, W2B, T2)}; expected the same size.");
}
