using static TorchSharp.torch;

namespace Sdxl.Diffusion.Adapters;

/// <summary>A matrix of LoKr: whole, or a low-rank product (with a core [r, r, k, k] in Tucker's form).</summary>
public sealed record LokrFactor(Tensor? Whole, Tensor? A, Tensor? B, Tensor? Core)
{
    internal LokrFactor On(Device device) => new(Whole?.to(device), A?.to(device), B?.to(device), Core?.to(device));
}

/// <summary>LoKr: Scale · W1 ⊗ W2 (Kronecker's product).</summary>
/// <param name="First">[m, n].</param>
/// <param name="Second">[out / m, in / n], of a convolution [out / m, in / n, k, k].</param>
/// <remarks>
/// Source: Yeh et al. 2023 (LyCORIS), section 3. Where both matrices are whole there is no rank, and LyCORIS scales by 1 whatever alpha
/// says.
/// </remarks>
public sealed record LokrLayer(string Net, string Module, LokrFactor First, LokrFactor Second, double Scale, Tensor? Magnitude = null)
    : LayerChange(Net, Module, Scale, Magnitude)
{
    public override (long Rows, long Columns) Size
    {
        get
        {
            var ((rows1, columns1), (rows2, columns2)) = (SizeOf(First), SizeOf(Second));
            return (rows1 * rows2, columns1 * columns2);
        }
    }

    public override Tensor Delta(double strength = 1)
    {
        // A row of W is its inputs, each with its kernel: n of W1 times (in / n)·k·k of W2 is that order too.
        var (one, two) = (Value(First).flatten(1), Value(Second).flatten(1));
        return one.kron(two) * Num(strength * Scale);
    }

    internal override LayerChange On(Device device) =>
        this with { First = First.On(device), Second = Second.On(device), Magnitude = Magnitude?.to(device) };

    protected override IEnumerable<Tensor?> Parts =>
        [First.Whole, First.A, First.B, First.Core, Second.Whole, Second.A, Second.B, Second.Core];

    internal override string? Problem() => Problem("lokr_w1", First) ?? Problem("lokr_w2", Second);

    private static Tensor Value(LokrFactor factor) => factor.Whole ?? Product(factor.A!, factor.B!, factor.Core);

    private static (long Rows, long Columns) SizeOf(LokrFactor factor) =>
        factor.Whole is { } whole ? (whole.shape[0], whole.NumberOfElements / Math.Max(1, whole.shape[0]))
            : SizeOf(factor.A!, factor.B!, factor.Core);

    private static string? Problem(string name, LokrFactor factor) => factor switch
    {
        { Whole: { } whole } => whole.dim() is 2 or 4 ? null : $"{name} is {Shown(whole)}; expected two sides, of a convolution four.",
        { A: { } a, B: { } b } => ProblemOf(name + "_a", a, name + "_b", b, factor.Core),
        _ => $"has no {name}, nor {name}_a and {name}_b. The file is incomplete.",
    };
}
