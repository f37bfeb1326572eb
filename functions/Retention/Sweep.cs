using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sdxl.Core.Jobs;
using Sdxl.Core.Predictions;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Files;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Retention;

/// <summary>What a sweep removed.</summary>
public sealed record Swept(int Uploads, int Datasets, int Scratch, int Predictions, int Files);

/// <summary>Removes what is over its time (<see cref="RetentionOptions"/>), once a day. What fails today is found again tomorrow.</summary>
public sealed class Sweep(
    BlobStore blobs, RecordStore records, Deletion deletion, IOptions<SdxlOptions> options, TimeProvider time, ILogger<Sweep> log)
{
    [Function("SweepOldThings")]
    public async Task Run([TimerTrigger("0 17 3 * * *")] TimerInfo timer, CancellationToken cancel)
    {
        var swept = await OnceAsync(cancel);
        log.Swept(swept.Uploads, swept.Datasets, swept.Scratch, swept.Predictions, swept.Files);
    }

    public async Task<Swept> OnceAsync(CancellationToken cancel)
    {
        var swept = new Swept(await UploadsAsync(cancel), 0, 0, 0, 0);
        foreach (var owner in await records.OwnersAsync(cancel))
        {
            foreach (var record in await AllAsync<TrainingRecord>($"{owner}/{StorageLayout.TrainingsList}/", cancel))
                swept = await TrainingAsync(record, swept, cancel);
            foreach (var record in await AllAsync<PredictionRecord>($"{owner}/{StorageLayout.PredictionsList}/", cancel))
            {
                if (record.CompletedAt is not { } end || !Limits.Predictions.AreOver(end, Now))
                    continue;
                await deletion.PredictionAsync(record, cancel);
                swept = swept with { Predictions = swept.Predictions + 1 };
            }
            foreach (var record in await AllAsync<FileRecord>($"{owner}/{StorageLayout.FilesList}/", cancel))
            {
                if (!(record.ExpiresAt <= Now))
                    continue;
                await deletion.FileAsync(owner, record.Id, cancel);
                swept = swept with { Files = swept.Files + 1 };
            }
        }
        return swept;
    }

    private RetentionOptions Limits => options.Value.Retention;

    private DateTimeOffset Now => time.GetUtcNow();

    private async Task<Swept> TrainingAsync(TrainingRecord record, Swept swept, CancellationToken cancel)
    {
        if (record.CompletedAt is not { } end || !JobTransitions.IsTerminal(record.Status))
            return swept;
        var dataIsOver = Limits.Datasets.AreOver(end, Now);
        if (record.IsCheck && dataIsOver)
        {
            await deletion.TrainingAsync(record, cancel);
            return swept with { Datasets = swept.Datasets + 1 };
        }
        if (dataIsOver && !record.DataRemoved)
        {
            await deletion.DatasetAsync(record.Key, cancel);
            await records.ChangeTrainingAsync(record.Key, r => r with { DataRemoved = true }, cancel);
            swept = swept with { Datasets = swept.Datasets + 1 };
        }
        var scratch = record.Status == JobStatus.Succeeded ? Limits.Scratch : Limits.FailedCheckpoints;
        if (scratch.AreOver(end, Now) && !record.ScratchRemoved)
        {
            await deletion.LeftoversAsync(record.Key, cancel);
            await records.ChangeTrainingAsync(record.Key, r => r with { ScratchRemoved = true }, cancel);
            swept = swept with { Scratch = swept.Scratch + 1 };
        }
        return swept;
    }

    private async Task<int> UploadsAsync(CancellationToken cancel)
    {
        var container = await blobs.ContainerAsync(StorageLayout.Uploads);
        var old = new List<string>();
        await foreach (var blob in container.GetBlobsAsync(cancellationToken: cancel))
        {
            if (blob.Properties.LastModified is { } written && Limits.Uploads.AreOver(written, Now))
                old.Add(blob.Name);
        }
        foreach (var name in old)
            await deletion.UploadAsync(name, cancel);
        return old.Count;
    }

    private async Task<List<T>> AllAsync<T>(string prefix, CancellationToken cancel)
    {
        var all = new List<T>();
        foreach (var name in await blobs.ListAsync(StorageLayout.Records, prefix, cancel))
        {
            if (await blobs.ReadAsync<T>(StorageLayout.Records, name, cancel) is { Value: var record })
                all.Add(record);
        }
        return all;
    }
}
