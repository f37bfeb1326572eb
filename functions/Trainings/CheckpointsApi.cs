using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;
using Sdxl.Core.Jobs;
using Sdxl.Core.Json;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Core.Versions;
using Sdxl.Functions.Files;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Http;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Versions;
using static Sdxl.Functions.Trainings.TrainingRequests;

namespace Sdxl.Functions.Trainings;

/// <summary>A file of a checkpoint.</summary>
/// <param name="Sha256">Lower-case hex.</param>
/// <param name="Url">Signed, as a version's files' are.</param>
public sealed record CheckpointFileView(string Name, long Bytes, string Sha256, string Url);

/// <summary>Weights that a training kept on its way, as clients see them.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Version">owner/name:id as which it is published; null: it is not.</param>
/// <param name="Urls">publish: POST makes it a version.</param>
/// <param name="HeldOut">Its loss on the pictures held out; null: the training is not published yet, or held none out.</param>
public sealed record CheckpointView(
    int Step, string? Version, IReadOnlyList<CheckpointFileView> Files, IReadOnlyDictionary<string, string> Urls, double? HeldOut);

/// <summary>The checkpoints so far, by step.</summary>
/// <param name="ExpiresAt">When they are removed; null: not by time, or the training is not over.</param>
public sealed record CheckpointListView(IReadOnlyList<CheckpointView> Results, DateTimeOffset? ExpiresAt);

/// <summary>
/// Checkpoints that a training keeps with its rows of sample pictures ("keep_checkpoints"): while it runs and after, until its run's
/// leftovers are removed.
/// </summary>
public sealed class CheckpointsApi(
    RecordStore records, BlobStore blobs, VersionStore versions, VersionCopies copies, ModelViews views, FileLinks links,
    Addresses addresses, IOptions<SdxlOptions> options, TimeProvider time)
{
    [Function("ListCheckpoints")]
    [Operation("A training's kept checkpoints with links to their files.", Gives = typeof(CheckpointListView))]
    public async Task<IActionResult> List(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "v1/trainings/{id}/checkpoints")] HttpRequest request, string id,
        CancellationToken cancel)
    {
        if (await records.TrainingAsync(request, id, cancel) is not { } record)
            return NoTraining(id);
        var root = addresses.RootOf(request);
        var published = (await versions.ModelAsync(record.Owner, record.Name, cancel))?.Versions.Select(v => v.Version).ToHashSet() ?? [];
        var results = new List<CheckpointView>();
        foreach (var kept in await KeptAsync(record, cancel))
        {
            var files = new List<CheckpointFileView>();
            foreach (var file in kept.Files)
            {
                var name = StorageLayout.Kept(record.Key, kept.Place, file.Name);
                files.Add(new CheckpointFileView(
                    file.Name, file.Bytes, file.Sha256, await links.OfAsync(root, StorageLayout.Jobs, name, cancel)));
            }
            var version = VersionManifest.IdOf(ManifestOf(record, kept).ToBytes());
            results.Add(new CheckpointView(
                kept.Step, published.Contains(version) ? $"{record.Owner}/{record.Name}:{version}" : null, files,
                new Dictionary<string, string>
                {
                    ["publish"] = string.Create(
                        CultureInfo.InvariantCulture, $"{root}/v1/trainings/{record.Id}/checkpoints/{kept.Step}"),
                },
                record.HeldOut.FirstOrDefault(one => one.Step == kept.Step)?.Loss));
        }
        var (retention, end) = (options.Value.Retention, record.CompletedAt);
        var kind = record.Status == JobStatus.Succeeded ? retention.Scratch : retention.FailedCheckpoints;
        return Answers.Tagged(request, new CheckpointListView(results, end is { } over ? kind.After(over) : null));
    }

    /// <summary>
    /// Publishes a checkpoint as a further version under the training's destination, whole or not at all: 201, or 200 where it is one.
    /// </summary>
    [Function("PublishCheckpoint")]
    [Operation("Publishes a kept checkpoint as a version of its own.", Gives = typeof(VersionView), Status = 201)]
    public async Task<IActionResult> Publish(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/trainings/{id}/checkpoints/{step}")] HttpRequest request, string id,
        string step, CancellationToken cancel)
    {
        if (await records.TrainingAsync(request, id, cancel) is not { } record)
            return NoTraining(id);
        var all = await KeptAsync(record, cancel);
        if (all.FirstOrDefault(k => k.Step.ToString(CultureInfo.InvariantCulture) == step) is not { } kept)
            return Answers.NotFound(WhyNone(record, step, all));
        var manifest = ManifestOf(record, kept);
        var version = VersionManifest.IdOf(manifest.ToBytes());
        var isNew = await PublishedAsync() is null;
        if (isNew)
        {
            try
            {
                // Once begun it goes to its end, also where the caller is gone: half a copy would lie there for nobody.
                await copies.CopyAsync(
                    record.Owner, record.Name, manifest, file => StorageLayout.Kept(record.Key, kept.Place, file.Name),
                    CancellationToken.None);
            }
            catch (InvalidDataException e)
            {
                return Answers.Problem(
                    StatusCodes.Status409Conflict, "Not published",
                    $"Checkpoint {kept.Step} of training '{record.Id}' cannot be published. {e.Message} It may have been removed just now, "
                        + "or its training has gone back behind it: look at the list again.");
            }
            await versions.MakeVisibleAsync(
                new PublishedVersion(version, record.Owner, record.Name, record.Base, record.Id, time.GetUtcNow()) { Step = kept.Step },
                CancellationToken.None);
        }
        request.HttpContext.Response.Headers.Location = addresses.Of(
            request, $"v1/models/{record.Owner}/{record.Name}/versions/{version}");
        return Answers.Json(
            await views.WithFilesAsync((await PublishedAsync())!, request, cancel),
            isNew ? StatusCodes.Status201Created : StatusCodes.Status200OK);

        async Task<PublishedVersion?> PublishedAsync() =>
            (await versions.ModelAsync(record.Owner, record.Name, cancel))?.Versions.FirstOrDefault(v => v.Version == version);
    }

    /// <summary>What the version is named by: the same weights and settings of the same step have the same id.</summary>
    private static VersionManifest ManifestOf(TrainingRecord record, KeptCheckpoint kept)
    {
        var inputs = record.Input.Deserialize<TrainingInputs>(SdxlJson.Options)!; // the effective ones: it has trained
        return new VersionManifest(
            record.Base, inputs.TokenString, JsonSerializer.SerializeToNode(inputs, SdxlJson.Options)!.AsObject(),
            [.. kept.Files.OrderBy(f => f.Name, StringComparer.Ordinal)], record.From, kept.Step);
    }

    private static string WhyNone(TrainingRecord record, string step, IReadOnlyList<KeptCheckpoint> all)
    {
        var none = $"Training '{record.Id}' has no checkpoint '{step}'";
        return record.ScratchRemoved ? $"{none} any more: what its run left was removed after its time. Its version stays."
            : all.Count > 0
                ? $"{none}; it keeps those of step {string.Join(", ", all.Select(k => k.Step))}. Its last step's weights are its version."
            : record.Input["keep_checkpoints"] is null ? $"{none}: it was started without 'keep_checkpoints'."
            : $"{none} yet: the first is kept with its first row of sample pictures after step 0.";
    }

    private async Task<IReadOnlyList<KeptCheckpoint>> KeptAsync(TrainingRecord record, CancellationToken cancel) =>
        (await blobs.ReadAsync<List<KeptCheckpoint>>(StorageLayout.Jobs, StorageLayout.KeptList(record.Key), cancel))?.Value ?? [];
}
