using Sdxl.Core.Captions;
using Sdxl.Core.Text;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Randomness;
using Sdxl.Diffusion.Safety;
using Sdxl.Diffusion.Schedulers;
using Sdxl.Diffusion.Watermark;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Pipelines;

/// <summary>
/// Draws pictures with an SDXL base model, a fine-tune that can be changed between requests, and a refiner. Not thread-safe: one request at
/// a time.
/// </summary>
public sealed class SdxlPipeline : IDisposable
{
    private const string SafetyFolder = "safety_checker";

    private readonly SdxlModel model;
    private readonly Lazy<SdxlModel>? refiner; // 5 GB that most requests do not use: loaded when first asked for
    private readonly SafetyChecker? safety;
    private readonly FineTuneSlot slot;

    /// <summary>Over models that are loaded already; the pipeline disposes them.</summary>
    public SdxlPipeline(SdxlModel model, SdxlModel? refiner = null, SafetyChecker? safety = null)
        : this(model, refiner is null ? null : new Lazy<SdxlModel>(refiner), safety)
    {
        _ = this.refiner?.Value; // made already: the pipeline's to dispose
    }

    private SdxlPipeline(SdxlModel model, Lazy<SdxlModel>? refiner, SafetyChecker? safety)
    {
        (this.model, this.refiner, this.safety) = (model, refiner, safety);
        slot = new FineTuneSlot(model);
    }

    /// <summary>The base model.</summary>
    public SdxlModel Model => model;

    /// <summary>True where pictures can be checked: the base folder, or the folder it lies in, has a safety_checker/.</summary>
    public bool ChecksSafety => safety is not null;

    /// <summary>Loads diffusers folders; the safety checker where there is one.</summary>
    /// <param name="refinerFolder">Needed for the refine modes, and read when one is first asked for; null: none.</param>
    public static SdxlPipeline Load(string baseFolder, string? refinerFolder, DiffusionDevice device)
    {
        var model = SdxlModel.Load(baseFolder, device);
        try
        {
            var safetyFolder = new[]
            {
                Path.Combine(baseFolder, SafetyFolder),
                Path.Combine(Path.GetDirectoryName(Path.GetFullPath(baseFolder))!, SafetyFolder),
            }.FirstOrDefault(folder => File.Exists(Path.Combine(folder, "config.json")));
            return new SdxlPipeline(
                model,
                // A failure (a file missing) is not remembered.
                refinerFolder is null
                    ? null
                    : new Lazy<SdxlModel>(() => SdxlModel.LoadRefiner(refinerFolder, model), LazyThreadSafetyMode.PublicationOnly),
                safetyFolder is null ? null : SafetyChecker.Load(safetyFolder, device)
            );
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Puts a fine-tune in the place of the one before; null restores the base model exactly. It is copied: the caller may dispose it.
    /// </summary>
    /// <param name="loraScale">Strength of a LoRA; 1 is what was trained.</param>
    public void Apply(FineTune? fineTune, double loraScale) => slot.Apply(fineTune, loraScale);

    /// <summary>What of the prompts has no effect, with the fine-tune that is applied: a sentence each.</summary>
    public IReadOnlyList<string> PromptWarnings(GenerationSettings settings)
    {
        var warnings = new List<string>();
        foreach (var (input, text) in new[] { ("prompt", settings.Prompt), ("negative_prompt", settings.NegativePrompt) })
        {
            if (CaptionMarkup.TagsIn(text) is { Count: > 0 } tags)
            {
                warnings.Add(
                    $"Input '{input}': the {(tags.Count == 1 ? "tag" : "tags")} {string.Join(" ", tags)} "
                        + $"{Plural.Verb(tags.Count, "loads", "load")} nothing here. "
                        + "Give a LoRA as 'replicate_weights' and its strength as 'lora_scale'."
                );
            }
            var count = PromptEncoder.TokensOf(slot.Tokens?.Tokenizer2 ?? model.Tokenizer2, slot.Spell(text));
            if (count > CaptionLength.ReadTokens)
                warnings.Add(
                    $"Input '{input}' has {count} tokens where {CaptionLength.ReadTokens} are read: its end has no effect. Put what "
                        + "matters in front."
                );
        }
        return warnings;
    }

    /// <summary>A prompt as the nets read it: the fine-tune's words in place of what stands for them.</summary>
    public string Spell(string prompt) => slot.Spell(prompt);

    /// <summary>Draws the pictures of a request, one after the other.</summary>
    /// <exception cref="ArgumentException">Settings out of range: all of them at once.</exception>
    /// <exception cref="InvalidOperationException">A refine mode without a refiner, or one that does not fit the fine-tune.</exception>
    /// <exception cref="DrawingFailedException">A picture's numbers became NaN or infinite: it is not given to drawn, nor are later
    /// ones.</exception>
    /// <param name="drawn">Called with each picture as soon as it is drawn.</param>
    public IReadOnlyList<GeneratedPicture> Generate(
        GenerationSettings settings,
        IProgress<GenerationProgress>? progress,
        CancellationToken cancel,
        Action<GeneratedPicture>? drawn = null
    )
    {
        settings.Validate();
        var pixels = model.Vae.Config.Downscale;
        if (settings.Width % pixels != 0 || settings.Height % pixels != 0)
            throw new ArgumentException(
                $"These settings cannot be drawn: {settings.Width} x {settings.Height} pixels; base model '{model.Source}' draws multiples "
                    + $"of {pixels}."
            );
        if (settings.Refine != RefineMode.None && refiner is null)
            throw new InvalidOperationException(
                $"'{settings.Refine}' needs a refiner, and base model '{model.Source}' was loaded without one. Use 'no_refiner', or name a "
                    + "refiner in the base model's manifest."
            );
        if (settings.Refine != RefineMode.None)
            _ = refiner!.Value; // loaded before the scope below, which frees what is made in it
        if (settings.Refine == RefineMode.ExpertEnsemble && slot.Schedule.ZeroTerminalSnr && !model.Schedule.ZeroTerminalSnr)
            throw new InvalidOperationException(
                "The fine-tune was trained with zero_terminal_snr, and the refiner was not: a timestep is another noise level to each, so "
                    + "one cannot go on where the other stops. Use 'base_image_refiner' or 'no_refiner'."
            );
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        var pictures = new List<GeneratedPicture>();
        var prepared = Prepare(settings);
        for (var k = 0; k < settings.NumOutputs; k++)
        {
            using var one = NewDisposeScope();
            var (picture, seed) = (k, settings.Seed + k);
            var latents = Latents(
                settings,
                prepared,
                seed,
                (done, all) => progress?.Report(new(picture, settings.NumOutputs, done, all)),
                cancel
            );
            RequireFinite(latents, settings, k, seed);
            pictures.Add(Finish(settings, latents, k, seed));
            drawn?.Invoke(pictures[k]);
        }
        return pictures;
    }

    /// <summary>Latents [1,4,H,W] (scaled) -> [1,3,8H,8W] in about -1..1, in tiles where large.</summary>
    public Tensor Decode(Tensor latents)
    {
        using var unscaled = model.Vae.Unscale(latents);
        return TiledDecoder.Decode(model.Vae, unscaled, TiledDecoder.TileSide(model.Vae.Config));
    }

    public void Dispose()
    {
        slot.Dispose();
        if (refiner is { IsValueCreated: true })
            refiner.Value.Dispose();
        model.Dispose();
        safety?.Dispose();
    }

    /// <summary>What all pictures of a request share.</summary>
    private sealed record Prepared(
        Guide Positive,
        Guide? Negative,
        Guide? RefinerPositive,
        Guide? RefinerNegative,
        Tensor? Latents,
        Tensor? Mask
    );

    private Prepared Prepare(GenerationSettings settings)
    {
        var (positive, negative) = Guides(model, slot.Tokens, settings);
        var (refinerPositive, refinerNegative) =
            settings.Refine == RefineMode.None ? (null, null) : Guides(refiner!.Value, slot.TokensFor(refiner.Value), settings);
        if (settings.Image is null)
            return new(positive, negative, refinerPositive, refinerNegative, null, null);
        var picture = PictureTensors.Load(settings.Image, settings.Width, settings.Height);
        // The mode: a draw would blur the parts that are kept
        var latents = model.Vae.Scale(model.Vae.Encode(picture).Mean.to_type(ScalarType.Float32));
        var mask = settings.Mask is null
            ? null
            : nn
                .functional.interpolate(
                    PictureTensors.LoadMask(settings.Mask, settings.Width, settings.Height),
                    [latents.shape[2], latents.shape[3]]
                )
                .to(latents.device);
        return new(positive, negative, refinerPositive, refinerNegative, latents, mask);
    }

    private (Guide Positive, Guide? Negative) Guides(SdxlModel net, NewTokens? tokens, GenerationSettings settings)
    {
        var prompt = PromptEncoder.Encode(net, [slot.Spell(settings.Prompt)], tokens);
        var positive = new Guide(prompt, SizeIds.For(net, settings.Height, settings.Width, settings.AestheticScore, 1));
        if (settings.GuidanceScale <= 1)
            return (positive, null);
        var negative = PromptEncoder.EncodeNegative(net, slot.Spell(settings.NegativePrompt), prompt, tokens);
        return (positive, new Guide(negative, SizeIds.For(net, settings.Height, settings.Width, settings.NegativeAestheticScore, 1)));
    }

    private Tensor Latents(GenerationSettings settings, Prepared prepared, long seed, Action<int, int> progress, CancellationToken cancel)
    {
        using var sampler = SamplerName.Create(settings.Scheduler, slot.Schedule, settings.Steps);
        long[] shape =
        [
            1,
            model.Vae.Config.LatentChannels,
            settings.Height / model.Vae.Config.Downscale,
            settings.Width / model.Vae.Config.Downscale,
        ];
        var ensemble = settings.Refine == RefineMode.ExpertEnsemble;
        var first = prepared.Latents is null ? 0 : FirstCall(sampler, settings.PromptStrength);
        var noise = Noise(seed, prepared.Latents is null ? RandomPurpose.SampleLatent : RandomPurpose.SampleStart, 0, shape);
        var start = prepared.Latents is null || settings.PromptStrength == 1 ? noise * Num(sampler.InitialNoiseSigma)
            : first == sampler.Timesteps.Length ? prepared.Latents
            : sampler.AddNoise(prepared.Latents, noise, first);
        var latents = new Denoiser
        {
            UNet = model.UNet,
            NetType = model.Device.UNetType,
            Sampler = sampler,
            Positive = prepared.Positive,
            Negative = prepared.Negative,
            GuidanceScale = settings.GuidanceScale,
            GuidanceRescale = settings.GuidanceRescale,
            First = first,
            End = ensemble ? EnsembleBorder(sampler, settings.HighNoiseFrac) : null,
            Repainting = prepared is { Latents: { } picture, Mask: { } mask } ? new Repainting(picture, noise, mask) : null,
            StepNoise = i => Noise(seed, RandomPurpose.SampleStep, i, shape),
            Progress = progress,
        }.Run(start, cancel);
        return settings.Refine == RefineMode.None ? latents : Refined(settings, prepared, latents, seed, shape, cancel);
    }

    /// <summary>
    /// The refiner's part: the last noise levels of the same walk, or a second, shorter walk from the finished latents with some noise
    /// again.
    /// </summary>
    private Tensor Refined(
        GenerationSettings settings,
        Prepared prepared,
        Tensor latents,
        long seed,
        long[] shape,
        CancellationToken cancel
    )
    {
        var ensemble = settings.Refine == RefineMode.ExpertEnsemble;
        var net = refiner!.Value;
        using var sampler = SamplerName.Create(
            settings.Scheduler,
            net.Schedule,
            ensemble ? settings.Steps : settings.RefineSteps ?? settings.Steps
        );
        var first = ensemble ? EnsembleBorder(sampler, settings.HighNoiseFrac) : FirstCall(sampler, settings.RefineStrength);
        var start =
            ensemble || first == sampler.Timesteps.Length
                ? latents
                : sampler.AddNoise(latents, Noise(seed, RandomPurpose.SampleStart, 1, shape), first);
        return new Denoiser
        {
            UNet = net.UNet,
            NetType = net.Device.UNetType,
            Sampler = sampler,
            Positive = prepared.RefinerPositive!,
            Negative = prepared.RefinerNegative,
            GuidanceScale = settings.GuidanceScale,
            GuidanceRescale = settings.GuidanceRescale,
            First = first,
            StepNoise = i => Noise(seed, RandomPurpose.SampleStep, settings.Steps + i, shape), // apart from the base model's steps
        }.Run(start, cancel);
    }

    /// <summary>Where a walk of this strength begins: strength 1 walks it all, 0 nothing. Source: diffusers get_timesteps.</summary>
    public static int FirstCall(Sampler sampler, double strength) =>
        Math.Min(
            (sampler.Steps - Math.Min((int)(sampler.Steps * strength), sampler.Steps)) * sampler.CallsPerStep,
            sampler.Timesteps.Length
        );

    /// <summary>The first call that belongs to the refiner: its timestep is below the border. Never between Heun's two calls.</summary>
    public static int EnsembleBorder(Sampler sampler, double highNoiseFraction)
    {
        var total = sampler.Config.TrainTimesteps;
        var border = (int)Math.Round(total - highNoiseFraction * total);
        var index = sampler.Timesteps.TakeWhile(t => t >= border).Count();
        return sampler.CallsPerStep == 2 && index % 2 == 1 ? index - 1 : index;
    }

    private GeneratedPicture Finish(GenerationSettings settings, Tensor latents, int index, long seed)
    {
        var decoded = Decode(latents);
        RequireFinite(decoded, settings, index, seed);
        var rgb = PictureTensors.ToRgb(decoded);
        var flagged = settings.CheckSafety && safety is not null && safety.IsFlagged(rgb, settings.Width, settings.Height);
        if (flagged)
            Array.Clear(rgb);
        else if (settings.ApplyWatermark)
            InvisibleWatermark.Apply(rgb, settings.Width, settings.Height);
        return new GeneratedPicture(index, seed, rgb, settings.Width, settings.Height, flagged);
    }

    /// <summary>NaN would be painted black, and a black picture looks like a success.</summary>
    private static void RequireFinite(Tensor values, GenerationSettings settings, int index, long seed)
    {
        if (values.isfinite().all().item<bool>())
            return;
        throw new DrawingFailedException(
            $"Picture {index + 1} of {settings.NumOutputs} (seed {seed}) cannot be drawn: its numbers became NaN or infinite on the way, "
                + "which would be a black picture. "
                + "The weights or the settings are outside of what the nets can compute: use a lora_scale nearer to 0, a lower "
                + "guidance_scale, or other weights."
        );
    }

    private Tensor Noise(long seed, RandomPurpose purpose, long step, long[] shape)
    {
        using var drawn = CounterRandom.Normal(seed, purpose, step, 0, shape);
        var device = model.Device.Device;
        if (device.type != TorchSharp.DeviceType.CUDA)
            return drawn.to(device, copy: true);
        // From pinned memory, which libtorch keeps until the copy is done: a sampler that wants noise each step does not wait for the
        // device each step.
        using var pinned = drawn.pin_memory();
        return pinned.to(device, copy: true, non_blocking: true);
    }
}
