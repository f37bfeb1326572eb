using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Options;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Http;
using Sdxl.Functions.Jobs;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Trainings;

/// <summary>
/// Trainings over HTTP. POST takes the archive as multipart (file "input_images", the inputs as fields) or JSON
/// ({"input": {"input_images": blob URL, …}, "name": …, "base": …}) and answers 202 with the status resource's Location.
/// A bad archive or input is answered at once: 400, 413 or 422 problem+json.
/// </summary>
public sealed class TrainingsApi(
    TrainingStarter starter, TrainingViews views, ArchiveReceiver receiver, UsablePictures pictures, RecordStore records, BlobStore blobs,
    BaseCatalog bases, Addresses addresses, Callers callers, IOptions<SdxlOptions> options)
{
    private const int PageSize = 100;

    [Function("CreateTraining")]
    public Task<IActionResult> Create(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/trainings")] HttpRequest request,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancel) => StartAsync(request, client, checkOnly: false, cancel);

    /// <summary>Takes what a training takes and makes only its data set and report: what would be used, cropped, masked, captioned,
    /// skipped.</summary>
    [Function("CreateCheck")]
    public Task<IActionResult> Check(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/checks")] HttpRequest request,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancel) => StartAsync(request, client, checkOnly: true, cancel);

    private async Task<IActionResult> StartAsync(HttpRequest request, DurableTaskClient client, bool checkOnly, CancellationToken cancel)
    {
        try
        {
            using var received = await receiver.ReceiveAsync(request, cancel);
            var (id, owner) = (JobId.New(), callers.OwnerOf(request));
            if (received.Owner is { } wanted && wanted != owner)
                throw new IntakeException([new IntakeProblem("owner", $"'{wanted}' is not yours: you are '{owner}'. Leave 'owner' out.", 403)]);
            var name = ModelName.Slug(received.Name ?? received.ArchiveName).Name;
            var training = new TrainingRequest(
                id, owner, name, received.Base ?? options.Value.DefaultBase,
                $"{StorageLayout.Datasets}/{StorageLayout.Dataset(new JobKey(owner, id), $"archive/{received.ArchiveName}")}", received.Given.ToJsonString(), "http", checkOnly);
            using (var intake = ArchiveIntake.Open(received.Archive, received.ArchiveName, training, bases))
                pictures.RefuseIfNoneDecodes(intake, cancel);
            received.Archive.Position = 0;
            await (await blobs.BlobAsync(training.Archive)).UploadAsync(received.Archive, overwrite: true, cancel);
            await starter.StartAsync(client, training, cancel);
            request.HttpContext.Response.Headers.Location = addresses.Of(request, $"api/trainings/{id}");
            var view = await views.GetAsync(id, request, client, cancel);
            return Answers.Json(view is null ? null : view with { Warnings = [.. received.Warnings, .. view.Warnings] },
                StatusCodes.Status202Accepted);
        }
        catch (IntakeException e)
        {
            return Answers.Problem(e);
        }
    }

    [Function("ListTrainings")]
    public async Task<IActionResult> List(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "api/trainings")] HttpRequest request, CancellationToken cancel)
    {
        var list = new List<TrainingView>();
        var owner = callers.OwnerOf(request);
        foreach (var id in await records.ListAsync(owner, StorageLayout.TrainingsList, PageSize, cancel))
        {
            if (await records.TrainingAsync(new JobKey(owner, id), cancel) is { } record)
                list.Add(views.View(record, request));
        }
        return Answers.Json(new { Results = list });
    }

    [Function("GetTraining")]
    public async Task<IActionResult> Get(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "api/trainings/{id}")] HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancel) =>
        await views.GetAsync(id, request, client, cancel) is { } view
            ? Answers.Json(view)
            : Answers.NotFound($"There is no training '{id}'.");

    /// <summary>Asks the training to stop. Already finished ones are answered unchanged.</summary>
    [Function("CancelTraining")]
    public async Task<IActionResult> Cancel(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/trainings/{id}/cancel")] HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancel)
    {
        if (await views.GetAsync(id, request, client, cancel) is not { } view)
            return Answers.NotFound($"There is no training '{id}'.");
        if (!JobTransitions.IsTerminal(view.Status))
            await client.RaiseEventAsync(id, JobOrchestration.CancelEvent, "canceled over HTTP", cancel);
        return Answers.Json(await views.GetAsync(id, request, client, cancel));
    }

    /// <summary>The data set's report as a page, or as JSON with Accept: application/json.</summary>
    [Function("GetTrainingReport")]
    public async Task<IActionResult> Report(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "api/trainings/{id}/report")] HttpRequest request,
        string id,
        CancellationToken cancel)
    {
        var json = request.Headers.Accept.Any(a => a?.Contains("application/json", StringComparison.Ordinal) == true);
        if (callers.JobOf(request, id) is not { } key
            || await blobs.ReadTextAsync(
                StorageLayout.Datasets, StorageLayout.Dataset(key, json ? StorageLayout.ReportFile : StorageLayout.ReportPage), cancel) is not { } text)
            return Answers.NotFound($"There is no report for training '{id}': it is written once the pictures are prepared.");
        return json
            ? new ContentResult { Content = text, ContentType = "application/json; charset=utf-8", StatusCode = 200 }
            : Answers.Page(request, new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text)));
    }

    /// <summary>The run's log with what was measured (ms, pictures/s, peak memory), one line of JSON a step. The published metrics.jsonl
    /// lacks these, so that equal runs give equal files.</summary>
    [Function("GetTrainingMetrics")]
    public async Task<IActionResult> Metrics(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "api/trainings/{id}/metrics")] HttpRequest request,
        string id,
        CancellationToken cancel) =>
        callers.JobOf(request, id) is { } key
            && await blobs.ReadTextAsync(StorageLayout.Jobs, StorageLayout.JobRun(key, StorageLayout.MetricsFile), cancel) is { } text
            ? new ContentResult { Content = text, ContentType = "application/x-ndjson; charset=utf-8", StatusCode = 200 }
            : Answers.NotFound($"There are no metrics for training '{id}': they are stored when it has trained to the end.");
}
