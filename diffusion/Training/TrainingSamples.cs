using System.Text.Json.Nodes;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Pipelines;
using Sdxl.Diffusion.Randomness;
using Sdxl.Diffusion.Schedulers;
using Sdxl.Pictures;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;
using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Training;

/// <summary>
/// Pictures drawn during a training: every prompt from the same noise each time, so that they can be compared; the first set shows the
/// untrained model.
/// </summary>
/// <remarks>Drawn with the weights as they are in the training, with Euler steps; a set that is already on disk (after a resume) is not
/// drawn again.</remarks>
public sealed class TrainingSamples : IDisposable
{
    private const string FilePrefix = "step-";
    private const double DefaultGuidance = 7.5;
    private const int DefaultSteps = 25;
    private const int MostSetsShown = 24; // in a report or on a sheet: a set each step of a long run would be gigabytes
    private const int MostSheetSide = 512; // pixels of a picture on the sheet

    private static readonly PictureLoader s_loader = new(new PictureLimits());

    private readonly TrainingPlan plan;
    private readonly TrainingSettings settings;
    private readonly SdxlModel model;
    private readonly PromptTokens tokens;
    private readonly Trainer trainer;
    private readonly ITrainingObserver observer;
    private readonly string[] prompts;
    private readonly double guidance;
    private readonly int steps;
    private readonly string folder;
    private readonly SchedulerConfig schedule;
    private List<PromptStates>? cached;
    private PromptStates? cachedEmpty;

    public TrainingSamples(
        TrainingPlan plan,
        TrainingSettings settings,
        SdxlModel model,
        PromptTokens tokens,
        Trainer trainer,
        ITrainingObserver observer
    )
    {
        (this.plan, this.settings, this.model, this.tokens, this.trainer, this.observer) = (
            plan,
            settings,
            model,
            tokens,
            trainer,
            observer
        );
        prompts = plan.Inputs.SamplePrompts?.Split('|', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
        guidance = Number(plan.Base.PredictionDefaults, "guidance_scale") ?? DefaultGuidance;
        steps = (int)(Number(plan.Base.PredictionDefaults, "num_inference_steps") ?? DefaultSteps);
        folder = Path.Combine(plan.WorkFolder, "samples");
        schedule = settings.ScheduleFrom(model.Schedule);
        End = settings.Steps;
        Key = FormattableString.Invariant($"{string.Join('|', prompts)} {plan.Inputs.Resolution} {guidance} {steps}");
    }

    /// <summary>The training's last step, whose set is drawn in any case: the settings', unless it ends early.</summary>
    public int End { get; set; }

    /// <summary>What decides the pictures beside the weights and the training's settings.</summary>
    public string Key { get; }

    /// <summary>
    /// Deletes the sets of later steps than this: after going back, or under other settings, they show weights that are not this run's.
    /// </summary>
    /// <param name="step">-1: all sets.</param>
    public void DropAfter(int step)
    {
        if (!Directory.Exists(folder))
            return;
        foreach (var file in Directory.GetFiles(folder, FilePrefix + "*.png"))
        {
            if (!int.TryParse(Path.GetFileName(file)[FilePrefix.Length..].Split('-')[0], out var drawnAt) || drawnAt > step)
                File.Delete(file);
        }
    }

    /// <summary>Whether a set belongs to this number of steps done.</summary>
    public bool AreDue(int done) => prompts.Length > 0 && (done == 0 || done == End || done % plan.Inputs.SampleEverySteps == 0);

    /// <summary>
    /// The steps of which a whole set exists, rising (of many an even choice with the first and the last), and the file of a prompt's
    /// picture.
    /// </summary>
    public (IReadOnlyList<string> Prompts, IReadOnlyList<int> Steps, Func<int, int, string> File) Drawn()
    {
        var whole = Enumerable
            .Range(0, End + 1)
            .Where(AreDue)
            .Where(s => Enumerable.Range(0, prompts.Length).All(p => File.Exists(FileOf(s, p))))
            .ToList();
        return (
            prompts,
            whole.Count <= MostSetsShown
                ? whole
                : [.. Enumerable.Range(0, MostSetsShown).Select(i => whole[(int)((long)i * (whole.Count - 1) / (MostSetsShown - 1))])],
            FileOf
        );
    }

    /// <summary>Draws the set of this number of steps, if one is due or asked for.</summary>
    /// <remarks>What was only asked for is told and kept beside the others, but is in no file of the training's end.</remarks>
    /// <exception cref="OperationCanceledException">Stopped between two pictures or within one; those that are drawn stay.</exception>
    public void Draw(int done, bool asked, CancellationToken stop)
    {
        if (!asked && !AreDue(done))
            return;
        Directory.CreateDirectory(folder);
        for (var prompt = 0; prompt < prompts.Length; prompt++)
        {
            var file = FileOf(done, prompt);
            if (!File.Exists(file))
            {
                plan.BetweenSteps?.Invoke();
                DrawOne(prompt, file, stop);
            }
            observer.SampleDrawn(file, prompts[prompt], done);
        }
        if (asked)
            observer.AskedSamplesDrawn(done);
    }

    /// <summary>Encodes all prompts for good: after the pivot the text encoders are gone.</summary>
    public void CacheTexts()
    {
        if (prompts.Length == 0 || cached is not null)
            return;
        using var guard = no_grad();
        var all = prompts.Select(Encode).ToList();
        cachedEmpty = Empty();
        cached = all;
    }

    /// <summary>
    /// The sets that are shown as one picture: a row for each prompt, a column for each set, large pictures shrunk. Null where none was
    /// drawn.
    /// </summary>
    public Image<Rgb24>? Sheet()
    {
        var (_, drawn, file) = Drawn();
        if (drawn.Count == 0)
            return null;
        using var first = Load(file(drawn[0], 0));
        var (width, height) = (Math.Min(first.Width, MostSheetSide), Math.Min(first.Height, MostSheetSide));
        var sheet = new Image<Rgb24>(width * drawn.Count, height * prompts.Length);
        for (var row = 0; row < prompts.Length; row++)
        {
            for (var column = 0; column < drawn.Count; column++)
            {
                using var picture = Load(file(drawn[column], row));
                if (picture.Width != width || picture.Height != height)
                    picture.Mutate(p => p.Resize(width, height));
                var at = new Point(column * width, row * height);
                sheet.Mutate(s => s.DrawImage(picture, at, 1f));
            }
        }
        return sheet;
    }

    private void DrawOne(int prompt, string file, CancellationToken stop)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        var side = plan.Inputs.Resolution;
        var latentSide = side / model.Vae.Config.Downscale;
        var sizes = SizeIds.For(model, side, side, 0, 1);
        using var sampler = new EulerSampler(schedule, steps);
        var noise = CounterRandom
            .Normal(settings.Seed, RandomPurpose.SampleLatent, 0, prompt, 1, model.Vae.Config.LatentChannels, latentSide, latentSide)
            .to(trainer.Device);
        var latents = new Denoiser
        {
            UNet = model.UNet,
            NetType = trainer.Compute,
            Sampler = sampler,
            Positive = new Guide(cached?[prompt] ?? Encode(prompts[prompt]), sizes),
            Negative = new Guide(cachedEmpty ?? Empty(), sizes),
            GuidanceScale = guidance,
        }.Run(noise * Num(sampler.InitialNoiseSigma), stop);
        Save(TiledDecoder.Decode(model.Vae, model.Vae.Unscale(latents), TiledDecoder.TileSide(model.Vae.Config)), file);
    }

    private static Image<Rgb24> Load(string file) => s_loader.Load(File.ReadAllBytes(file), file).Pixels.ToRgb();

    private static void Save(Tensor picture, string file)
    {
        using var image = Image.LoadPixelData<Rgb24>(PictureTensors.ToRgb(picture), (int)picture.shape[3], (int)picture.shape[2]);
        var temporary = file + ".tmp";
        using (var stream = File.Create(temporary))
            image.SaveAsPng(stream);
        File.Move(temporary, file, overwrite: true);
    }

    private PromptStates Encode(string prompt)
    {
        var (ids1, ids2) = tokens.Encode(prompt);
        var (states, pooled) = trainer.EncodeText(ids1, ids2);
        return new PromptStates(states, pooled);
    }

    private PromptStates Empty()
    {
        var empty = Encode("");
        return model.ForceZerosForEmptyPrompt ? empty.Zeros() : empty;
    }

    private string FileOf(int done, int prompt) => Path.Combine(folder, FormattableString.Invariant($"{FilePrefix}{done:D6}-{prompt}.png"));

    private static double? Number(JsonObject values, string name) => values[name]?.GetValue<double>();

    public void Dispose()
    {
        foreach (var text in cached is null ? [] : cached.Append(cachedEmpty!))
        {
            text.States.Dispose();
            text.Pooled.Dispose();
        }
    }
}
