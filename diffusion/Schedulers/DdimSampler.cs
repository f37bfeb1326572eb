using static TorchSharp.torch;

namespace Sdxl.Diffusion.Schedulers;

/// <summary>Samplers on sample = sqrt(a) picture + sqrt(1 - a) noise: what DDIM and PNDM share.</summary>
public abstract class AlphaSampler(SchedulerConfig config, int steps) : Sampler(config, steps)
{
    /// <summary>Training timesteps between two steps.</summary>
    protected int Stride => Config.TrainTimesteps / Steps;

    public override Tensor AddNoise(Tensor latents, Tensor noise, int index)
    {
        double alpha = Alphas[(int)Timesteps[index]];
        return (latents * Num(Math.Sqrt(alpha))).Plus(noise * Num(Math.Sqrt(1 - alpha)));
    }

    /// <summary>Signal at a timestep; before 0 that of timestep 0, or 1 where the config says so.</summary>
    protected double AlphaAt(int timestep) => timestep >= 0 ? Alphas[timestep] : Config.SetAlphaToOne ? 1 : Alphas[0];
}

/// <summary>DDIM without added noise (eta 0).</summary>
/// <remarks>Source: diffusers schedulers/scheduling_ddim.py @58eb52c; Song et al. 2020 (arXiv:2010.02502), formula 12.</remarks>
public sealed class DdimSampler : AlphaSampler
{
    public DdimSampler(SchedulerConfig config, int steps) : base(config, steps) => Timesteps = SpacedTimesteps(rounded: true);

    public override Tensor Step(Tensor answer, Tensor sample, int index, Tensor? noise = null)
    {
        using var scope = NewDisposeScope();
        var timestep = (int)Timesteps[index];
        var (alpha, next) = (AlphaAt(timestep), AlphaAt(timestep - Stride));
        var (signal, spread) = (Math.Sqrt(alpha), Math.Sqrt(1 - alpha));
        var picture = Config.PredictsVelocity ? sample * Num(signal) - answer * Num(spread) : (sample - answer * Num(spread)) / Num(signal);
        var direction = Config.PredictsVelocity ? (answer * Num(signal)).Plus(sample * Num(spread)) : answer;
        return (picture * Num(Math.Sqrt(next))).Plus(direction * Num(Math.Sqrt(1 - next))).MoveToOuterDisposeScope();
    }
}

/// <summary>PNDM by linear multistep (PLMS, without the Runge-Kutta start): the second timestep is visited twice.</summary>
/// <remarks>Source: diffusers schedulers/scheduling_pndm.py @58eb52c with skip_prk_steps; Liu et al. 2022 (arXiv:2202.09778), formulas 9
/// and 12.</remarks>
public sealed class PndmSampler : AlphaSampler
{
    private readonly List<Tensor> answers = []; // newest last, at most four
    private Tensor? firstSample;
    private int calls;

    public PndmSampler(SchedulerConfig config, int steps) : base(config, steps)
    {
        var falling = SpacedTimesteps(rounded: true);
        Timesteps = steps == 1 ? [falling[0], falling[0]] : [falling[0], falling[1], .. falling[1..]];
    }

    public override Tensor Step(Tensor answer, Tensor sample, int index, Tensor? noise = null)
    {
        using var scope = NewDisposeScope();
        var timestep = (int)Timesteps[index];
        var next = timestep - Stride;
        if (calls == 1)
            (timestep, next) = (timestep + Stride, timestep); // the second call repeats the first step with a better slope
        else
            Remember(answer);
        Tensor slope;
        if (calls == 0)
        {
            firstSample = sample.alias().DetachFromDisposeScope();
            slope = answer;
        }
        else if (calls == 1)
        {
            slope = answer.Plus(answers[^1]) / Num(2);
            sample = firstSample!;
        }
        else
        {
            slope = answers.Count switch
            {
                2 => (answers[^1] * Num(3) - answers[^2]) / Num(2),
                3 => (answers[^1] * Num(23) - answers[^2] * Num(16)).Plus(answers[^3] * Num(5)) / Num(12),
                4 => ((answers[^1] * Num(55) - answers[^2] * Num(59)).Plus(answers[^3] * Num(37)) - answers[^4] * Num(9)) / Num(24),
                _ => answers[^1],
            };
        }
        calls++;
        return Move(sample, slope, timestep, next).MoveToOuterDisposeScope();
    }

    public override void Dispose()
    {
        answers.ForEach(a => a.Dispose());
        firstSample?.Dispose();
        base.Dispose();
    }

    private void Remember(Tensor answer)
    {
        answers.Add(answer.alias().DetachFromDisposeScope());
        if (answers.Count > 4)
        {
            answers[0].Dispose();
            answers.RemoveAt(0);
        }
    }

    private Tensor Move(Tensor sample, Tensor answer, int timestep, int nextTimestep)
    {
        var (alpha, next) = (AlphaAt(timestep), AlphaAt(nextTimestep));
        if (Config.PredictsVelocity)
            answer = (answer * Num(Math.Sqrt(alpha))).Plus(sample * Num(Math.Sqrt(1 - alpha)));
        var denominator = alpha * Math.Sqrt(1 - next) + Math.Sqrt(alpha * (1 - alpha) * next);
        return sample * Num(Math.Sqrt(next / alpha)) - answer * Num((next - alpha) / denominator);
    }
}
