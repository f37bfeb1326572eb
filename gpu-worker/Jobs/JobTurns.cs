using System.Text;
using Azure;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Json;
using Sdxl.Core.Storage;
using Sdxl.GpuWorker.Storage;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>
/// Whose turn a job is (<see cref="JobTurn"/>): the fence between a worker that lost its lock and its successor. Lock and message belong to
/// the queue, which forgets; the turn lies in storage beside what it guards.
/// </summary>
public sealed class JobTurns(JobBlobs blobs, TimeProvider time)
{
    /// <summary>A turn that was taken here; null for jobs that take none.</summary>
    public sealed record Held(JobKey Job, JobTurn? Turn)
    {
        /// <summary>The delivery's own place.</summary>
        public string Place => Turn!.Place;
    }

    /// <summary>Takes the turn of a job away from whoever has it.</summary>
    /// <param name="attempt">The message's.</param>
    /// <returns>null: a later attempt's message holds the job, this one is left over.</returns>
    public async Task<Held?> TakeAsync(JobKey job, int attempt, CancellationToken cancel)
    {
        var token = Guid.NewGuid().ToString("N")[..12];
        while (true)
        {
            var (known, tag) = await ReadAsync(job, cancel);
            if (known?.Attempt > attempt)
                return null;
            var turn = new JobTurn((known?.Number ?? 0) + 1, attempt, token, time.GetUtcNow());
            var bytes = Encoding.UTF8.GetBytes(SdxlJson.Serialize(turn));
            if (await blobs.TryUploadAsync(StorageLayout.Jobs, StorageLayout.Turn(job), bytes, tag, cancel))
                return new Held(job, turn);
            // Another took it in between, or this very write was repeated by the client after an answer that got lost.
            if ((await ReadAsync(job, cancel)).Turn is { } now && now.Token == token)
                return new Held(job, now);
        }
    }

    /// <summary>Whether nobody has taken it since. A turn that is gone (the job's scratch was deleted) is nobody's.</summary>
    public async Task<bool> IsStillAsync(Held held, CancellationToken cancel) =>
        held.Turn is null || (await ReadAsync(held.Job, cancel)).Turn?.Token == held.Turn.Token;

    private async Task<(JobTurn? Turn, ETag? Tag)> ReadAsync(JobKey job, CancellationToken cancel) =>
        await blobs.ReadTaggedAsync(StorageLayout.Jobs, StorageLayout.Turn(job), cancel) is var (content, tag)
            ? (SdxlJson.Deserialize<JobTurn>(content.ToString()), tag)
            : (null, null);
}
