using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Sdxl.Core.Storage;
using Sdxl.Functions.Files;
using Sdxl.Functions.Http;
using Sdxl.Functions.Retention;

namespace Sdxl.Functions.Versions;

/// <summary>Published versions over HTTP: the list, one of them, and its files.</summary>
public sealed class VersionsApi(VersionStore versions, BaseModels bases, ModelViews views, BlobAnswers answers, Deletion deletion,
    Paging paging)
{
    [Function("ListVersions")]
    [Operation("A model's versions, newest first.", Gives = typeof(Page<VersionView>), Query = "cursor,limit")]
    public async Task<IActionResult> List(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/models/{owner}/{name}/versions")] HttpRequest request,
        string owner, string name, CancellationToken cancel)
    {
        if (bases.Find(owner, name) is { } known)
            return Answers.Json(new Page<VersionView>(null, null, [views.VersionOf(known)]));
        if (await OwnAsync(request, owner, name, cancel) is not { } model)
            return Answers.NotFound($"There is no model '{owner}/{name}'.");
        var wanted = Paging.Of(request);
        var after = wanted.Cursor is null ? model.Versions : [.. model.Versions.SkipWhile(v => v.Version != wanted.Cursor).Skip(1)];
        List<PublishedVersion> piece = [.. after.Take(wanted.Size)];
        return Answers.Json(paging.Page<VersionView>(
            request, [.. piece.Select(views.Of)], piece.Count < after.Count ? piece[^1].Version : null));
    }

    [Function("GetVersion")]
    [Operation("A version with the schema of its inputs.", Gives = typeof(VersionView))]
    public async Task<IActionResult> Get(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "v1/models/{owner}/{name}/versions/{version}")]
        HttpRequest request, string owner, string name, string version, CancellationToken cancel) =>
        bases.Find(owner, name) is { } known && bases.FindVersion(version)?.Name == known.Name ? Answers.Json(views.VersionOf(known))
            : await FindAsync(request, owner, name, version, cancel) is { } found
                ? Answers.Json(await views.WithFilesAsync(found, request, cancel))
            : NoVersion(owner, name, version);

    [Function("DeleteVersion")]
    [Operation("Removes a version.", Status = 202)]
    public async Task<IActionResult> Delete(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/models/{owner}/{name}/versions/{version}")] HttpRequest request,
        string owner, string name, string version, CancellationToken cancel)
    {
        if (await FindAsync(request, owner, name, version, cancel) is not { } found)
            return NoVersion(owner, name, version);
        await deletion.VersionAsync(found, cancel);
        return new StatusCodeResult(StatusCodes.Status202Accepted);
    }

    /// <summary>One of its files, for those who have a token.</summary>
    [Function("GetVersionFile")]
    [Operation("A file of a version.", Media = "application/octet-stream")]
    public async Task<IActionResult> File(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "v1/models/{owner}/{name}/versions/{version}/{*file}")]
        HttpRequest request, string owner, string name, string version, string file, CancellationToken cancel) =>
        // Only what model.json lists exists, whatever lies in the folder.
        await FindAsync(request, owner, name, version, cancel) is null ? NoVersion(owner, name, version)
            : await answers.ServeAsync(
                request, StorageLayout.Models, StorageLayout.Version(owner, name, version, file),
                $"Version '{owner}/{name}:{version}' has no file '{file}'.", cancel);

    private async Task<PublishedVersion?> FindAsync(
        HttpRequest request, string owner, string name, string version, CancellationToken cancel) =>
        (await OwnAsync(request, owner, name, cancel))?.Versions.FirstOrDefault(known => known.Version == version);

    private async Task<ModelDocument?> OwnAsync(HttpRequest request, string owner, string name, CancellationToken cancel) =>
        owner == request.Owner() ? await versions.ModelAsync(owner, name, cancel) : null;

    private static ContentResult NoVersion(string owner, string name, string version) =>
        Answers.NotFound($"There is no version '{owner}/{name}:{version}'.");
}
