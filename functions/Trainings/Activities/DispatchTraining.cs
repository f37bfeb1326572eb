using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;
using Sdxl.Core.Faults;
using Sdxl.Core.Messages;
using Sdxl.Core.Storage;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Trainings.Activities;

/// <summary>Sends the job to the workers' queue. The message id makes a repetition a duplicate that the queue drops.</summary>
public sealed class DispatchTraining(IMessageQueues queue, BlobStore blobs, IOptions<SdxlOptions> options)
{
    /// <returns>Seconds between two looks at what has become of the job: an orchestrator may not read settings itself.</returns>
    [Function(nameof(DispatchTraining))]
    public async Task<int> Run([ActivityTrigger] TrainingJob job, CancellationToken cancel)
    {
        FaultPoints.Hit(FaultPoints.BeforeMessage);
        await queue.SendAsync(Queues.Trainings, job.MessageId, job, cancel: cancel);
        FaultPoints.Hit(FaultPoints.AfterMessage);
        await blobs.AppendLineOnceAsync(StorageLayout.Jobs, StorageLayout.Log(job.Training), TrainingLogs.HandOver, cancel);
        return options.Value.HeartbeatCheckSeconds;
    }
}
