using Sdxl.Diffusion.Nets;
using Sdxl.Diffusion.Schedulers;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Pipelines;

/// <summary>What the net is told at every call.</summary>
/// <param name="SizeIds">[B,6] or [B,5], fp32.</param>
public sealed record Guide(PromptStates Prompt, Tensor SizeIds);

/// <summary>Repainting a part: at every step what the mask keeps comes from the picture, at the level of noise reached.</summary>
/// <param name="Latents">The picture's latents [B,4,H,W], scaled.</param>
/// <param name="Noise">The noise the run started from.</param>
/// <param name="Mask">[B or 1,1,H,W], 1 = repaint.</param>
public sealed record Repainting(Tensor Latents, Tensor Noise, Tensor Mask);

/// <summary>The loop of sampling: scale, ask the net, guide, step.</summary>
public sealed record Denoiser
{
    public required UNet2DConditionModel UNet { get; init; }

    /// <summary>Type of the net's passes; the running sample is fp32.</summary>
    public required ScalarType NetType { get; init; }

    public required Sampler Sampler { get; init; }

    public required Guide Positive { get; init; }

    /// <summary>Null: no guidance.</summary>
    public Guide? Negative { get; init; }

    public double GuidanceScale { get; init; } = 1;

    public double GuidanceRescale { get; init; }

    /// <summary>First entry of the sampler's timesteps to walk.</summary>
    public int First { get; init; }

    /// <summary>End of the entries to walk; null: all.</summary>
    public int? End { get; init; }

    public Repainting? Repainting { get; init; }

    /// <summary>Noise for the step at an index, for samplers that need it.</summary>
    public Func<int, Tensor>? StepNoise { get; init; }

    /// <summary>Called after each call of the net with the number of calls done and all.</summary>
    public Action<int, int>? Progress { get; init; }

    /// <summary>
    /// Walks from <paramref name="start"/> [B,4,H,W] (fp32, at the noise level of <see cref="First"/>) to the end; the result is the
    /// caller's.
    /// </summary>
    public Tensor Run(Tensor start, CancellationToken cancel)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        var guided = Negative is not null && GuidanceScale > 1;
        var states = Joined(guided, g => g.Prompt.States).to_type(NetType);
        var pooled = Joined(guided, g => g.Prompt.Pooled).to_type(NetType);
        var sizes = Joined(guided, g => g.SizeIds);
        // All times cross to the device at once: no copy, and so no wait, in a step.
        var times = tensor(Sampler.Timesteps.Select(t => (float)t).ToArray()).to(start.device);
        var end = End ?? Sampler.Timesteps.Length;
        var sample = start.alias();
        UNet.KeepText(true);
        try
        {
            for (var i = First; i < end; i++)
            {
                cancel.ThrowIfCancellationRequested();
                using var step = NewDisposeScope();
                var next = Step(sample, i, guided, states, pooled, sizes, times);
                sample.Dispose();
                sample = next.MoveToOuterDisposeScope();
                Progress?.Invoke(i - First + 1, end - First);
            }
        }
        finally
        {
            UNet.KeepText(false);
        }
        return sample.MoveToOuterDisposeScope();
    }

    private Tensor Step(Tensor sample, int i, bool guided, Tensor states, Tensor pooled, Tensor sizes, Tensor times)
    {
        var seen = Sampler.ScaleInput(sample, i).to_type(NetType);
        if (guided)
            seen = cat([seen, seen], 0);                                             // [2B,4,H,W]: negative first
        var answer = UNet.call(seen, times.narrow(0, i, 1).expand(seen.shape[0]), states, pooled, sizes).to_type(ScalarType.Float32);
        if (guided)
            answer = Guided(answer);
        var next = Sampler.Step(answer, sample, i, Sampler.NeedsNoise ? StepNoise!(i) : null);
        if (Repainting is not { } repainting)
            return next;
        var last = i == Sampler.Timesteps.Length - 1;
        var kept = last ? repainting.Latents : Sampler.AddNoise(repainting.Latents, repainting.Noise, i + 1);
        return (kept * (Num(1) - repainting.Mask)).Plus(next * repainting.Mask);
    }

    private Tensor Guided(Tensor answers)
    {
        var halves = answers.chunk(2, 0);
        var (away, towards) = (halves[0], halves[1]);
        var mixed = away.Plus((towards - away) * Num(GuidanceScale));
        if (GuidanceRescale == 0)
            return mixed;
        var rescaled = mixed * (Deviation(towards) / Deviation(mixed));
        return (rescaled * Num(GuidanceRescale)).Plus(mixed * Num(1 - GuidanceRescale));
    }

    /// <summary>Standard deviation of each sample, [B,1,1,1].</summary>
    private static Tensor Deviation(Tensor x) => x.flatten(1).std(1, unbiased: true).view(-1, 1, 1, 1);

    private Tensor Joined(bool guided, Func<Guide, Tensor> part) => guided ? cat([part(Negative!), part(Positive)], 0) : part(Positive);
}
