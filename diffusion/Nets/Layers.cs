using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Sdxl.Diffusion.Nets;

// The leaves of every net. TorchSharp's own layers initialise their weights (minutes for SDXL, and GroupNorm does not at all in
// 0.104-0.107); these allocate on the device in the right type and leave the filling to the loader. Weights start frozen: who trains them
// says so. An input of another type than the weight (fp32 master weights under a bf16 pass) makes the layer cast its weight for the call.

/// <summary>Allocation and casting shared by the layers.</summary>
internal static class Weights
{
    /// <summary>An uninitialised, frozen parameter that no dispose scope owns.</summary>
    public static Parameter Allocate(Placement at, params long[] shape)
    {
        var parameter = new Parameter(empty(shape, at.Dtype, at.Device), requires_grad: false);
        parameter.DetachFromDisposeScope();
        return parameter;
    }

    /// <summary>The weight in the input's type: itself where they agree (no copy).</summary>
    public static Tensor As(this Tensor weight, Tensor input) => weight.dtype == input.dtype ? weight : weight.to_type(input.dtype);
}

/// <summary>Pointwise functions that reuse their input's memory where no gradient will ask for it.</summary>
internal static class Pointwise
{
    /// <summary>silu of a fresh tensor that nothing else reads.</summary>
    public static Tensor Silu(Tensor fresh) => is_grad_enabled() ? F.silu(fresh) : fresh.silu_();

    /// <summary>fresh · other, where nothing else reads the first.</summary>
    public static Tensor Multiply(Tensor fresh, Tensor other) => is_grad_enabled() ? fresh * other : fresh.mul_(other);

    /// <summary>fresh + other, where nothing else reads the first.</summary>
    public static Tensor Add(Tensor fresh, Tensor other) => is_grad_enabled() ? fresh.Plus(other) : fresh.Plus_(other);
}

/// <summary>y = x W^T + b, with a slot for a low-rank branch. x [..., in] -> [..., out].</summary>
/// <remarks>The keys are "weight" [out, in] and "bias" [out]; a branch adds no key.</remarks>
public sealed class Linear : nn.Module<Tensor, Tensor>, IWeighted
{
    private readonly Parameter weight;
    private readonly Parameter? bias;
    private readonly WeightSlot slot = new();
    private LowRankBranch? branch; // a plain object: invisible to RegisterComponents

    internal Linear(Placement at, long inputs, long outputs, bool hasBias = true) : base(nameof(Linear))
    {
        weight = Weights.Allocate(at, outputs, inputs);
        bias = hasBias ? Weights.Allocate(at, outputs) : null;
        RegisterComponents();
    }

    /// <summary>The base weight [out, in], never changed by a branch.</summary>
    public Parameter Weight => weight;

    /// <summary>Adds a branch (null removes it, leaving nothing behind). The caller owns and disposes its tensors.</summary>
    public void Attach(LowRankBranch? added) => branch = added;

    /// <summary>The branch in the slot.</summary>
    public LowRankBranch? Branch => branch;

    /// <inheritdoc/>
    public void StandIn(Tensor? weight) => slot.Tensor = weight;

    public override Tensor forward(Tensor x) =>
        branch is null ? F.linear(x, (slot.Tensor ?? weight).As(x), bias?.As(x)) : branch.Apply(x, weight.As(x), bias?.As(x));
}

/// <summary>A 2D convolution with zero padding. x [B,Cin,H,W] -> [B,Cout,H',W'].</summary>
public sealed class Conv2d : nn.Module<Tensor, Tensor>, IWeighted
{
    private readonly Parameter weight; // [Cout, Cin, k, k]
    private readonly Parameter? bias;
    private readonly WeightSlot slot = new();
    private readonly long[] strides, paddings;

    internal Conv2d(Placement at, long inputs, long outputs, int kernel, int stride = 1, int padding = 0, bool hasBias = true)
        : base(nameof(Conv2d))
    {
        weight = Weights.Allocate(at, outputs, inputs, kernel, kernel);
        bias = hasBias ? Weights.Allocate(at, outputs) : null;
        strides = [stride, stride];
        paddings = [padding, padding];
        RegisterComponents();
    }

    /// <inheritdoc/>
    public Parameter Weight => weight;

    /// <inheritdoc/>
    public void StandIn(Tensor? weight) => slot.Tensor = weight;

    public override Tensor forward(Tensor x) => Convolution.Apply(x, (slot.Tensor ?? weight).As(x), bias?.As(x), strides, paddings);
}

/// <summary>Group normalisation with a gain and an offset per channel. x [B,C,...].</summary>
public sealed class GroupNorm : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight, bias; // [C]
    private readonly long groups;
    private readonly double epsilon;

    internal GroupNorm(Placement at, long groups, long channels, double epsilon) : base(nameof(GroupNorm))
    {
        (this.groups, this.epsilon) = (groups, epsilon);
        weight = Weights.Allocate(at, channels);
        bias = Weights.Allocate(at, channels);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => F.group_norm(x, groups, weight.As(x), bias.As(x), epsilon);
}

/// <summary>Layer normalisation over the last dimension. x [..., D].</summary>
public sealed class LayerNorm : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight, bias; // [D]
    private readonly long[] shape;
    private readonly double epsilon;

    internal LayerNorm(Placement at, long width, double epsilon = 1e-5) : base(nameof(LayerNorm))
    {
        (shape, this.epsilon) = ([width], epsilon);
        weight = Weights.Allocate(at, width);
        bias = Weights.Allocate(at, width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => F.layer_norm(x, shape, weight.As(x), bias.As(x), epsilon);
}

/// <summary>A table of rows. ids [...] int64 -> [..., D].</summary>
public sealed class Embedding : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight; // [rows, D]

    internal Embedding(Placement at, long rows, long width) : base(nameof(Embedding))
    {
        weight = Weights.Allocate(at, rows, width);
        RegisterComponents();
    }

    /// <summary>The table [rows, D].</summary>
    public Parameter Weight => weight;

    public override Tensor forward(Tensor ids) => Lookup(weight, ids);

    /// <summary>
    /// Rows of the table, or where an id is not in the table, row (id - rows) of <paramref name="added"/> [N, D]: only those carry a
    /// gradient, so N new tokens train without touching or copying the table.
    /// </summary>
    public Tensor forward(Tensor ids, Tensor added)
    {
        var rows = weight.shape[0];
        var known = Lookup(weight, ids.clamp_max(Num(rows - 1)));
        // Rows are taken by a product with ones and zeros, which is exact: the gradient of a lookup is summed in changing order on a GPU,
        // that of a product is not.
        var isRow = (ids - Num(rows)).unsqueeze(-1).eq(Num(added.shape[0]).Range(ScalarType.Int64, ids.device)); // [..., N]
        var fresh = isRow.to_type(added.dtype).matmul(added);
        return where(ids.ge(Num(rows)).unsqueeze(-1), fresh.to_type(known.dtype), known);
    }

    private static Tensor Lookup(Tensor table, Tensor ids) => table.index_select(0, ids.flatten()).view([.. ids.shape, table.shape[1]]);
}

/// <summary>Stands where diffusers has a dropout of rate 0, so that the list's numbers stay the checkpoint's.</summary>
public sealed class Nothing : nn.Module<Tensor, Tensor>
{
    internal Nothing() : base(nameof(Nothing)) => RegisterComponents();

    public override Tensor forward(Tensor x) => x;
}
