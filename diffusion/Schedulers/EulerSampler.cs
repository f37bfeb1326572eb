using static TorchSharp.torch;

namespace Sdxl.Diffusion.Schedulers;

/// <summary>Samplers on sample = picture + sigma · noise: what Euler, its ancestral variant and Heun share.</summary>
public abstract class SigmaSampler : Sampler
{
    private protected SigmaSampler(SchedulerConfig config, int steps, int repeats) : base(config, steps)
    {
        var visited = SpacedTimesteps(rounded: false);
        var training = TrainingSigmas;
        double[] levels = [.. visited.Select(t => (double)(float)Interpolate(training, t))];
        // Each level after the first is visited as often as the net is called a step.
        Timesteps = [visited[0], .. visited[1..].SelectMany(t => Enumerable.Repeat(t, repeats))];
        Sigmas = [levels[0], .. levels[1..].SelectMany(s => Enumerable.Repeat(s, repeats)), 0];
        InitialNoiseSigma = SigmaOfPureNoise(levels.Max());
    }

    public override Tensor ScaleInput(Tensor sample, int index) => sample / Num(Math.Sqrt(Sigmas[index] * Sigmas[index] + 1));

    public override Tensor AddNoise(Tensor latents, Tensor noise, int index) => latents.Plus(noise * Num(Sigmas[index]));
}

/// <summary>K_EULER: one straight step to the next noise level.</summary>
/// <remarks>Source: diffusers schedulers/scheduling_euler_discrete.py @58eb52c; Karras et al. 2022, algorithm 2 without churn.</remarks>
public sealed class EulerSampler(SchedulerConfig config, int steps) : SigmaSampler(config, steps, 1)
{
    public override Tensor Step(Tensor answer, Tensor sample, int index, Tensor? noise = null)
    {
        using var scope = NewDisposeScope();
        var slope = (sample - Denoised(answer, sample, Sigmas[index])) / Num(Sigmas[index]);
        return sample.Plus(slope * Num(Sigmas[index + 1] - Sigmas[index])).MoveToOuterDisposeScope();
    }
}

/// <summary>K_EULER_ANCESTRAL: steps further down than asked and adds fresh noise back up.</summary>
/// <remarks>Source: diffusers schedulers/scheduling_euler_ancestral_discrete.py @58eb52c.</remarks>
public sealed class EulerAncestralSampler(SchedulerConfig config, int steps) : SigmaSampler(config, steps, 1)
{
    public override bool NeedsNoise => true;

    public override Tensor Step(Tensor answer, Tensor sample, int index, Tensor? noise = null)
    {
        using var scope = NewDisposeScope();
        var (from, to) = (Sigmas[index], Sigmas[index + 1]);
        var up = Math.Sqrt(to * to * (from * from - to * to) / (from * from));
        var down = Math.Sqrt(to * to - up * up);
        var slope = (sample - Denoised(answer, sample, from)) / Num(from);
        var moved = sample.Plus(slope * Num(down - from));
        return (
            up == 0
                ? moved
                : moved.Plus(
                    (noise ?? throw new ArgumentNullException(nameof(noise), "K_EULER_ANCESTRAL needs fresh noise each step.")) * Num(up)
                )
        ).MoveToOuterDisposeScope();
    }
}

/// <summary>HeunDiscrete: a straight step, a second look from its end, then the step along the mean of both slopes.</summary>
/// <remarks>Source: diffusers schedulers/scheduling_heun_discrete.py @58eb52c; Karras et al. 2022.</remarks>
public sealed class HeunSampler(SchedulerConfig config, int steps) : SigmaSampler(config, steps, 2)
{
    private Tensor? firstSlope, start;
    private double distance;

    public override int CallsPerStep => 2;

    public override Tensor Step(Tensor answer, Tensor sample, int index, Tensor? noise = null)
    {
        using var scope = NewDisposeScope();
        if (firstSlope is null || start is null)
        {
            firstSlope = ((sample - Denoised(answer, sample, Sigmas[index])) / Num(Sigmas[index])).DetachFromDisposeScope();
            start = sample.alias().DetachFromDisposeScope();
            distance = Sigmas[index + 1] - Sigmas[index];
            return sample.Plus(firstSlope * Num(distance)).MoveToOuterDisposeScope();
        }
        var slope = firstSlope.Plus((sample - Denoised(answer, sample, Sigmas[index])) / Num(Sigmas[index])) / Num(2);
        var moved = start.Plus(slope * Num(distance)).MoveToOuterDisposeScope();
        Forget();
        return moved;
    }

    public override void Dispose()
    {
        Forget();
        base.Dispose();
    }

    private void Forget()
    {
        firstSlope?.Dispose();
        start?.Dispose();
        (firstSlope, start) = (null, null);
    }
}
