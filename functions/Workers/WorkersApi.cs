using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Sdxl.Core.Storage;
using Sdxl.Core.Workers;
using Sdxl.Functions.Http;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Workers;

/// <summary>The workers that have said something lately.</summary>
public sealed record WorkerListView(IReadOnlyList<WorkerStatus> Results);

/// <summary>The GPU workers that are there: who, on what, doing what.</summary>
public sealed class WorkersApi(BlobStore blobs, TimeProvider time)
{
    [Function("ListWorkers")]
    [Operation("The workers that are there.", Gives = typeof(WorkerListView))]
    public async Task<IActionResult> List(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/workers")] HttpRequest request, CancellationToken cancel)
    {
        var workers = new List<WorkerStatus>();
        foreach (var name in await blobs.ListAsync(StorageLayout.Jobs, StorageLayout.Workers, cancel))
        {
            if (
                (await blobs.ReadAsync<WorkerStatus>(StorageLayout.Jobs, name, cancel))?.Value is { } status
                && time.GetUtcNow() - status.At < WorkerStatus.Silence
            )
                workers.Add(status);
        }
        return Answers.Json(new WorkerListView(workers));
    }
}
