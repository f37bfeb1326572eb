using Microsoft.Azure.Functions.Worker;
using Sdxl.Core.Messages;
using Sdxl.Core.Storage;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Trainings.Activities;

/// <summary>Sends the job to the workers' queue. The message id makes a repetition a duplicate that the queue drops.</summary>
public sealed class DispatchTraining(IMessageQueues queue, BlobStore blobs)
{
    [Function(nameof(DispatchTraining))]
    public async Task<bool> Run([ActivityTrigger] TrainingJob job, CancellationToken cancel)
    {
        await queue.SendAsync(Queues.Trainings, job.MessageId, job, cancel: cancel);
        await blobs.AppendLinesAsync(StorageLayout.Jobs, StorageLayout.Log(job.Training), [TrainingLogs.HandOver], cancel);
        return true;
    }
}
