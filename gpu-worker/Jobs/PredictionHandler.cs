using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Options;
using Sdxl.Core.Bases;
using Sdxl.Core.Messages;
using Sdxl.Core.Predictions;
using Sdxl.Core.Storage;
using Sdxl.Diffusion.Pipelines;
using Sdxl.GpuWorker.Hosting;
using Sdxl.GpuWorker.Storage;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Png.Chunks;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>One prediction job: base model (kept loaded), the version's weights applied, pictures drawn and stored, completion event.</summary>
public sealed class PredictionHandler(
    JobBlobs blobs, EventSender events, WorkerDevice device, IOptions<WorkerOptions> options, TimeProvider time) : IDisposable
{
    private const string WeightsFile = "trained_model.tar";

    private SdxlPipeline? _pipeline;
    private string? _loadedBase;

    /// <inheritdoc cref="TrainingHandler.RunAsync"/>
    public async Task<JobEnd> RunAsync(PredictionJob job, CancellationToken interrupt, CancellationToken canceled)
    {
        var watch = Stopwatch.StartNew();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(interrupt, canceled);
        var baseModel = BaseManifest.Load(Path.GetFullPath(options.Value.ModelsFolder), job.Base);
        baseModel.Require(refiner: job.Inputs.Refine != RefineMode.None, safetyChecker: !job.Inputs.DisableSafetyChecker);
        var weights = job.Weights is null ? null : await WeightsAsync(job.Weights, either.Token);
        var (source, mask) = (await InputFileAsync(job.Inputs.Image, "image", either.Token), await InputFileAsync(job.Inputs.Mask, "mask", either.Token));
        var pictures = await Task.Factory.StartNew(
            () => Draw(job, baseModel, weights, source, mask, either.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var drawn = new List<DrawnPicture>();
        foreach (var picture in pictures)
        {
            var file = string.Create(CultureInfo.InvariantCulture, $"out-{picture.Index}.png");
            await blobs.UploadAsync(StorageLayout.Predictions, $"{job.PredictionId}/{file}", Png(picture, job.Inputs), either.Token);
            drawn.Add(new DrawnPicture(file, picture.Seed, picture.Flagged));
        }
        await events.SendAsync(new PredictionCompleted(job.PredictionId, 1, time.GetUtcNow(), drawn, watch.Elapsed.TotalSeconds), CancellationToken.None);
        return JobEnd.Finished;
    }

    /// <summary>Frees the device's memory for a training.</summary>
    public void Unload()
    {
        _pipeline?.Dispose();
        (_pipeline, _loadedBase) = (null, null);
    }

    public void Dispose() => Unload();

    private IReadOnlyList<GeneratedPicture> Draw(PredictionJob job, BaseManifest baseModel, string? weights, byte[]? picture, byte[]? mask, CancellationToken cancel)
    {
        if (_loadedBase != job.Base)
        {
            Unload();
            _pipeline = SdxlPipeline.Load(baseModel.ModelFolder, baseModel.RefinerFolder, device.Sampling);
            _loadedBase = job.Base;
        }
        var inputs = job.Inputs;
        using var fineTune = weights is null ? null : FineTune.Load(weights);
        _pipeline!.Apply(fineTune, inputs.LoraScale);
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
        return _pipeline.Generate(settings, null, cancel);
    }

    /// <summary>The version's weights on disk; fetched once, because a version never changes.</summary>
    private async Task<string> WeightsAsync(string prefix, CancellationToken cancel)
    {
        var folder = Path.Combine(options.Value.ScratchFolder, "versions", prefix.TrimEnd('/').Split('/')[^1]);
        var file = Path.Combine(folder, WeightsFile);
        if (!File.Exists(file) && await blobs.DownloadAsync(StorageLayout.Models, prefix, folder, name => name == WeightsFile, cancel) == 0)
            throw new FileNotFoundException($"Version {prefix.TrimEnd('/')} has no {WeightsFile}; it cannot be drawn with.");
        return file;
    }

    /// <summary>A picture that the user named: data URI or blob. Other addresses are not fetched: that would let a caller look around inside the network.</summary>
    private async Task<byte[]?> InputFileAsync(string? link, string input, CancellationToken cancel)
    {
        if (string.IsNullOrEmpty(link))
            return null;
        if (link.StartsWith("data:", StringComparison.Ordinal) && link.IndexOf(";base64,", StringComparison.Ordinal) is > 0 and var comma)
            return Convert.FromBase64String(link[(comma + ";base64,".Length)..]);
        if (!link.Contains("://", StringComparison.Ordinal) && link.IndexOf('/') is > 0 and var slash
            && await blobs.ReadAsync(link[..slash], link[(slash + 1)..], cancel) is { } content)
            return content.ToArray();
        throw new InvalidDataException($"Input '{input}' must be a data URI or container/path of a blob in this service's storage; there is none at '{(link.Length > 80 ? link[..77] + "…" : link)}'.");
    }

    private static byte[] Png(GeneratedPicture picture, PredictionInputs inputs)
    {
        using var image = Image.LoadPixelData<Rgb24>(picture.Rgb, picture.Width, picture.Height);
        var text = image.Metadata.GetPngMetadata().TextData;
        text.Add(new PngTextData("prompt", inputs.Prompt, "", ""));
        text.Add(new PngTextData("seed", picture.Seed.ToString(CultureInfo.InvariantCulture), "", ""));
        using var stream = new MemoryStream();
        image.SaveAsPng(stream);
        return stream.ToArray();
    }
}
