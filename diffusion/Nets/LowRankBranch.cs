using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Sdxl.Diffusion.Nets;

/// <summary>
/// What LoRA adds to a linear layer: W' = W + scale · up · down; with a magnitude (DoRA) W' is then scaled per output row to that length.
/// </summary>
/// <remarks>
/// down [r, in], up [out, r], magnitude [out] or null. The tensors may be training parameters (fp32) under a pass in another type.
/// Source: Hu et al. 2021 (LoRA); Liu et al. 2024 (DoRA), as PEFT computes it: the row lengths are constants for the gradient.
/// </remarks>
public sealed class LowRankBranch(Tensor down, Tensor up, double scale, Tensor? magnitude = null)
{
    private Tensor? merged; // [out, in]: W', where merged

    /// <summary>[r, in].</summary>
    public Tensor Down { get; } = down;

    /// <summary>[out, r].</summary>
    public Tensor Up { get; } = up;

    /// <summary>DoRA's row lengths [out]; null for plain LoRA.</summary>
    public Tensor? Magnitude { get; } = magnitude;

    /// <summary>
    /// (alpha / r) · the strength asked for. 0 switches the branch off (DoRA: back to the base weight only where magnitude equals the
    /// base's row lengths).
    /// </summary>
    public double Scale { get; } = scale;

    /// <summary>Computes W' once, for sampling without the branch's extra products. The base weight stays as it is.</summary>
    public void Merge(Tensor weight)
    {
        merged?.Dispose();
        using var scope = NewDisposeScope();
        using (no_grad())
            merged = ChangedWeight.Of(weight, Delta(), Magnitude);
    }

    /// <summary>Frees the merged weight; the branch works unmerged again.</summary>
    public void Unmerge()
    {
        merged?.Dispose();
        merged = null;
    }

    /// <summary>The weight change scale · up · down in fp32, [out, in], without DoRA's rescaling.</summary>
    public Tensor Delta() => Up.to_type(ScalarType.Float32).matmul(Down.to_type(ScalarType.Float32)) * Num(Scale);

    internal Tensor Apply(Tensor x, Tensor weight, Tensor? bias)
    {
        if (merged is { } whole)
            return F.linear(x, whole, bias);
        return Magnitude is null ? Plain(x, weight, bias) : WithMagnitude(x, F.linear(x, Down.to_type(x.dtype)), weight, bias, Magnitude);
    }

    private Tensor Plain(Tensor x, Tensor weight, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        var rows = x.flatten(0, -2); // [n, in]
        var low = F.linear(rows, Down.to_type(x.dtype)); // [n, r]
        // Product, scaling and sum in one call, into the memory of the base's result, which no gradient asks for.
        var y = F.linear(rows, weight, bias).addmm_(low, Up.to_type(x.dtype).t(), 1, (float)Scale);
        return y.view([.. x.shape.AsSpan(0, x.shape.Length - 1), y.shape[1]]).MoveToOuterDisposeScope();
    }

    private Tensor WithMagnitude(Tensor x, Tensor low, Tensor weight, Tensor? bias, Tensor magnitude)
    {
        using var scope = NewDisposeScope(); // three matrices as large as the weight would outlive the call
        Tensor lengths;
        using (no_grad())
            lengths = ChangedWeight.RowLengths(weight.to_type(ScalarType.Float32).Plus(Delta()));
        var factor = (magnitude / lengths).to_type(x.dtype); // [out]
        var y = F.linear(x, weight).Plus(F.linear(low, Up.to_type(x.dtype)) * Num(Scale)) * factor;
        return (bias is null ? y : y.Plus(bias)).MoveToOuterDisposeScope();
    }
}
