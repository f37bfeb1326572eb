using static TorchSharp.torch;

namespace Sdxl.Diffusion.Schedulers;

/// <summary>
/// Walks from noise to a picture: for each of <see cref="Timesteps"/> the pipeline scales the sample, asks the net, and lets the sampler
/// step. Holds the state of one run (earlier answers of the net), so it is made anew for each.
/// </summary>
public abstract class Sampler : IDisposable
{
    private const double LeastSigma = 1e-10;

    /// <param name="config">The model's own schedule.</param>
    protected Sampler(SchedulerConfig config, int steps)
    {
        if (steps < 1 || steps > config.TrainTimesteps)
            throw new ArgumentOutOfRangeException(nameof(steps), steps, $"Expected 1 to {config.TrainTimesteps} steps.");
        (Config, Steps) = (config, steps);
        Alphas = [.. config.Noise().AlphasCumprod];
    }

    public SchedulerConfig Config { get; }

    /// <summary>Steps asked for.</summary>
    public int Steps { get; }

    /// <summary>The net's time at each call, falling; samplers that call the net twice a step list it twice.</summary>
    public double[] Timesteps { get; protected init; } = [];

    /// <summary>
    /// Noise level at each call in units of the picture, and the last one reached; empty for samplers that work on the cumulated alphas.
    /// </summary>
    public double[] Sigmas { get; protected init; } = [];

    /// <summary>What standard normal noise is multiplied by to be the first sample.</summary>
    public double InitialNoiseSigma { get; protected init; } = 1;

    /// <summary>Entries of <see cref="Timesteps"/> to skip for one step less: 2 for Heun, which calls the net twice.</summary>
    public virtual int CallsPerStep => 1;

    /// <summary>True: <see cref="Step"/> takes fresh noise each time.</summary>
    public virtual bool NeedsNoise => false;

    /// <summary>The sample as the net wants to see it at call <paramref name="index"/>.</summary>
    public virtual Tensor ScaleInput(Tensor sample, int index) => sample;

    /// <summary>One call's move.</summary>
    /// <param name="answer">The net's (guided) answer.</param>
    /// <param name="sample">The sample before the call, fp32, not scaled.</param>
    /// <param name="index">Which entry of <see cref="Timesteps"/>; the first may be above 0, then each in turn.</param>
    /// <param name="noise">Standard normal, for samplers that need it.</param>
    public abstract Tensor Step(Tensor answer, Tensor sample, int index, Tensor? noise = null);

    /// <summary>
    /// A picture's latents at the noise level before call <paramref name="index"/>: where image to image and inpainting begin.
    /// </summary>
    public abstract Tensor AddNoise(Tensor latents, Tensor noise, int index);

    public virtual void Dispose() => GC.SuppressFinalize(this);

    /// <summary>Cumulated alphas by training timestep.</summary>
    protected float[] Alphas { get; }

    /// <summary>
    /// sqrt((1 - a) / a) by training timestep. A signal of exactly zero is taken for 2^-24, so that the first level is finite.
    /// </summary>
    protected double[] TrainingSigmas => [.. Alphas.Select(a => a == 0 ? 1f / (1 << 24) : a).Select(a => (double)MathF.Sqrt((1 - a) / a))];

    /// <summary>The timesteps that "leading", "linspace" or "trailing" spacing visits, falling. Source: Lin et al. 2023, table 2.</summary>
    protected double[] SpacedTimesteps(bool rounded)
    {
        var (count, total) = (Steps, Config.TrainTimesteps);
        var rising = Enumerable.Range(0, count);
        double[] timesteps = Config.TimestepSpacing switch
        {
            "leading" => [.. rising.Reverse().Select(i => (double)(i * (total / count) + Config.StepsOffset))],
            "linspace" => [.. rising.Reverse().Select(i => count == 1 ? 0 : i * (total - 1.0) / (count - 1))],
            _ => [.. rising.Select(i => Math.Round(total - i * (double)total / count) - 1)],
        };
        return rounded ? [.. timesteps.Select(t => Math.Round(t))] : timesteps;
    }

    /// <summary>The training sigma at a fractional timestep.</summary>
    protected static double Interpolate(double[] sigmas, double timestep)
    {
        var low = Math.Clamp((int)Math.Floor(timestep), 0, sigmas.Length - 1);
        var high = Math.Min(low + 1, sigmas.Length - 1);
        return sigmas[low] + (sigmas[high] - sigmas[low]) * Math.Clamp(timestep - low, 0, 1);
    }

    /// <summary>The fractional timestep of a noise level, linear in log sigma.</summary>
    protected static double TimestepOf(double sigma, double[] logSigmas)
    {
        var log = Math.Log(Math.Max(sigma, LeastSigma));
        var low = 0;
        for (var i = 0; i < logSigmas.Length - 1 && logSigmas[i] <= log; i++)
            low = i;
        low = Math.Min(low, logSigmas.Length - 2);
        var weight = Math.Clamp((logSigmas[low] - log) / (logSigmas[low] - logSigmas[low + 1]), 0, 1);
        return (1 - weight) * low + weight * (low + 1);
    }

    /// <summary>sqrt(sigma² + 1) where the spacing leaves out the last timestep, else sigma.</summary>
    protected double SigmaOfPureNoise(double largest) =>
        Config.TimestepSpacing is "linspace" or "trailing" ? largest : Math.Sqrt(largest * largest + 1);

    /// <summary>The clean picture that the answer implies for a sample = picture + sigma · noise.</summary>
    protected Tensor Denoised(Tensor answer, Tensor sample, double sigma) => Config.PredictsVelocity
        ? (answer * Num(-sigma / Math.Sqrt(sigma * sigma + 1))).Plus(sample / Num(sigma * sigma + 1))
        : sample - answer * Num(sigma);
}
