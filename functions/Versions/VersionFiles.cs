using Azure;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Sdxl.Core.Storage;
using Sdxl.Functions.Http;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Versions;

/// <summary>Published versions over HTTP: the list, and their files.</summary>
public sealed class VersionFiles(VersionStore versions, BlobStore blobs)
{
    [Function("GetModel")]
    public async Task<IActionResult> Model(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "api/models/{owner}/{name}")] HttpRequest request, string owner, string name, CancellationToken cancel) =>
        await versions.ModelAsync(owner, name, cancel) is { } model ? Answers.Json(model) : Answers.NotFound($"There is no model '{owner}/{name}'.");

    [Function("GetVersionFile")]
    public async Task<IActionResult> File(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "api/models/{owner}/{name}/versions/{version}/{file}")] HttpRequest request,
        string owner, string name, string version, string file, CancellationToken cancel)
    {
        // Only what model.json lists exists, whatever lies in the folder.
        if ((await versions.ModelAsync(owner, name, cancel))?.Versions.Any(v => v.Version == version) != true)
            return Answers.NotFound($"There is no version '{owner}/{name}:{version}'.");
        var blob = await blobs.BlobAsync(StorageLayout.Models, StorageLayout.Version(owner, name, version, file));
        try
        {
            // The one page that is the product's own (everything else is for saving), and not even its text can run or load anything.
            if (file == StorageLayout.ReportPage)
                return Answers.Page(request, await blob.OpenReadAsync(cancellationToken: cancel));
            var type = file.EndsWith(".json", StringComparison.Ordinal) ? "application/json" : file.EndsWith(".png", StringComparison.Ordinal) ? "image/png" : "application/octet-stream";
            return new FileStreamResult(await blob.OpenReadAsync(cancellationToken: cancel), type) { FileDownloadName = file };
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return Answers.NotFound($"Version '{owner}/{name}:{version}' has no file '{file}'.");
        }
    }
}
