using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;
using Sdxl.Core.Bases;
using Sdxl.Core.Identity;
using Sdxl.Core.Inputs;
using Sdxl.Core.Jobs;
using Sdxl.Core.Predictions;
using Sdxl.Core.Storage;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Http;
using Sdxl.Functions.Retention;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Versions;

namespace Sdxl.Functions.Predictions;

/// <summary>
/// Drawing over HTTP, as Replicate's clients ask for it: POST {"version": "owner/name:id" | id | "owner/name" | null, "base": …, "input":
/// {"prompt": …}} answers 201; without a version the base model draws, with the fine-tune that input replicate_weights names where there is
/// one. As multipart/form-data the inputs are fields beside version and base, and image, mask and replicate_weights may be files.
/// </summary>
public sealed class PredictionsApi(
    RecordStore records, RecordChanges changes, BlobStore blobs, PredictionIntake intake, PredictionProgress progress,
    PredictionViews views, Deletion deletion, Repeats repeats, VersionStore versions, BaseModels bases, Paging paging, Addresses addresses,
    IOptions<SdxlOptions> options, TimeProvider time)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    [Function("CreatePrediction")]
    [Operation("Draws.", Gives = typeof(PredictionView), Status = 201, Body = ApiBodies.Prediction)]
    public Task<IActionResult> Create(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/predictions")] HttpRequest request, CancellationToken cancel) =>
        CreateAsync(request, null, cancel);

    /// <summary>With the model's newest version.</summary>
    [Function("CreateModelPrediction")]
    [Operation("Draws with a model's newest version.", Gives = typeof(PredictionView), Status = 201, Body = ApiBodies.Prediction)]
    public async Task<IActionResult> CreateOfModel(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/models/{owner}/{name}/predictions")] HttpRequest request,
        string owner,
        string name,
        CancellationToken cancel) =>
        bases.Find(owner, name) is { } known ? await CreateAsync(request, known.FullName, cancel)
            : await versions.FindAsync($"{owner}/{name}", request.Owner(), cancel) is { } newest
            ? await CreateAsync(request, $"{owner}/{name}:{newest.Version}", cancel)
            : Answers.NotFound($"There is no model '{owner}/{name}', or it has no version yet.");

    [Function("ListPredictions")]
    [Operation("Your predictions, newest first.", Gives = typeof(Page<PredictionView>), Query = "cursor,limit")]
    public async Task<IActionResult> List(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/predictions")] HttpRequest request, CancellationToken cancel)
    {
        try
        {
            var (owner, wanted) = (request.Owner(), Paging.Of(request));
            var (ids, next) = await records.PageAsync(owner, StorageLayout.PredictionsList, wanted.Cursor, wanted.Size, cancel);
            var found = await Task.WhenAll(ids.Select(id => records.PredictionAsync(new JobKey(owner, id), cancel)));
            var shown = await Task.WhenAll(
                found.OfType<PredictionRecord>().Select(record => views.ViewAsync(record, null, addresses.RootOf(request), cancel)));
            return Answers.Json(paging.Page(request, shown, next));
        }
        catch (IntakeException e)
        {
            return Answers.Problem(e);
        }
    }

    [Function("GetPrediction")]
    [Operation("A prediction.", Gives = typeof(PredictionView))]
    public async Task<IActionResult> Get(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/predictions/{id}")] HttpRequest request,
        string id,
        CancellationToken cancel) =>
        request.JobOf(id) is { } key && await records.PredictionAsync(key, cancel) is { } record
            ? Answers.Json(await views.NowAsync(record, addresses.RootOf(request), cancel))
            : NoPrediction(id);

    /// <summary>Ends it at once; one that is over is answered unchanged.</summary>
    [Function("CancelPrediction")]
    [Operation("Ends a prediction.", Gives = typeof(PredictionView))]
    public async Task<IActionResult> Cancel(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/predictions/{id}/cancel")] HttpRequest request,
        string id,
        CancellationToken cancel)
    {
        if (request.JobOf(id) is not { } key || await records.PredictionAsync(key, cancel) is not { } record)
            return NoPrediction(id);
        var canceled = JobTransitions.IsTerminal(record.Status) ? record : await progress.CancelAsync(key, cancel);
        return canceled is null ? NoPrediction(id) : Answers.Json(await views.ViewAsync(canceled, null, addresses.RootOf(request), cancel));
    }

    /// <summary>Ends it if it runs, and removes it with its pictures.</summary>
    [Function("DeletePrediction")]
    [Operation("Removes a prediction with its pictures.", Status = 204)]
    public async Task<IActionResult> Delete(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/predictions/{id}")] HttpRequest request,
        string id,
        CancellationToken cancel)
    {
        if (request.JobOf(id) is not { } key || await records.PredictionAsync(key, cancel) is not { } record)
            return NoPrediction(id);
        if (!JobTransitions.IsTerminal(record.Status))
            await progress.CancelAsync(key, cancel);
        await deletion.PredictionAsync(record, cancel);
        return new NoContentResult();
    }

    private async Task<IActionResult> CreateAsync(HttpRequest request, string? version, CancellationToken cancel)
    {
        var (owner, root) = (request.Owner(), addresses.RootOf(request));
        var hasKey = Repeats.HasKey(request);
        PredictionRecord? record;
        JobKey key;
        try
        {
            key = new JobKey(owner, repeats.KeyedId(request, owner) ?? JobId.New());
            if (hasKey && await records.PredictionAsync(key, cancel) is { } made)
                return await AnswerAsync(request, made, cancel); // asked again with the same key
            (record, var reference) = await intake.ReadAsync(request, key, version, root, cancel);
            if (record is null)
                return Answers.Problem(422, "Invalid version or not permitted",
                    $"There is no version '{reference}'. Give owner/name:id, owner/name or id (its first {VersionStore.ShortestBeginning} "
                    + "characters are enough); the base model alone draws where a request has no 'version' (./sdxl draw --version none).");
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
        // From here on it is there, and what it owes is sent, also where the caller has gone.
        await records.CreateAsync(record, CancellationToken.None);
        try
        {
            cancel.ThrowIfCancellationRequested();
            return await AnswerAsync(request, record, cancel);
        }
        catch (OperationCanceledException) when (!hasKey)
        {
            // The connection is gone before a word of the answer: nobody has the id, and Replicate's JavaScript client asks again, up to
            // five times.
            await progress.CancelAsync(key, CancellationToken.None);
            throw;
        }
    }

    private async Task<IActionResult> AnswerAsync(HttpRequest request, PredictionRecord made, CancellationToken cancel)
    {
        var root = addresses.RootOf(request);
        request.HttpContext.Response.Headers.Location = $"{root}/v1/predictions/{made.Id}";
        return PreferWait.Of(request) is { } hold
            ? await HoldAsync(made, root, hold, cancel)
            : Answers.Json(await views.NowAsync(made, root, cancel), StatusCodes.Status201Created);
    }

    /// <summary>
    /// Answers when the prediction is over. Later than <paramref name="hold"/> the answer says "starting" whatever is true by then: clients
    /// take "processing" in this answer for an end without output.
    /// </summary>
    private async Task<IActionResult> HoldAsync(PredictionRecord made, string root, TimeSpan hold, CancellationToken cancel)
    {
        using var watch = changes.Of(made.Key);
        var end = time.GetUtcNow() + hold;
        var record = await records.PredictionAsync(made.Key, cancel); // it may have ended before the watch began
        for (var left = hold;
            record is not null && !JobTransitions.IsTerminal(record.Status) && left > TimeSpan.Zero;
            left = end - time.GetUtcNow())
        {
            record = await watch.WaitAsync(left < LookEvery ? left : LookEvery, cancel) as PredictionRecord
                ?? await records.PredictionAsync(made.Key, cancel);
        }
        if (record is not null && JobTransitions.IsTerminal(record.Status))
        {
            var view = await views.ViewAsync(record, null, root, cancel);
            return Answers.Json(await WithDataAsync(view, record, cancel), StatusCodes.Status201Created);
        }
        var starting = made.Events is [var first, ..] ? made.AsOf(first) : made;
        return Answers.Json(await views.ViewAsync(starting, null, root, cancel), StatusCodes.Status202Accepted);
    }

    /// <inheritdoc cref="SdxlOptions.DataOutputOnHttp"/>
    private async Task<PredictionView> WithDataAsync(PredictionView view, PredictionRecord record, CancellationToken cancel)
    {
        if (view.Output is not { Count: > 0 } links || !options.Value.DataOutputOnHttp
            || !links[0].StartsWith("http:", StringComparison.Ordinal))
            return view;
        var pictures = record.Pictures.Where(picture => !picture.Flagged).Select(async picture =>
            "data:image/png;base64," + Convert.ToBase64String(
                await blobs.ReadBytesAsync(StorageLayout.Predictions, StorageLayout.Drawn(record.Key, picture.File), cancel)));
        return view with { Output = await Task.WhenAll(pictures) };
    }

    private static ContentResult NoPrediction(string id) => Answers.NotFound($"There is no prediction '{id}'.");
}
