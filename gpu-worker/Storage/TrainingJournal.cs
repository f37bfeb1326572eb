using System.Globalization;
using System.Text;
using Sdxl.Core.Jobs;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.GpuWorker.Jobs;
using Sdxl.Pictures;

namespace Sdxl.GpuWorker.Storage;

/// <summary>
/// What a running training tells people, in storage while it runs: log, progress, numbers, sample pictures. Written from one place in
/// order, by whoever has the job's turn; readers see it grow.
/// </summary>
/// <param name="work">The training's work folder, where metrics.jsonl grows.</param>
public sealed class TrainingJournal(JobBlobs blobs, JobTurns turns, JobTurns.Held held, TrainingJob job, string work)
{
    private static readonly PictureLoader s_loader = new(new PictureLimits());

    private readonly AppendedBlob _log = blobs.Appended(StorageLayout.Jobs, StorageLayout.WorkerLog(held.Job));
    private readonly AppendedBlob _metrics = blobs.Appended(StorageLayout.Jobs, StorageLayout.Metrics(held.Job));
    private readonly string _metricsFile = Path.Combine(work, StorageLayout.MetricsFile);
    private List<TrainingSample>? _samples;
    private long _metricsSent;

    /// <summary>Adds lines to the worker's log of the job, which earlier deliveries began.</summary>
    public async Task LogAsync(IReadOnlyList<string> lines, CancellationToken cancel)
    {
        var text = Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line.ReplaceLineEndings(" ") + "\n")));
        while (true)
        {
            try
            {
                await _log.AppendAsync(text, cancel);
                return;
            }
            catch (AnotherWriterException)
            {
                // The one before, that does not know yet that it has lost the turn; once more behind its words. Or this one has lost it.
                if (!await turns.IsStillAsync(held, cancel))
                    return;
            }
        }
    }

    public Task ProgressAsync(JobProgress progress, CancellationToken cancel) =>
        blobs.UploadAsync(
            StorageLayout.Jobs,
            StorageLayout.Progress(held.Job),
            Encoding.UTF8.GetBytes(SdxlJson.Serialize(progress)),
            cancel
        );

    /// <summary>The training begins at a step, its file of numbers is cut back to it: so are the numbers and samples in storage.</summary>
    public async Task BeginAsync(int step, CancellationToken cancel)
    {
        _metricsSent = 0;
        await _metrics.RestartAsync(cancel);
        await MetricsAsync(cancel);
        var samples = await SamplesAsync(cancel);
        if (samples.RemoveAll(sample => sample.Step > step) > 0)
            await WriteSamplesAsync(cancel);
    }

    /// <summary>Sends the whole lines that the file of numbers has got since.</summary>
    public async Task MetricsAsync(CancellationToken cancel)
    {
        await using var file = new FileStream(_metricsFile, FileMode.OpenOrCreate, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (file.Length <= _metricsSent)
            return;
        file.Position = _metricsSent;
        var bytes = new byte[file.Length - _metricsSent];
        await file.ReadExactlyAsync(bytes, cancel);
        var whole = Array.LastIndexOf(bytes, (byte)'\n') + 1;
        try
        {
            await _metrics.AppendAsync(bytes.AsMemory(0, whole), cancel);
            _metricsSent += whole;
        }
        catch (AnotherWriterException)
        {
            if (!await turns.IsStillAsync(held, cancel))
                return;
            _metricsSent = 0; // all anew: these lines must not stand twice
            await _metrics.RestartAsync(cancel);
        }
    }

    /// <summary>Shows a sample picture.</summary>
    /// <param name="file">samples/step-NNNNNN-INDEX.png.</param>
    public async Task SampleAsync(string file, string prompt, int step, CancellationToken cancel)
    {
        var name = Path.GetFileName(file);
        var thumbnail = Path.ChangeExtension(name, Thumbnails.Extension);
        var index = int.Parse(Path.GetFileNameWithoutExtension(name).Split('-')[^1], CultureInfo.InvariantCulture);
        await blobs.UploadFileAsync(StorageLayout.Jobs, StorageLayout.Sample(held.Job, name), file, cancel);
        var picture = s_loader.Load(await File.ReadAllBytesAsync(file, cancel), name, Thumbnails.Side, cancel: cancel).Pixels;
        await blobs.UploadAsync(StorageLayout.Jobs, StorageLayout.Sample(held.Job, thumbnail), Thumbnails.Of(picture), cancel);
        var samples = await SamplesAsync(cancel);
        samples.RemoveAll(sample => sample.Step == step && sample.Index == index);
        samples.Add(new TrainingSample(step, index, prompt, job.Inputs.Seed, name, thumbnail));
        await WriteSamplesAsync(cancel);
    }

    private async Task<List<TrainingSample>> SamplesAsync(CancellationToken cancel) =>
        _samples ??= await blobs.ReadAsync(StorageLayout.Jobs, StorageLayout.SampleList(held.Job), cancel) is { } known
            ? SdxlJson.Deserialize<List<TrainingSample>>(known.ToString())
            : [];

    private async Task WriteSamplesAsync(CancellationToken cancel)
    {
        _samples = [.. _samples!.OrderBy(sample => sample.Step).ThenBy(sample => sample.Index)];
        await blobs.UploadAsync(
            StorageLayout.Jobs,
            StorageLayout.SampleList(held.Job),
            Encoding.UTF8.GetBytes(SdxlJson.Serialize(_samples)),
            cancel
        );
    }
}
