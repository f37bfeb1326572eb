using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Sdxl.Core.Storage;
using Sdxl.Functions.Http;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Accounts;

/// <summary>What an account's things take in blob storage.</summary>
/// <param name="Bytes">In all.</param>
/// <param name="Kinds">Bytes by container: uploads, datasets, jobs, models, records, predictions, files.</param>
public sealed record StorageView(long Bytes, IReadOnlyDictionary<string, long> Kinds);

/// <summary>
/// How much is stored for the caller. Counted when asked, blob by blob (5,000 names a call to storage), so it is no part of GET v1/account.
/// </summary>
public sealed class StorageApi(BlobStore blobs)
{
    [Function("GetAccountStorage")]
    [Operation("What is stored for you, in bytes.", Gives = typeof(StorageView))]
    public async Task<IActionResult> Storage(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/account/storage")] HttpRequest request, CancellationToken cancel)
    {
        var prefix = $"{request.Owner()}/";
        var sums = await Task.WhenAll(StorageLayout.Containers.Select(
            async container => (Container: container, Bytes: await blobs.BytesAsync(container, prefix, cancel))));
        return Answers.Json(new StorageView(sums.Sum(sum => sum.Bytes), sums.ToDictionary(sum => sum.Container, sum => sum.Bytes)));
    }
}
