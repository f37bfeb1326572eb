using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Http;
using Sdxl.Functions.Retention;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Versions;
using static Sdxl.Functions.Trainings.TrainingRequests;

namespace Sdxl.Functions.Trainings;

/// <summary>
/// Trainings over HTTP. POST takes the archive as multipart (file "input_images", the inputs as fields) or JSON
/// ({"input": {"input_images": address, …}, "name": …, "base": …}) and answers 201 with the training; Replicate's clients POST the same
/// under a base model's version, or under one of their own, which is then gone on from ("from"). A bad archive or input is answered at
/// once: 400, 413 or 422 problem+json.
/// </summary>
public sealed class TrainingsApi(
    TrainingCreation creation, TrainingStarter starter, TrainingViews views, RecordStore records, BlobStore blobs, BaseModels bases,
    VersionStore versions, Deletion deletion, Coalesced<TrainingView?> looks, Paging paging, Addresses addresses)
{
    [Function("CreateTraining")]
    [Operation("Starts a training.", Gives = typeof(TrainingView), Status = 201, Body = ApiBodies.Training)]
    public Task<IActionResult> Create(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/trainings")] HttpRequest request,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancel) => CreateAsync(request, client, new TrainingCreation.Wish(), cancel);

    /// <summary>As Replicate's clients do.</summary>
    [Function("CreateTrainingOfVersion")]
    [Operation("Starts a training, as Replicate's clients do.", Gives = typeof(TrainingView), Status = 201, Body = ApiBodies.Training)]
    public async Task<IActionResult> CreateOfVersion(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/models/{owner}/{name}/versions/{version}/trainings")]
        HttpRequest request, string owner, string name, string version,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancel)
    {
        if (bases.Find(owner, name) is { } known)
        {
            return bases.FindVersion(version)?.Name == known.Name
                ? await CreateAsync(
                    request, client, new TrainingCreation.Wish(DestinationMustExist: true, Base: known.Manifest.Name), cancel)
                : Answers.NotFound($"There is no version '{owner}/{name}:{version}'.");
        }
        // A version of one's own is a trainer, too: what it has learned goes on.
        return owner == request.Owner()
            && (await versions.ModelAsync(owner, name, cancel))?.Versions.Any(v => v.Version == version) == true
                ? await CreateAsync(
                    request, client, new TrainingCreation.Wish(DestinationMustExist: true, From: $"{owner}/{name}:{version}"), cancel)
                : Answers.NotFound($"There is no version '{owner}/{name}:{version}'.");
    }

    /// <summary>The caller's, newest first; ?status=… shows those of that status alone.</summary>
    [Function("ListTrainings")]
    [Operation("Your trainings, newest first.", Gives = typeof(Page<TrainingView>), Query = "cursor,limit,status,model")]
    public async Task<IActionResult> List(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/trainings")] HttpRequest request, CancellationToken cancel)
    {
        var (owner, wanted) = (request.Owner(), Paging.Of(request));
        var (status, model) = (StatusOf(request), request.Query["model"].ToString());
        var (ids, next) = await records.PageAsync(owner, StorageLayout.TrainingsList, wanted.Cursor, wanted.Size, cancel);
        var list = new List<TrainingView>();
        var root = addresses.RootOf(request);
        foreach (var found in await Task.WhenAll(ids.Select(id => records.TrainingAsync(new JobKey(owner, id), cancel))))
        {
            if (found is { } record && (status is null || record.Status == status)
                && (model.Length == 0 || $"{record.Owner}/{record.Name}" == model || record.Name == model))
                list.Add(await views.ViewAsync(record, root, cancel));
        }
        return Answers.Json(paging.Page(request, list, next));
    }

    [Function("GetTraining")]
    [Operation("A training as it is now.", Gives = typeof(TrainingView))]
    public async Task<IActionResult> Get(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "v1/trainings/{id}")] HttpRequest request, string id,
        CancellationToken cancel) =>
        request.JobOf(id) is { } key && await LookAsync(key, addresses.RootOf(request), cancel) is { } view
            ? Answers.Tagged(request, view) : NoTraining(id);

    /// <summary>Asks the training to stop. Already finished ones are answered unchanged.</summary>
    [Function("CancelTraining")]
    [Operation("Cancels a training.", Gives = typeof(TrainingView))]
    public Task<IActionResult> Cancel(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/trainings/{id}/cancel")] HttpRequest request, string id,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancel) => AskAsync(request, id, key => starter.CancelAsync(client, key, cancel), cancel);

    /// <summary>Stop and keep: it ends at its next step, and what is trained until then is published.</summary>
    [Function("StopTraining")]
    [Operation("Ends a training at its next step and publishes what is trained.", Gives = typeof(TrainingView))]
    public Task<IActionResult> Stop(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/trainings/{id}/stop")] HttpRequest request, string id,
        CancellationToken cancel) => AskAsync(
            request, id, key => blobs.WriteBytesAsync(StorageLayout.Jobs, StorageLayout.StopMark(key), [], "text/plain", cancel), cancel);

    /// <summary>
    /// The sample prompts are drawn at the next step, and the training goes on as if nothing had been. 409 unless it is being trained, and
    /// where it has no sample prompts.
    /// </summary>
    [Function("SampleTraining")]
    [Operation("Draws a training's sample prompts at its next step.", Gives = typeof(TrainingView))]
    public async Task<IActionResult> Sample(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/trainings/{id}/sample")] HttpRequest request, string id,
        CancellationToken cancel)
    {
        if (await records.TrainingAsync(request, id, cancel) is not { } record)
            return NoTraining(id);
        if (WhyNoSamples(record) is { } why)
            return Answers.Problem(StatusCodes.Status409Conflict, "No samples now", why);
        return await AskAsync(
            request, id, key => blobs.WriteBytesAsync(StorageLayout.Jobs, StorageLayout.SampleMark(key), [], "text/plain", cancel), cancel);
    }

    /// <summary>The training with its data set and everything of its run; the version that it published stays.</summary>
    [Function("DeleteTraining")]
    [Operation("Removes a training and its data set; its version stays.", Status = 204)]
    public async Task<IActionResult> Delete(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/trainings/{id}")] HttpRequest request, string id,
        CancellationToken cancel)
    {
        if (await records.TrainingAsync(request, id, cancel) is not { } record)
            return NoTraining(id);
        if (!JobTransitions.IsTerminal(record.Status))
            return Answers.Problem(StatusCodes.Status409Conflict, "Still running", $"Training '{id}' is not over. Cancel it first.");
        await deletion.TrainingAsync(record, cancel);
        looks.Forget($"{record.Key} {addresses.RootOf(request)}");
        return new NoContentResult();
    }

    private async Task<IActionResult> CreateAsync(
        HttpRequest request, DurableTaskClient client, TrainingCreation.Wish wish, CancellationToken cancel)
    {
        var (record, warnings) = await creation.CreateAsync(request, client, wish, cancel);
        request.HttpContext.Response.Headers.Location = addresses.Of(request, $"v1/trainings/{record.Id}");
        var view = await views.ViewAsync(record, addresses.RootOf(request), cancel);
        return Answers.Json(view with { Warnings = [.. warnings, .. view.Warnings] }, StatusCodes.Status201Created);
    }

    /// <summary>Many may look at the same training: they share a look.</summary>
    private Task<TrainingView?> LookAsync(JobKey key, string root, CancellationToken cancel) => looks.GetAsync($"{key} {root}", async () =>
        await records.TrainingAsync(key, CancellationToken.None) is { } record
            ? await views.NowAsync(record, root, CancellationToken.None) : null, cancel);

    private async Task<IActionResult> AskAsync(HttpRequest request, string id, Func<JobKey, Task> ask, CancellationToken cancel)
    {
        if (await records.TrainingAsync(request, id, cancel) is not { } record)
            return NoTraining(id);
        if (!JobTransitions.IsTerminal(record.Status))
            await ask(record.Key);
        looks.Forget($"{record.Key} {addresses.RootOf(request)}");
        record = await records.TrainingAsync(record.Key, cancel) ?? record;
        return Answers.Json(await views.NowAsync(record, addresses.RootOf(request), cancel));
    }

    /// <returns>null: samples can be drawn at the next step.</returns>
    private static string? WhyNoSamples(TrainingRecord record) => (record.Status, record.Stage) switch
    {
        _ when record.IsCheck => $"'{record.Id}' is a check: it prepares pictures and trains nothing, so that it has no samples.",
        ({ } over, _) when JobTransitions.IsTerminal(over) =>
            $"Training '{record.Id}' is over ({over.ToString().ToLowerInvariant()}): samples are drawn between its steps alone. Draw with "
                + "its version instead, where it has one.",
        (JobStatus.Processing, TrainingStage.Train) when record.Input["sample_prompts"] is null =>
            $"Training '{record.Id}' has no sample prompts, so there is nothing to draw. Give the next one 'sample_prompts'.",
        (JobStatus.Processing, TrainingStage.Train) => null,
        (JobStatus.Processing, TrainingStage.Publish) =>
            $"Training '{record.Id}' is being published: its last samples are drawn.",
        _ => $"Training '{record.Id}' is not being trained yet. Its samples can be drawn once its stage is 'train'.",
    };

    private static JobStatus? StatusOf(HttpRequest request) => request.Query["status"].ToString() switch
    {
        "" => null,
        var word when Enum.TryParse<JobStatus>(word, ignoreCase: true, out var status) && char.IsLetter(word[0]) => status,
        var word => throw new IntakeException([new IntakeProblem(
            "status", $"'status' is '{word}'; it must be one of starting, processing, succeeded, failed, canceled.", 422)]),
    };
}
