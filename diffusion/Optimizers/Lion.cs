using static TorchSharp.torch;

namespace Sdxl.Diffusion.Optimizers;

/// <summary>Settings of <see cref="Lion"/>.</summary>
public sealed record LionSettings(double Beta1 = 0.9, double Beta2 = 0.99);

/// <summary>
/// Moves every value by the rate, in the direction of the sign of its averaged gradient: half of Adam's memory; give it a third of AdamW's
/// rate.
/// </summary>
/// <remarks>Chen et al., arXiv:2302.06675, as lion-pytorch computes it.</remarks>
public sealed class Lion : Optimizer
{
    private readonly LionSettings settings;
    private readonly Dictionary<ParameterGroup, Tensor> means = [];

    public Lion(IReadOnlyList<ParameterGroup> groups, LionSettings? settings = null) : base(groups)
    {
        this.settings = settings ?? new LionSettings();
        foreach (var group in groups)
            means[group] = NewState($"{group.Name}.exp_avg", group.Parameters.Values);
    }

    protected override void Update(IReadOnlyList<ParameterGroup> groups)
    {
        foreach (var group in groups)
        {
            foreach (var chunk in Chunks(group.Parameters, means[group]))
            {
                var (p, g, m) = (chunk[0], chunk[1], chunk[2]);
                if (group.WeightDecay != 0)
                    p.mul_(Num(1 - group.Rate * group.WeightDecay));
                p.add_((m * Num(settings.Beta1)).add_(g, Num(1 - settings.Beta1)).sign_(), Num(-group.Rate));
                m.mul_(Num(settings.Beta2)).add_(g, Num(1 - settings.Beta2));
            }
        }
    }
}
