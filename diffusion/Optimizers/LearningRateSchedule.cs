namespace Sdxl.Diffusion.Optimizers;

/// <summary>How a learning rate changes over a run: a pure function of (settings, step).</summary>
/// <param name="Kind">
/// constant: for short LoRA runs. constant_with_warmup: the same, gentler on Adam's first steps. linear, cosine: end at 0, for longer runs
/// and full fine-tunes. cosine_with_restarts: several cosines, to leave poor minima. polynomial: to <see cref="PolynomialEnd"/> along a
/// power curve.
/// </param>
/// <param name="WarmupSteps">Updates over which the rate rises from 0; also with 'constant' when above 0 (there it is the same as
/// constant_with_warmup).</param>
/// <param name="TotalSteps">Updates in all; at that step the falling schedules have reached their end.</param>
/// <param name="Cycles">Cosines of cosine_with_restarts.</param>
/// <param name="Power">Exponent of polynomial; 1 is a straight line.</param>
/// <remarks>Multipliers are those of diffusers' optimization.py; reference values in goldens/lr-schedules.json.</remarks>
public sealed record LearningRateSchedule(string Kind, int WarmupSteps, int TotalSteps, int Cycles = 1, double Power = 1)
{
    /// <summary>The rate (absolute) that polynomial ends at.</summary>
    public const double PolynomialEnd = 1e-7;

    /// <summary>The rate of update <paramref name="step"/> (0, 1, …) for a base rate.</summary>
    public double Rate(int step, double baseRate) => baseRate * Multiplier(step, baseRate);

    /// <param name="step">0, 1, …; beyond <see cref="TotalSteps"/> the end value holds.</param>
    /// <param name="baseRate">Only polynomial looks at it, since its end is an absolute rate.</param>
    /// <exception cref="ArgumentException">The kind is not one of the six.</exception>
    public double Multiplier(int step, double baseRate = 1)
    {
        if (step < WarmupSteps)
            return (double)step / Math.Max(1, WarmupSteps);
        // 0 at the end of the warm-up, 1 at the end of the run
        var progress = (double)(step - WarmupSteps) / Math.Max(1, TotalSteps - WarmupSteps);
        return Kind switch
        {
            "constant" or "constant_with_warmup" => 1,
            "linear" => Math.Max(0, (double)(TotalSteps - step) / Math.Max(1, TotalSteps - WarmupSteps)),
            "cosine" => Math.Max(0, 0.5 * (1 + Math.Cos(Math.PI * progress))),
            "cosine_with_restarts" => progress >= 1 ? 0 : Math.Max(0, 0.5 * (1 + Math.Cos(Math.PI * (Cycles * progress % 1)))),
            "polynomial" => Polynomial(progress, baseRate),
            _ => throw new ArgumentException(
                $"Learning-rate schedule '{Kind}' is unknown. Choose constant, constant_with_warmup, linear, cosine, cosine_with_restarts "
                    + "or polynomial."
            ),
        };
    }

    private double Polynomial(double progress, double baseRate)
    {
        var end = Math.Min(PolynomialEnd, baseRate); // a rate below the end stays where it is
        if (baseRate == 0)
            return 0;
        return progress >= 1 ? end / baseRate : ((baseRate - end) * Math.Pow(1 - progress, Power) + end) / baseRate;
    }
}
