using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Optimizers;

/// <summary>Settings of <see cref="Prodigy"/>.</summary>
/// <param name="D0">First estimate of the distance to the solution; too small costs some steps, too large can diverge.</param>
/// <param name="DCoef">Factor on the estimate: 0.5 to 2 makes it more careful or bolder.</param>
/// <param name="GrowthRate">Most that the estimate may grow in one step.</param>
/// <param name="UseBiasCorrection">Adam's correction of the first steps.</param>
/// <param name="SafeguardWarmup">Leaves the warm-up's small rates out of the estimate's denominator: wanted with a warm-up.</param>
public sealed record ProdigySettings(
    double Beta1 = 0.9,
    double Beta2 = 0.999,
    double Eps = 1e-8,
    double D0 = 1e-6,
    double DCoef = 1,
    double GrowthRate = double.PositiveInfinity,
    bool UseBiasCorrection = false,
    bool SafeguardWarmup = false
);

/// <summary>Adam that finds its own learning rate (the estimate <c>d</c>): set the rates to 1.</summary>
/// <remarks>Mishchenko and Defazio, arXiv:2306.06101, as prodigyopt 1.1.2 computes it, with two widenings: groups may have different rates,
/// and each group's step follows its own.</remarks>
public sealed class Prodigy : Optimizer
{
    private readonly ProdigySettings settings;
    private readonly Dictionary<ParameterGroup, (Tensor Mean, Tensor Square, Tensor S, Tensor Start)> running = [];
    private double d, dMax, numerator;
    private int updates; // steps that had a gradient and a rate: those the bias correction counts

    public Prodigy(IReadOnlyList<ParameterGroup> groups, ProdigySettings? settings = null) : base(groups)
    {
        this.settings = settings ?? new ProdigySettings();
        d = dMax = this.settings.D0;
        using var guard = no_grad();
        foreach (var group in groups)
        {
            var values = group.Parameters.Values;
            var start = NewState($"{group.Name}.p0", values);
            start.copy_(values);
            running[group] = (
                NewState($"{group.Name}.exp_avg", values),
                NewState($"{group.Name}.exp_avg_sq", values),
                NewState($"{group.Name}.s", values),
                start
            );
        }
    }

    /// <summary>The estimate: the learning rate that a rate of 1 stands for.</summary>
    public double D => d;

    public override IReadOnlyDictionary<string, double> Numbers =>
        new Dictionary<string, double>(base.Numbers) { ["d"] = d, ["d_max"] = dMax, ["d_numerator"] = numerator, ["updates"] = updates };

    protected override void RestoreNumbers(IReadOnlyDictionary<string, double> saved) =>
        (d, dMax, numerator, updates) = (saved["d"], saved["d_max"], saved["d_numerator"], (int)saved["updates"]);

    protected override void Update(IReadOnlyList<ParameterGroup> groups)
    {
        var (beta1, beta2, eps, d0) = (settings.Beta1, settings.Beta2, settings.Eps, settings.D0);
        var beta3 = Math.Sqrt(beta2);
        var correction = settings.UseBiasCorrection ? Math.Sqrt(1 - Math.Pow(beta2, updates + 1)) / (1 - Math.Pow(beta1, updates + 1)) : 1;
        var rate = groups.Max(g => g.Rate);
        var dRate = d * rate * correction;

        var (products, sizes) = (new List<Tensor>(), new List<Tensor>()); // scalars on the device: read once, because reading waits for it
        foreach (var group in groups.Where(g => g.Rate > 0))
        {
            var (mean, square, sum, start) = running[group];
            foreach (var chunk in Chunks(group.Parameters, mean, square, sum, start))
            {
                var (p, g, m, v, s, p0) = (chunk[0], chunk[1], chunk[2], chunk[3], chunk[4], chunk[5]);
                products.Add(dot(g, p0 - p).MoveToOuterDisposeScope());
                m.mul_(Num(beta1)).add_(g, Num(d * (1 - beta1)));
                v.mul_(Num(beta2)).addcmul_(g, g, Num(d * d * (1 - beta2)));
                s.mul_(Num(beta3)).add_(g, Num(d / d0 * (settings.SafeguardWarmup ? d : dRate)));
                sizes.Add(s.abs().sum().MoveToOuterDisposeScope());
            }
        }
        if (products.Count == 0)
            return; // a warm-up starts with a rate of 0
        var sums = stack([stack(products), stack(sizes)]).to_type(ScalarType.Float64).sum(1).cpu().data<double>().ToArray();
        var (newNumerator, denominator) = (numerator * beta3 + d / d0 * dRate * sums[0], sums[1]);
        if (denominator == 0)
            return; // no gradient at all so far: nothing to learn from

        updates++;
        numerator = newNumerator;
        if (rate > 0)
        {
            var estimate = settings.DCoef * numerator / denominator;
            if (d == d0)
                d = Math.Max(d, estimate);
            dMax = Math.Max(dMax, estimate);
            d = Math.Min(dMax, d * settings.GrowthRate);
        }

        foreach (var group in groups)
        {
            var step = dRate * (rate > 0 ? group.Rate / rate : 0); // dRate itself was fixed before d grew, as in the reference
            var (mean, square, _, _) = running[group];
            foreach (var chunk in Chunks(group.Parameters.Values, mean, square))
            {
                var (p, m, v) = (chunk[0], chunk[1], chunk[2]);
                var divisor = v.sqrt().add_(Num(d * eps));
                if (group.WeightDecay != 0)
                    p.mul_(Num(1 - group.WeightDecay * step));
                p.addcdiv_(m, divisor, Num(-step));
            }
        }
    }
}
