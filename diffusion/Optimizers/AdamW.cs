using static TorchSharp.torch;

namespace Sdxl.Diffusion.Optimizers;

/// <summary>Settings of <see cref="AdamW"/>.</summary>
/// <param name="Beta1">Memory of the mean gradient.</param>
/// <param name="Beta2">Memory of the squared gradient.</param>
/// <param name="Eps">Keeps the division finite.</param>
public sealed record AdamWSettings(double Beta1 = 0.9, double Beta2 = 0.999, double Eps = 1e-8);

/// <summary>Adam with decoupled weight decay: the default, right unless there is a reason.</summary>
/// <remarks>Loshchilov and Hutter, arXiv:1711.05101, as PyTorch computes it.</remarks>
public sealed class AdamW : Optimizer
{
    private readonly AdamWSettings settings;
    private readonly Dictionary<ParameterGroup, (Tensor Mean, Tensor Square)> moments = [];

    public AdamW(IReadOnlyList<ParameterGroup> groups, AdamWSettings? settings = null) : base(groups)
    {
        this.settings = settings ?? new AdamWSettings();
        foreach (var group in groups)
            moments[group] = (
                NewState($"{group.Name}.exp_avg", group.Parameters.Values),
                NewState($"{group.Name}.exp_avg_sq", group.Parameters.Values)
            );
    }

    protected override void Update(IReadOnlyList<ParameterGroup> groups)
    {
        var (beta1, beta2, eps) = settings;
        var correction1 = 1 - Math.Pow(beta1, Steps);
        var correction2 = Math.Sqrt(1 - Math.Pow(beta2, Steps));
        foreach (var group in groups)
        {
            var (mean, square) = moments[group];
            foreach (var chunk in Chunks(group.Parameters, mean, square))
            {
                var (p, g, m, v) = (chunk[0], chunk[1], chunk[2], chunk[3]);
                if (group.WeightDecay != 0)
                    p.mul_(Num(1 - group.Rate * group.WeightDecay));
                m.mul_(Num(beta1)).add_(g, Num(1 - beta1));
                v.mul_(Num(beta2)).addcmul_(g, g, Num(1 - beta2));
                // p -= rate * (m / correction1) / (sqrt(v) / correction2 + eps), numerator and denominator times correction2: one pass
                // less.
                p.addcdiv_(m, v.sqrt().add_(Num(eps * correction2)), Num(-group.Rate * correction2 / correction1));
            }
        }
    }
}
