using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sdxl.Core.Bases;
using Sdxl.Core.Messages;
using Sdxl.Core.Storage;
using Sdxl.Core.Telemetry;
using Sdxl.Core.Versions;
using Sdxl.Diffusion.Training;
using Sdxl.GpuWorker.Hosting;
using Sdxl.GpuWorker.Storage;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>One training job: data set and checkpoint down, train, artefacts up, completion event.</summary>
public sealed class TrainingHandler(
    JobBlobs blobs, EventSender events, WorkerDevice device, WorkerScratch scratch, PredictionHandler predictions, IOptions<WorkerOptions> options, TimeProvider time,
    ILogger<TrainingHandler> log)
{
    /// <param name="interrupt">Stop at a checkpoint; the message goes back to the queue.</param>
    /// <param name="canceled">The user does not want it any more.</param>
    /// <exception cref="OperationCanceledException">One of the two was set.</exception>
    public async Task<JobEnd> RunAsync(TrainingJob job, CancellationToken interrupt, CancellationToken canceled)
    {
        var watch = Stopwatch.StartNew();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(interrupt, canceled);
        var folder = ScratchOf(job.Training.Id);
        var (dataset, work, output) = (Path.Combine(folder, "dataset"), Path.Combine(folder, "work"), Path.Combine(folder, "output"));
        var checkpoints = Directory.CreateDirectory(Path.Combine(work, "checkpoints")).FullName;
        var baseModel = BaseManifest.Load(Path.GetFullPath(options.Value.ModelsFolder), job.Base);
        baseModel.Require(BaseParts.Nets);
        predictions.Unload(); // The training gets the device's memory.

        var mirror = new CheckpointMirror(blobs, job.Training, work, checkpoints);
        using (SdxlTelemetry.Span("fetch dataset"))
        {
            await blobs.DownloadAsync(StorageLayout.Datasets, $"{job.Training}/", dataset, IsForTraining, either.Token);
            await mirror.FetchNewestAsync(either.Token);
        }
        if (Directory.Exists(output))
            Directory.Delete(output, recursive: true);

        var plan = new TrainingPlan
        {
            Base = baseModel,
            DatasetFolder = dataset,
            Inputs = job.Inputs,
            WorkFolder = work,
            OutputFolder = output,
            ModelName = job.ModelName,
            Device = device.Training,
        };
        var outcome = await TrainAsync(job, plan, mirror, either.Token);
        canceled.ThrowIfCancellationRequested();
        if (outcome is TrainingOutcome.Stopped)
            return JobEnd.Interrupted;

        var files = await UploadAsync(job, output, work);
        await events.SendAsync(new TrainingCompleted(job.Training, job.Attempt, time.GetUtcNow(), files, watch.Elapsed.TotalSeconds), CancellationToken.None);
        await mirror.DropAsync(CancellationToken.None);
        return JobEnd.Finished;
    }

    /// <summary>Removes what a job that is over left on this machine.</summary>
    public void CleanUp(string trainingId)
    {
        var folder = ScratchOf(trainingId);
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    private string ScratchOf(string trainingId) => Path.Combine(scratch.Folder, "trainings", trainingId);

    /// <summary>Training is hours of pure computation on a thread of its own; what it reports is sent from here, in order.</summary>
    /// <remarks>When sending or storing fails, the training is stopped and waited for before the fault goes on: never two trainers at a time.</remarks>
    private async Task<TrainingOutcome> TrainAsync(TrainingJob job, TrainingPlan plan, CheckpointMirror mirror, CancellationToken stop)
    {
        using var span = SdxlTelemetry.Span("train");
        using var halt = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var reporter = new TrainingReporter(job, device.Name, options.Value.ProgressSeconds, time);
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
            await foreach (var report in reporter.Reports.ReadAllAsync(CancellationToken.None))
                await PassOnAsync(job, report, mirror);
        }
        catch
        {
            await halt.CancelAsync();
            await ((Task)training).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
        return await training;
    }

    private async Task PassOnAsync(TrainingJob job, TrainingReport report, CheckpointMirror mirror)
    {
        if (report.Checkpoint is { } checkpoint)
            await mirror.StoreAsync(checkpoint, CancellationToken.None);
        if (report.Event is { } happened)
            await events.SendAsync(happened, CancellationToken.None);
        if (report.Event is JobLogged logged)
        {
            foreach (var line in logged.Lines)
                log.JobLine(job.Training.Id, line);
        }
    }

    private static bool IsForTraining(string name) =>
        name == StorageLayout.ManifestFile || name.StartsWith("pictures/", StringComparison.Ordinal) || name.StartsWith("masks/", StringComparison.Ordinal);

    /// <summary>The artefacts to jobs/{owner}/{id}/output (the version's files), what only tells of the run (metrics, report) to jobs/{owner}/{id}/run.</summary>
    private async Task<IReadOnlyList<VersionFile>> UploadAsync(TrainingJob job, string output, string work)
    {
        using var span = SdxlTelemetry.Span("upload weights");
        var files = new List<VersionFile>();
        foreach (var file in Directory.EnumerateFiles(output, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var name = Path.GetRelativePath(output, file).Replace('\\', '/');
            await using (var content = File.OpenRead(file))
                files.Add(new VersionFile(name, content.Length, Convert.ToHexStringLower(await SHA256.HashDataAsync(content))));
            await blobs.UploadFileAsync(StorageLayout.Jobs, StorageLayout.JobOutput(job.Training, name), file, CancellationToken.None);
        }
        foreach (var file in Directory.EnumerateFiles(work))
            await blobs.UploadFileAsync(StorageLayout.Jobs, StorageLayout.JobRun(job.Training, Path.GetFileName(file)), file, CancellationToken.None);
        return files;
    }
}
