using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sdxl.Core.Bases;
using Sdxl.Core.Jobs;
using Sdxl.Core.Messages;
using Sdxl.Core.Storage;
using Sdxl.Core.Telemetry;
using Sdxl.Core.Versions;
using Sdxl.Diffusion.Training;
using Sdxl.GpuWorker.Hosting;
using Sdxl.GpuWorker.Storage;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>One training job: data set and checkpoint down, train, artefacts up into the delivery's own place.</summary>
public sealed class TrainingHandler(
    JobBlobs blobs, VersionFiles versions, JobTurns turns, Patience patience, StepGate gate, WorkerDevice device, WorkerScratch scratch,
    PredictionHandler predictions, IOptions<WorkerOptions> options, TimeProvider time, ILogger<TrainingHandler> log)
{
    private const string ScratchKind = "trainings";

    /// <summary>Seconds that a stopping worker spends on storing its last checkpoint while storage is away.</summary>
    private static readonly TimeSpan LastCheckpointPatience = TimeSpan.FromSeconds(60);

    /// <returns>The event that ends the job; null: stopped at a checkpoint, another delivery goes on.</returns>
    /// <exception cref="OperationCanceledException">Interrupted before the training began, or canceled.</exception>
    public async Task<WorkerEvent?> RunAsync(TrainingJob job, JobTurns.Held turn, JobSignals signals)
    {
        var watch = Stopwatch.StartNew();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(signals.Interrupt, signals.Canceled);
        var folder = scratch.Use(ScratchKind, job.Training.Id);
        var (dataset, work, output) = (Path.Combine(folder, "dataset"), Path.Combine(folder, "work"), Path.Combine(folder, "output"));
        var checkpoints = Directory.CreateDirectory(Path.Combine(work, "checkpoints")).FullName;
        var baseModel = BaseManifest.Load(Path.GetFullPath(options.Value.ModelsFolder), job.Base);
        baseModel.Require(BaseParts.Nets);
        scratch.MakeRoom(0, job.Training.Id);

        var mirror = new CheckpointMirror(blobs, turn, work, checkpoints);
        using (SdxlTelemetry.Span("fetch dataset"))
        {
            await blobs.DownloadAsync(StorageLayout.Datasets, $"{job.Training}/", dataset, IsForTraining, either.Token);
            await mirror.FetchNewestAsync(either.Token);
        }
        var parent = job.From is null ? null : await ParentAsync(VersionName.Parse(job.From), checkpoints, either.Token);
        if (Directory.Exists(output))
            Directory.Delete(output, recursive: true);

        var plan = new TrainingPlan
        {
            Base = baseModel,
            BaseIdentity = BaseIdentity.Of(baseModel.ModelPath, Path.Combine(scratch.Folder, "base-hashes.json")),
            DatasetFolder = dataset,
            Parent = parent,
            Inputs = job.Inputs,
            WorkFolder = work,
            OutputFolder = output,
            ModelName = job.ModelName,
            Device = device.Training,
            BetweenSteps = gate.Pass,
            StopEarly = signals.StopEarly,
            SamplesAsked = signals.Samples.Take,
            Canceled = signals.Canceled,
        };
        await gate.BeginAsync(either.Token);
        TrainingOutcome outcome;
        try
        {
            predictions.Unload(); // The training gets the device's memory.
            outcome = await TrainAsync(job, turn, plan, mirror, signals, either.Token);
        }
        finally
        {
            gate.End();
        }
        signals.Canceled.ThrowIfCancellationRequested();
        if (outcome is not TrainingOutcome.Completed done)
            return null;

        var files = await UploadAsync(turn, output, either.Token);
        return new TrainingCompleted(job.Training, job.Attempt, time.GetUtcNow(), turn.Place, files, watch.Elapsed.TotalSeconds,
            done.HeldOut.Count > 0 ? done.HeldOut : null);
    }

    /// <summary>
    /// The version that it goes on from. One that has a checkpoint does without the version's file, which may have been removed meanwhile.
    /// </summary>
    private async Task<TrainingParent> ParentAsync(VersionName version, string checkpoints, CancellationToken cancel)
    {
        try
        {
            using var span = SdxlTelemetry.Span("fetch version");
            return new TrainingParent(version.ToString(), await versions.WeightsAsync(version.Blob(""), cancel));
        }
        catch (FileNotFoundException) when (Directory.EnumerateDirectories(checkpoints).Any())
        {
            return new TrainingParent(version.ToString(), "");
        }
    }

    /// <summary>Removes what a job that is over left on this machine.</summary>
    public void CleanUp(string trainingId)
    {
        var folder = Path.Combine(scratch.Folder, ScratchKind, trainingId);
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    /// <summary>
    /// Training is hours of pure computation on a thread of its own; what it reports is written down from here, in order.
    /// </summary>
    /// <remarks>When writing or storing fails for good, the training is stopped and waited for before the fault goes on: never two trainers
    /// at a time.</remarks>
    private async Task<TrainingOutcome> TrainAsync(
        TrainingJob job, JobTurns.Held turn, TrainingPlan plan, CheckpointMirror mirror, JobSignals signals, CancellationToken stop)
    {
        using var span = SdxlTelemetry.Span("train");
        using var halt = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var reporter = new TrainingReporter(job, device.Name, options.Value.ProgressSeconds, time);
        var journal = new TrainingJournal(blobs, turns, turn, job, plan.WorkFolder);
        using var lastPatience = new CancellationTokenSource();
        using var stopping = stop.Register(() => lastPatience.CancelAfter(LastCheckpointPatience));
        var kept = new KeptCheckpoints(blobs, turns, turn);
        var uploads = new CheckpointUploads(mirror, kept, patience, log, job.Training.Id, lastPatience.Token);
        var training = Task.Factory.StartNew(
            () =>
            {
                try
                {
                    return TrainingRun.Run(plan, reporter, halt.Token);
                }
                finally
                {
                    reporter.Complete();
                }
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            while (await reporter.Reports.WaitToReadAsync(CancellationToken.None))
                await WriteDownAsync(job, reporter, journal, uploads, signals.Samples, signals.Interrupt);
            var outcome = await training;
            if (outcome is TrainingOutcome.Stopped && !signals.Canceled.IsCancellationRequested)
                await uploads.FinishAsync();
            else if (outcome is TrainingOutcome.Completed && job.Inputs.KeepsWeights())
                await uploads.FinishKeptAsync();
            return outcome;
        }
        catch
        {
            await halt.CancelAsync();
            await ((Task)training).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
        finally
        {
            await uploads.DropAsync();
        }
    }

    /// <summary>All that has been reported by now: lines together, of progress the newest.</summary>
    private async Task WriteDownAsync(
        TrainingJob job,
        TrainingReporter reporter,
        TrainingJournal journal,
        CheckpointUploads uploads,
        SampleWish wish,
        CancellationToken end
    )
    {
        var lines = new List<string>();
        JobProgress? progress = null;
        while (reporter.Reports.TryRead(out var report))
        {
            switch (report)
            {
                case TrainingReport.Began began:
                    await Try(() => journal.BeginAsync(began.Step, CancellationToken.None));
                    if (job.Inputs.KeepsWeights())
                        uploads.BeginKept(began.Step);
                    break;
                case TrainingReport.Line line:
                    log.JobLine(job.Training.Id, line.Text);
                    lines.Add(line.Text);
                    break;
                case TrainingReport.Progressed progressed:
                    progress = progressed.Progress;
                    break;
                case TrainingReport.Checkpoint checkpoint:
                    uploads.Add(checkpoint.Folder);
                    break;
                case TrainingReport.Kept kept:
                    uploads.AddKept(kept.Folder, kept.Step);
                    break;
                case TrainingReport.Sample sample:
                    await Try(() => journal.SampleAsync(sample.File, sample.Prompt, sample.Step, CancellationToken.None));
                    break;
                case TrainingReport.AskedSamples:
                    await Try(() => wish.AnsweredAsync(CancellationToken.None));
                    break;
            }
        }
        if (lines.Count > 0)
            await Try(() => journal.LogAsync(lines, CancellationToken.None));
        if (progress is null)
            return;
        await Try(() => journal.MetricsAsync(CancellationToken.None));
        await Try(() => journal.ProgressAsync(progress, CancellationToken.None));

        // Words for people: where the worker stops meanwhile, they are not worth the checkpoint that waits behind them.
        async Task Try(Func<Task> write)
        {
            try
            {
                await patience.TryAsync(write, end);
            }
            catch (Exception e) when (end.IsCancellationRequested && Faults.IsPassing(e))
            {
                log.Unreachable(e, 0);
            }
        }
    }

    private static bool IsForTraining(string name) =>
        name == StorageLayout.ManifestFile
        || name.StartsWith("pictures/", StringComparison.Ordinal)
        || name.StartsWith("masks/", StringComparison.Ordinal);

    /// <summary>The artefacts to jobs/{owner}/{id}/attempts/{place}/output.</summary>
    private async Task<IReadOnlyList<VersionFile>> UploadAsync(JobTurns.Held turn, string output, CancellationToken stop)
    {
        using var span = SdxlTelemetry.Span("upload weights");
        var files = new List<VersionFile>();
        foreach (var file in Directory.EnumerateFiles(output, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var name = Path.GetRelativePath(output, file).Replace('\\', '/');
            await using (var content = File.OpenRead(file))
                files.Add(new VersionFile(name, content.Length, Convert.ToHexStringLower(await SHA256.HashDataAsync(content, stop))));
            await patience.TryAsync(
                () => blobs.UploadFileAsync(StorageLayout.Jobs, StorageLayout.AttemptOutput(turn.Job, turn.Place, name), file, stop), stop);
        }
        return files;
    }
}
