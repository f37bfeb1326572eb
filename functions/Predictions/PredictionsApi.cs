using System.Text.Json;
using System.Text.Json.Nodes;
using Azure;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Options;
using Sdxl.Core.Bases;
using Sdxl.Core.Identity;
using Sdxl.Core.Inputs;
using Sdxl.Core.Jobs;
using Sdxl.Core.Predictions;
using Sdxl.Core.Storage;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Http;
using Sdxl.Functions.Jobs;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Versions;

namespace Sdxl.Functions.Predictions;

/// <summary>How far a prediction is. Steps count over all its pictures; a refiner's are not among them.</summary>
public sealed record DrawingProgress(int Step, int TotalSteps, double? StepsPerSecond, double? SecondsLeft, string? Device);

/// <summary>A prediction as clients see it.</summary>
/// <param name="Output">Links to the pictures, in order; null until done.</param>
/// <param name="Seeds">The seed that draws each picture alone again.</param>
/// <param name="Flagged">true where the safety checker blackened a picture.</param>
/// <param name="Warnings">What the user should know though it worked, for example that nothing checked the pictures.</param>
/// <param name="Progress">While a worker draws; null before and afterwards.</param>
public sealed record PredictionView(
    string Id, string Base, string? Version, JobStatus Status, JsonObject Input, IReadOnlyList<string>? Output, IReadOnlyList<long> Seeds,
    IReadOnlyList<bool> Flagged, IReadOnlyList<string> Warnings, string? Error, double? PredictSeconds, DateTimeOffset CreatedAt,
    DateTimeOffset? CompletedAt, IReadOnlyDictionary<string, string> Urls, DrawingProgress? Progress = null);

/// <summary>
/// Drawing over HTTP: POST {"version": "owner/name:id" | id | "owner/name" | null, "base": …, "input": {"prompt": …}} answers 202;
/// without a version the base model draws, with the fine-tune that input replicate_weights names where there is one. As multipart/form-data
/// the inputs are fields beside version and base, and image, mask and replicate_weights may be files.
/// </summary>
public sealed class PredictionsApi(RecordStore records, BlobStore blobs, PredictionReceiver receiver, VersionStore versions,
    BaseCatalog bases, Addresses addresses, Callers callers)
{
    [Function("CreatePrediction")]
    public async Task<IActionResult> Create(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/predictions")] HttpRequest request,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancel)
    {
        var key = new JobKey(callers.OwnerOf(request), JobId.New());
        PredictionRequest prediction;
        IReadOnlyList<string> warnings;
        try
        {
            var received = await receiver.ReceiveAsync(request, cancel);
            warnings = received.Warnings;
            var reference = received.Version;
            var version = reference is null ? null : await versions.FindAsync(reference, key.Owner, cancel);
            if (reference is not null && version is null)
                return Answers.Problem(422, "Invalid version or not permitted",
                    $"There is no version '{reference}'. Give owner/name:id, owner/name or id (its first {VersionStore.ShortestBeginning} "
                    + "characters are enough); the base model alone draws where a request has no 'version' (./sdxl draw --version none).");
            if (version is not null && received.Base is { } asked && asked != version.Base)
                throw new InputException([new InputProblem(
                    "base",
                    $"Version '{reference}' was trained on base model '{version.Base}', not '{asked}', and draws with that. "
                        + $"Leave 'base' out, or choose a version of '{asked}'.")]);
            var baseModel = bases.Get(version?.Base ?? received.Base);
            var inputs = PredictionInputs.Read(received.Input, baseModel, key.Id, besideVersion: version is not null);
            bases.Require(baseModel, inputs.Needs());
            inputs = await receiver.StoreAsync(key, inputs, received, request, cancel);
            prediction = new PredictionRequest(
                key, baseModel.Name,
                version is null ? null : StorageLayout.VersionPrefix(version.Owner, version.Name, version.Version),
                version is null ? null : $"{version.Owner}/{version.Name}:{version.Version}",
                inputs);
        }
        catch (IntakeException e)
        {
            return Answers.Problem(e.Problems.Max(p => p.Status), "Input refused", e.Message, e.Problems);
        }
        catch (BaseNotFoundException e)
        {
            return Answers.Problem(422, "Unknown base model", e.Message);
        }
        catch (BaseIncompleteException e)
        {
            return Answers.Problem(400, "Base model not complete", e.Message, [new IntakeProblem("base", e.Message, 400)]);
        }
        catch (InputException e)
        {
            return Answers.Problem(422, "Input refused", e.Message,
                [.. e.Problems.Select(p => new IntakeProblem(p.Field, p.Sentence, 422))]);
        }
        await client.ScheduleNewOrchestrationInstanceAsync(
            nameof(PredictionOrchestrator), prediction, new StartOrchestrationOptions(InstanceId: key.Id), cancel);
        request.HttpContext.Response.Headers.Location = addresses.Of(request, $"v1/predictions/{key.Id}");
        return Answers.Json(View(Queued(prediction, DateTimeOffset.UtcNow) with { Warnings = warnings }, request),
            StatusCodes.Status202Accepted);
    }

    [Function("GetPrediction")]
    public async Task<IActionResult> Get(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/predictions/{id}")] HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancel) =>
        await FindAsync(request, id, client, cancel) is { } record
            ? Answers.Json(View(record, request) with { Progress = await ProgressAsync(record, cancel) })
            : Answers.NotFound($"There is no prediction '{id}'.");

    [Function("CancelPrediction")]
    public async Task<IActionResult> Cancel(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/predictions/{id}/cancel")] HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancel)
    {
        if (await FindAsync(request, id, client, cancel) is not { } record)
            return Answers.NotFound($"There is no prediction '{id}'.");
        if (!JobTransitions.IsTerminal(record.Status))
            await client.RaiseEventAsync(id, JobOrchestration.CancelEvent, "canceled over HTTP", cancel);
        return Answers.Json(View(record, request));
    }

    /// <summary>A drawn picture. Only names that the record lists are served.</summary>
    [Function("GetPredictionPicture")]
    public async Task<IActionResult> Picture(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/predictions/{id}/{file}")] HttpRequest request,
        string id,
        string file,
        CancellationToken cancel)
    {
        if (callers.JobOf(request, id) is not { } key || (await records.PredictionAsync(key, cancel))?.Pictures.Any(p => p.File == file) != true)
            return Answers.NotFound($"Prediction '{id}' has no picture '{file}'.");
        try
        {
            var blob = await blobs.BlobAsync(StorageLayout.Predictions, StorageLayout.Drawn(key, file));
            return new FileStreamResult(await blob.OpenReadAsync(cancellationToken: cancel), "image/png");
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return Answers.NotFound($"Picture '{file}' of prediction '{id}' is not in storage any more.");
        }
    }

    private async Task<DrawingProgress?> ProgressAsync(PredictionRecord record, CancellationToken cancel) =>
        record.Status == JobStatus.Processing
            && await blobs.ReadAsync<JobProgress>(StorageLayout.Jobs, StorageLayout.Progress(record.Key), cancel) is { Value: var p }
            ? new DrawingProgress(p.Step, p.TotalSteps, p.StepsPerSecond, p.SecondsLeft, p.Device)
            : null;

    private async Task<PredictionRecord?> FindAsync(HttpRequest request, string id, DurableTaskClient client, CancellationToken cancel)
    {
        if (callers.JobOf(request, id) is not { } key)
            return null;
        if (await records.PredictionAsync(key, cancel) is { } record)
            return record;
        var instance = await client.GetInstanceAsync(id, getInputsAndOutputs: true, cancel);
        return instance is { Name: nameof(PredictionOrchestrator) } && instance.ReadInputAs<PredictionRequest>() is { } queued && queued.Key == key
            ? Queued(queued, instance.CreatedAt)
            : null;
    }

    private static PredictionRecord Queued(PredictionRequest request, DateTimeOffset created) => new()
    {
        Id = request.Key.Id,
        Owner = request.Key.Owner,
        Base = request.Base,
        Version = request.Version,
        Status = JobStatus.Starting,
        Input = JsonSerializer.SerializeToNode(request.Inputs, Core.Json.SdxlJson.Options)!.AsObject(),
        CreatedAt = created,
    };

    private PredictionView View(PredictionRecord r, HttpRequest request) => new(
        r.Id, r.Base, r.Version, r.Status, r.Input,
        r.Status == JobStatus.Succeeded ? [.. r.Pictures.Select(p => addresses.Of(request, $"v1/predictions/{r.Id}/{p.File}"))] : null,
        [.. r.Pictures.Select(p => p.Seed)], [.. r.Pictures.Select(p => p.Flagged)],
        r.Warnings, r.Error, r.PredictSeconds, r.CreatedAt, r.CompletedAt,
        new Dictionary<string, string>
        {
            ["get"] = addresses.Of(request, $"v1/predictions/{r.Id}"),
            ["cancel"] = addresses.Of(request, $"v1/predictions/{r.Id}/cancel"),
        });
}
