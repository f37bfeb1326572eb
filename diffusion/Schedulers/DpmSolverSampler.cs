using static TorchSharp.torch;

namespace Sdxl.Diffusion.Schedulers;

/// <summary>
/// DPMSolverMultistep and KarrasDPM: DPM-Solver++ of second order (midpoint), which remembers the picture implied by the call before.
/// </summary>
/// <remarks>Source: diffusers schedulers/scheduling_dpmsolver_multistep.py @58eb52c; Lu et al. 2022 (arXiv:2211.01095); Karras et al. 2022
/// for the levels.</remarks>
public sealed class DpmSolverSampler : Sampler
{
    private const double Rho = 7;          // Karras' spacing exponent

    private Tensor? pictureBefore;         // what the call before implied

    public DpmSolverSampler(SchedulerConfig config, int steps, bool karras) : base(config, steps)
    {
        var training = TrainingSigmas;
        double[] levels;
        if (karras)
        {
            double[] logs = [.. training.Select(s => Math.Log(s))];
            var (least, most) = (Math.Pow(training[0], 1 / Rho), Math.Pow(training[^1], 1 / Rho));
            levels =
            [
                .. Enumerable.Range(0, steps).Select(i => Math.Pow(most + (steps == 1 ? 0 : i / (steps - 1.0)) * (least - most), Rho)),
            ];
            Timesteps = [.. levels.Select(s => Math.Round(TimestepOf(s, logs)))];
        }
        else
        {
            Timesteps = Spaced(config, steps);
            levels = [.. Timesteps.Select(t => Interpolate(training, t))];
        }
        Sigmas = [.. levels.Select(s => (double)(float)s), 0];
    }

    public override Tensor Step(Tensor answer, Tensor sample, int index, Tensor? noise = null)
    {
        using var scope = NewDisposeScope();
        var (alpha, sigma) = Split(Sigmas[index]);
        var picture = Config.PredictsVelocity ? sample * Num(alpha) - answer * Num(sigma) : (sample - answer * Num(sigma)) / Num(alpha);

        var last = index == Timesteps.Length - 1;
        var (nextAlpha, nextSigma) = Split(Sigmas[index + 1]);
        // At the last level sigma is 0: lambda is infinite, exp(-h) is 0, and the sample becomes the picture.
        var h = Lambda(nextAlpha, nextSigma) - Lambda(alpha, sigma);
        var towards = -nextAlpha * (Math.Exp(-h) - 1);
        var moved = (sample * Num(nextSigma / sigma)).Plus(picture * Num(towards));
        if (pictureBefore is not null && !last)
        {
            var (alphaBefore, sigmaBefore) = Split(Sigmas[index - 1]);
            var ratio = (Lambda(alpha, sigma) - Lambda(alphaBefore, sigmaBefore)) / h;
            moved = moved.Plus((picture - pictureBefore) * Num(0.5 * towards / ratio));
        }
        pictureBefore?.Dispose();
        pictureBefore = picture.DetachFromDisposeScope();
        return moved.MoveToOuterDisposeScope();
    }

    public override Tensor AddNoise(Tensor latents, Tensor noise, int index)
    {
        var (alpha, sigma) = Split(Sigmas[index]);
        return (latents * Num(alpha)).Plus(noise * Num(sigma));
    }

    public override void Dispose()
    {
        pictureBefore?.Dispose();
        base.Dispose();
    }

    /// <summary>This solver counts one step more than it makes.</summary>
    private static double[] Spaced(SchedulerConfig config, int steps)
    {
        var total = config.TrainTimesteps;
        var rising = Enumerable.Range(1, steps);
        return config.TimestepSpacing switch
        {
            "leading" => [.. rising.Reverse().Select(i => (double)(i * (total / (steps + 1)) + config.StepsOffset))],
            "linspace" => [.. rising.Reverse().Select(i => Math.Round(i * (total - 1.0) / steps))],
            _ => [.. Enumerable.Range(0, steps).Select(i => Math.Round(total - i * (double)total / steps) - 1)],
        };
    }

    /// <summary>sigma in units of the picture -> (alpha, sigma) with alpha² + sigma² = 1.</summary>
    private static (double Alpha, double Sigma) Split(double sigma)
    {
        var alpha = 1 / Math.Sqrt(sigma * sigma + 1);
        return (alpha, sigma * alpha);
    }

    private static double Lambda(double alpha, double sigma) => Math.Log(alpha) - Math.Log(sigma);
}
