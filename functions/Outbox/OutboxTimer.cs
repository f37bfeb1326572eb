using Azure.Storage.Blobs.Models;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;
using Sdxl.Core.Identity;
using Sdxl.Core.Predictions;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Outbox;

/// <summary>Sends what processes that ended between their record and their messages have left: usually it finds nothing.</summary>
public sealed class OutboxTimer(BlobStore blobs, RecordStore records, ILogger<OutboxTimer> log)
{
    /// <remarks>Once a minute, and at once where the app starts after it was killed.</remarks>
    [Function(nameof(OutboxTimer))]
    public async Task Run([TimerTrigger("0 * * * * *", RunOnStartup = true)] TimerInfo timer, CancellationToken cancel)
    {
        var container = await blobs.ContainerAsync(StorageLayout.Records);
        await foreach (var mark in container.GetBlobsAsync(BlobTraits.None, BlobStates.None, StorageLayout.OutboxMarks, cancel))
        {
            if (
                mark.Name.Split('/') is not [_, var kind, var owner, var id]
                || mark.Properties is not { ETag: { } tag, LastModified: { } at }
            )
                continue;
            var key = new JobKey(owner, id);
            try
            {
                if (kind == TrainingRecord.Kind)
                    await records.SettleAsync<TrainingRecord>(key, tag, at, cancel);
                else if (kind == PredictionRecord.Kind)
                    await records.SettleAsync<PredictionRecord>(key, tag, at, cancel);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                log.LeftToTheTimer(e, kind, key.ToString()); // one that cannot be sent now does not hold up the others
            }
        }
    }
}
