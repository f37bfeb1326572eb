using static TorchSharp.torch;

namespace Sdxl.Diffusion.Adapters;

/// <summary>LoRA of a linear layer, LoCon of a convolution: Scale · Up · Down.</summary>
/// <param name="Down">[r, in], of a convolution [r, in, k, k].</param>
/// <param name="Up">[out, r], or [out, r, 1, 1].</param>
/// <param name="Mid">Null; in Tucker's form [r, r, k, k], between an Up and a Down of 1x1.</param>
public sealed record LoraLayer(string Net, string Module, Tensor Down, Tensor Up, double Scale, Tensor? Magnitude = null,
    Tensor? Mid = null)
    : LayerChange(Net, Module, Scale, Magnitude)
{
    public long Rank => Down.shape[0];

    public override (long Rows, long Columns) Size =>
        (Up.shape[0], SizeOf(Up, Down, null).Item2 * (Mid is null ? 1 : Mid.shape[2] * Mid.shape[3]));

    public override Tensor Delta(double strength = 1)
    {
        var (up, down) = (Matrix(Up.to_type(ScalarType.Float32)), Down.to_type(ScalarType.Float32).flatten(1));
        return Product(Mid is null ? up : up.t(), down, Mid) * Num(strength * Scale);
    }

    /// <summary>The same change with scale 1, the factor moved into Up: what files hold in which alpha = rank everywhere.</summary>
    public LoraLayer Folded() => Scale == 1 ? this : this with { Up = Up * Num(Scale), Scale = 1 };

    internal override LayerChange On(Device device) =>
        this with { Down = Down.to(device), Up = Up.to(device), Mid = Mid?.to(device), Magnitude = Magnitude?.to(device) };

    protected override IEnumerable<Tensor?> Parts => [Down, Up, Mid];

    internal override string? Problem()
    {
        if (ProblemOf("up", Up, "down", Down, null) is { } problem)
            return problem;
        return Mid is null || Mid.dim() == 4 && Mid.shape[0] == Rank && Mid.shape[1] == Rank && Down.shape.Skip(2).All(side => side == 1)
            ? null
            : $"down is {Shown(Down)} and mid {Shown(Mid)}; expected [r, in, 1, 1] and [r, r, k, k].";
    }
}
