using static TorchSharp.torch;

namespace Sdxl.Diffusion.Optimizers;

/// <summary>Settings of <see cref="Adafactor"/>.</summary>
/// <param name="ScaleParameter">Scale each tensor's rate by the size of its values.</param>
/// <param name="RelativeStep">Ignore the given rates; take min(0.01, 1/sqrt(step)).</param>
/// <param name="WarmupInit">With RelativeStep: rise from 1e-6 a step.</param>
public sealed record AdafactorSettings(
    bool ScaleParameter = false,
    bool RelativeStep = false,
    bool WarmupInit = false,
    double Eps1 = 1e-30,
    double Eps2 = 1e-3,
    double ClipThreshold = 1,
    double DecayRate = -0.8
);

/// <summary>
/// Keeps only row and column means of the squared gradient and no mean gradient: least memory, for full fine-tunes that hardly fit.
/// </summary>
/// <remarks>Shazeer and Stern, arXiv:1804.04235, as transformers' optimization.py computes it.</remarks>
public sealed class Adafactor : Optimizer
{
    private readonly AdafactorSettings settings;
    private readonly Dictionary<(ParameterGroup Group, string Name), Tensor[]> squares = []; // [row, column], or [all] for vectors

    public Adafactor(IReadOnlyList<ParameterGroup> groups, AdafactorSettings? settings = null) : base(groups)
    {
        this.settings = settings ?? new AdafactorSettings();
        foreach (var group in groups)
        {
            foreach (var (name, tensor) in group.Parameters.Tensors)
            {
                var shape = tensor.shape;
                squares[(group, name)] = shape.Length < 2
                    ? [NewState($"{group.Name}.exp_avg_sq.{name}", tensor)]
                    : [
                        NewState($"{group.Name}.exp_avg_sq_row.{name}", shape[..^1], tensor.device),
                        NewState($"{group.Name}.exp_avg_sq_col.{name}", [.. shape[..^2], shape[^1]], tensor.device),
                    ];
            }
        }
    }

    protected override void Update(IReadOnlyList<ParameterGroup> groups)
    {
        var beta = 1 - Math.Pow(Steps, settings.DecayRate);
        foreach (var group in groups)
        {
            foreach (var (name, p, gradient) in group.Parameters.WithGradients)
            {
                using var scope = NewDisposeScope();
                var g = Scaled(gradient);
                var rate = RateFor(group, p);
                var square = g.Squared().add_(Num(settings.Eps1));
                var running = squares[(group, name)];
                Tensor update;
                if (running.Length == 2)
                {
                    var (row, column) = (running[0], running[1]);
                    row.mul_(Num(beta)).add_(square.mean([-1]), Num(1 - beta));
                    column.mul_(Num(beta)).add_(square.mean([-2]), Num(1 - beta));
                    var rowFactor = row.div(row.mean([-1], keepdim: true)).rsqrt_().unsqueeze(-1);
                    update = rowFactor.mul(column.unsqueeze(-2).rsqrt()).mul_(g);
                }
                else
                {
                    running[0].mul_(Num(beta)).add_(square, Num(1 - beta));
                    update = running[0].rsqrt().mul_(g);
                }
                update.div_(RootMeanSquare(update).div_(Num(settings.ClipThreshold)).clamp_min_(Num(1.0)));
                if (group.WeightDecay != 0)
                    p.sub_(p.mul(rate * Num(group.WeightDecay)));
                p.sub_(update.mul_(rate));
            }
        }
    }

    /// <summary>A scalar tensor: the rate stays on the device, no synchronisation.</summary>
    private Tensor RateFor(ParameterGroup group, Tensor p)
    {
        var rate = settings.RelativeStep ? Math.Min(settings.WarmupInit ? 1e-6 * Steps : 1e-2, 1 / Math.Sqrt(Steps)) : group.Rate;
        return settings.ScaleParameter
            ? RootMeanSquare(p).clamp_min_(Num(settings.Eps2)).mul_(Num(rate))
            : Num(rate).AsTensor(float32, p.device);
    }

    private static Tensor RootMeanSquare(Tensor t) => t.norm().div_(Num(Math.Sqrt(t.NumberOfElements)));
}
