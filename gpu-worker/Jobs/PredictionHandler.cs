using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Options;
using Sdxl.Core.Bases;
using Sdxl.Core.Messages;
using Sdxl.Core.Predictions;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Pipelines;
using Sdxl.GpuWorker.Hosting;
using Sdxl.GpuWorker.Storage;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>
/// One prediction job: base model (kept loaded), the version's weights applied, pictures drawn and stored, completion event.
/// </summary>
public sealed class PredictionHandler(
    JobBlobs blobs,
    PredictionFiles files,
    EventSender events,
    WorkerDevice device,
    IOptions<WorkerOptions> options,
    TimeProvider time
) : IDisposable
{
    /// <summary>
    /// Said with every prediction that asked for the check of a base model that should have a checker: pictures that nothing checked must
    /// not look checked.
    /// </summary>
    private const string NotChecked =
        "The pictures were not checked: base model '{0}' has no safety checker (a folder safety_checker beside its nets). Set "
            + "disable_safety_checker to say that this is meant, or has_safety_checker to false in the model's manifest.";

    /// <summary>
    /// Said where weights name a trigger word and lack what it stands for: the subject hardly shows, and the training is not to blame.
    /// </summary>
    private const string NoVectors =
        "{0} is a plain word here: '{1}' names it as its trigger word and does not hold the vectors it was trained with. Give the "
            + "training's trained_model.tar, which has both.";

    private SdxlPipeline? _pipeline;
    private string? _loadedBase;
    private IReadOnlyList<string> _wordsWithoutVectors = [], _promptWarnings = [];
    // A version's file, or null for the base alone: what never changes need not be read again
    private (string? Weights, double Scale)? _applied;

    /// <param name="interrupt">Stop; the job begins again at another worker.</param>
    /// <param name="canceled">The user does not want it any more.</param>
    /// <returns>The event that ends the job.</returns>
    /// <exception cref="OperationCanceledException">One of the two was set.</exception>
    public async Task<WorkerEvent?> RunAsync(PredictionJob job, CancellationToken interrupt, CancellationToken canceled)
    {
        var watch = Stopwatch.StartNew();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(interrupt, canceled);
        try
        {
            return await DrawAsync(job, watch, either.Token);
        }
        finally
        {
            files.CleanUp(job.Prediction.Id);
        }
    }

    /// <summary>Frees the device's memory for a training.</summary>
    public void Unload()
    {
        _pipeline?.Dispose();
        (_pipeline, _loadedBase, _applied) = (null, null, null);
    }

    public void Dispose() => Unload();

    private async Task<WorkerEvent?> DrawAsync(PredictionJob job, Stopwatch watch, CancellationToken cancel)
    {
        var baseModel = BaseManifest.Load(Path.GetFullPath(options.Value.ModelsFolder), job.Base);
        baseModel.Require(job.Inputs.Needs());
        var weights = await files.FineTuneAsync(job, cancel);
        var (source, mask) = (
            await files.PictureAsync(job.Inputs.Image, "image", cancel),
            await files.PictureAsync(job.Inputs.Mask, "mask", cancel)
        );
        var report = new PredictionReport(job, device.Name, options.Value.ProgressSeconds, blobs, events, time);
        await DrawAndReportAsync(job, report, baseModel, weights, source, mask, cancel);
        var warnings = new List<string>();
        if (!job.Inputs.DisableSafetyChecker && baseModel.HasSafetyChecker && !_pipeline!.ChecksSafety)
            warnings.Add(string.Format(CultureInfo.InvariantCulture, NotChecked, job.Base));
        if (_wordsWithoutVectors.Count > 0)
            warnings.Add(
                string.Format(CultureInfo.InvariantCulture, NoVectors, string.Join(", ", _wordsWithoutVectors), Path.GetFileName(weights))
            );
        warnings.AddRange(_promptWarnings);
        await report.StoreStateAsync(); // who hears the last word looks at this log
        return new PredictionCompleted(
            job.Prediction, 1, time.GetUtcNow(), report.Pictures, watch.Elapsed.TotalSeconds, warnings.Count == 0 ? null : [.. warnings]);
    }

    /// <summary>Drawing is pure computation on a thread of its own; pictures and progress go into storage meanwhile.</summary>
    private async Task DrawAndReportAsync(
        PredictionJob job,
        PredictionReport report,
        BaseManifest baseModel,
        string? weights,
        byte[]? picture,
        byte[]? mask,
        CancellationToken cancel
    )
    {
        var storing = report.StoreAllAsync();
        try
        {
            await Task.Factory.StartNew(
                () => Draw(job, baseModel, weights, picture, mask, report, cancel),
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default
            );
        }
        catch
        {
            report.Complete();
            await storing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // the drawing's own fault is the one to tell
            await report.StoreStateAsync();
            throw;
        }
        report.Complete();
        await storing;
    }

    private void Draw(
        PredictionJob job,
        BaseManifest baseModel,
        string? weights,
        byte[]? picture,
        byte[]? mask,
        PredictionReport report,
        CancellationToken cancel
    )
    {
        if (_loadedBase != job.Base)
        {
            Unload();
            _pipeline = SdxlPipeline.Load(baseModel.ModelPath, baseModel.RefinerPath, device.Sampling);
            _loadedBase = job.Base;
        }
        var inputs = job.Inputs;
        Apply(weights, inputs);
        var settings = new GenerationSettings
        {
            Prompt = inputs.Prompt,
            NegativePrompt = inputs.NegativePrompt,
            Width = inputs.Width,
            Height = inputs.Height,
            NumOutputs = inputs.NumOutputs,
            Scheduler = inputs.Scheduler,
            Steps = inputs.NumInferenceSteps,
            GuidanceScale = inputs.GuidanceScale,
            GuidanceRescale = inputs.GuidanceRescale,
            PromptStrength = inputs.PromptStrength,
            Image = picture,
            Mask = mask,
            Refine = inputs.Refine,
            HighNoiseFrac = inputs.HighNoiseFrac,
            RefineSteps = inputs.RefineSteps,
            ApplyWatermark = inputs.ApplyWatermark,
            CheckSafety = !inputs.DisableSafetyChecker,
            Seed = inputs.Seed,
        };
        _promptWarnings = _pipeline!.PromptWarnings(settings);
        report.Begin(_pipeline.Spell(inputs.Prompt));
        _pipeline.Generate(settings, report, cancel, report.Drawn);
    }

    private void Apply(string? weights, PredictionInputs inputs)
    {
        if (_applied == (weights, inputs.LoraScale))
            return;
        _applied = null;
        try
        {
            using var fineTune = weights is null ? null : FineTune.Load(weights);
            _pipeline!.Apply(fineTune, inputs.LoraScale);
            _wordsWithoutVectors = fineTune?.WordsWithoutVectors ?? [];
            if (string.IsNullOrEmpty(inputs.ReplicateWeights)) // a file that the user named may be another one next time
                _applied = (weights, inputs.LoraScale);
        }
        catch (Exception e) when (e is SafetensorsException or InvalidDataException && !string.IsNullOrEmpty(inputs.ReplicateWeights))
        {
            // The user knows the file by its own name, not by where it lies on this machine.
            throw new InvalidDataException(
                "Input 'replicate_weights' cannot be applied. "
                    + $"{e.Message.Replace(weights!, Path.GetFileName(weights), StringComparison.Ordinal)}",
                e
            );
        }
    }
}
