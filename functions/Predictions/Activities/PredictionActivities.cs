using System.Text.Json;
using Microsoft.Azure.Functions.Worker;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.Core.Predictions;
using Sdxl.Core.Storage;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Predictions.Activities;

/// <summary>How a prediction ended.</summary>
public sealed record PredictionEnd(JobKey Key, JobStatus Status, string? Error, IReadOnlyList<DrawnPicture> Pictures, double? PredictSeconds,
    IReadOnlyList<string>? Warnings = null);

/// <summary>Makes the prediction's record. Doing it twice changes nothing.</summary>
public sealed class StartPrediction(RecordStore records, TimeProvider time)
{
    [Function(nameof(StartPrediction))]
    public async Task<bool> Run([ActivityTrigger] PredictionRequest request, CancellationToken cancel)
    {
        await records.CreateAsync(
            new PredictionRecord
            {
                Id = request.Key.Id,
                Owner = request.Key.Owner,
                Base = request.Base,
                Version = request.Version,
                Status = JobStatus.Starting,
                Input = JsonSerializer.SerializeToNode(request.Inputs, SdxlJson.Options)!.AsObject(),
                CreatedAt = time.GetUtcNow(),
            },
            cancel);
        return true;
    }
}

/// <summary>Sends the job to the workers' queue; a repetition is a duplicate that the queue drops.</summary>
public sealed class DispatchPrediction(QueueSender queue, RecordStore records, TimeProvider time)
{
    [Function(nameof(DispatchPrediction))]
    public async Task<bool> Run([ActivityTrigger] PredictionJob job, CancellationToken cancel)
    {
        await queue.SendAsync(Queues.Predictions, job.MessageId, job, cancel);
        await records.ChangePredictionAsync(
            job.Prediction, r => r with { Status = JobStatus.Processing, StartedAt = r.StartedAt ?? time.GetUtcNow() }, cancel);
        return true;
    }
}

/// <summary>Writes the result into the record and removes the files that the prediction brought, which nothing reads any more. Doing it
/// twice changes nothing.</summary>
public sealed class FinishPrediction(RecordStore records, BlobStore blobs, TimeProvider time)
{
    [Function(nameof(FinishPrediction))]
    public async Task<bool> Run([ActivityTrigger] PredictionEnd end, CancellationToken cancel)
    {
        await records.ChangePredictionAsync(
            end.Key,
            r => r with
            {
                Status = end.Status,
                Error = end.Error,
                Pictures = end.Pictures,
                PredictSeconds = end.PredictSeconds,
                Warnings = end.Warnings ?? [],
                CompletedAt = r.CompletedAt ?? time.GetUtcNow(),
            },
            cancel);
        await blobs.DeleteAllAsync(StorageLayout.Jobs, StorageLayout.JobInputs(end.Key), cancel);
        return true;
    }
}
