using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Sdxl.Core.Jobs;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Http;
using Sdxl.Functions.Retention;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Trainings;

/// <summary>
/// Checks over HTTP: what a training would make of the pictures, shown as it is made, and changed by hand. A training takes a check's data
/// set by {"check": id}.
/// </summary>
public sealed class ChecksApi(
    TrainingCreation creation, TrainingStarter starter, TrainingViews views, Reports reports, PictureEdits edits, RecordStore records,
    Deletion deletion, Addresses addresses)
{
    private const int MaxChangeBytes = 64 << 20; // a mask as a data URI

    /// <summary>Takes what a training takes.</summary>
    [Function("CreateCheck")]
    [Operation("Prepares pictures and trains nothing.", Gives = typeof(TrainingView), Status = 201, Body = ApiBodies.Training)]
    public async Task<IActionResult> Create(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/checks")] HttpRequest request,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancel)
    {
        var (record, warnings) = await creation.CreateAsync(request, client, new TrainingCreation.Wish(CheckOnly: true), cancel);
        request.HttpContext.Response.Headers.Location = addresses.Of(request, $"v1/checks/{record.Id}");
        var view = await views.ViewAsync(record, addresses.RootOf(request), cancel);
        return Answers.Json(view with { Warnings = [.. warnings, .. view.Warnings] }, StatusCodes.Status201Created);
    }

    [Function("GetCheck")]
    [Operation("A check as it is now.", Gives = typeof(TrainingView))]
    public async Task<IActionResult> Get(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "v1/checks/{id}")] HttpRequest request, string id,
        CancellationToken cancel) =>
        await FindAsync(request, id, cancel) is { } record
            ? Answers.Tagged(request, await views.NowAsync(record, addresses.RootOf(request), cancel)) : NoCheck(id);

    [Function("CancelCheck")]
    [Operation("Cancels a check.", Gives = typeof(TrainingView))]
    public async Task<IActionResult> Cancel(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/checks/{id}/cancel")] HttpRequest request, string id,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancel)
    {
        if (await FindAsync(request, id, cancel) is not { } record)
            return NoCheck(id);
        if (!JobTransitions.IsTerminal(record.Status))
            await starter.CancelAsync(client, record.Key, cancel);
        record = await records.TrainingAsync(record.Key, cancel) ?? record;
        return Answers.Json(await views.NowAsync(record, addresses.RootOf(request), cancel));
    }

    [Function("DeleteCheck")]
    [Operation("Removes a check and its data set.", Status = 204)]
    public async Task<IActionResult> Delete(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/checks/{id}")] HttpRequest request, string id,
        CancellationToken cancel)
    {
        if (await FindAsync(request, id, cancel) is not { } record)
            return NoCheck(id);
        if (!JobTransitions.IsTerminal(record.Status))
            return Answers.Problem(StatusCodes.Status409Conflict, "Still running", $"Check '{id}' is not over. Cancel it first.");
        await deletion.TrainingAsync(record, cancel);
        return new NoContentResult();
    }

    /// <summary>Grows picture by picture; with ?format=html, or for a browser, the finished report as a page.</summary>
    [Function("GetCheckReport")]
    [Operation("What became of each picture, growing.", Gives = typeof(ReportView), Query = "format")]
    public async Task<IActionResult> Report(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "v1/checks/{id}/report")] HttpRequest request, string id,
        CancellationToken cancel) =>
        await FindAsync(request, id, cancel) is { } record ? await ReportAsync(reports, addresses, request, record, cancel) : NoCheck(id);

    [Function("ChangeCheckPicture")]
    [Operation(
        "Changes a picture's caption, crop or mask, or leaves it out (If-Match).", Gives = typeof(PictureView), Body = ApiBodies.Picture)]
    public async Task<IActionResult> Change(
        [HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "v1/checks/{id}/pictures/{index}")] HttpRequest request, string id,
        string index, CancellationToken cancel)
    {
        if (await FindAsync(request, id, cancel) is not { } record)
            return NoCheck(id);
        if (!int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return Answers.NotFound($"Check '{id}' has no picture '{index}'.");
        var change = await RequestBodies.JsonAsync(request, MaxChangeBytes, "caption", PictureEdits.Example, cancel);
        if (await edits.ChangeAsync(record, number, change, request, addresses.RootOf(request), cancel) is not { } picture)
        {
            return Answers.Problem(StatusCodes.Status412PreconditionFailed, "Changed meanwhile",
                $"Picture {number} was changed since you looked at it. Read the report again, then change it.");
        }
        request.HttpContext.Response.Headers.ETag = picture.Etag;
        return Answers.Json(picture);
    }

    internal static async Task<IActionResult> ReportAsync(
        Reports reports, Addresses addresses, HttpRequest request, TrainingRecord record, CancellationToken cancel)
    {
        var format = request.Query["format"].ToString();
        var isPage = format == "html" || format.Length == 0 && request.Headers.Accept.Any(
            accept => accept?.Contains("text/html", StringComparison.OrdinalIgnoreCase) == true);
        if (isPage)
        {
            return await reports.PageAsync(record, cancel) is { } page
                ? Answers.Page(request, new MemoryStream(System.Text.Encoding.UTF8.GetBytes(page))) : NoReport(record);
        }
        return await reports.OfAsync(record, addresses.RootOf(request), cancel) is { } report
            ? Answers.Tagged(request, report) : NoReport(record);
    }

    private static ContentResult NoReport(TrainingRecord record) => Answers.NotFound(record.DataRemoved
        ? $"The data set of '{record.Id}' has been removed, and its report with it."
        : $"There is no report of '{record.Id}' yet: it begins when the archive is unpacked, and the page is made when all pictures are "
            + "prepared.");

    private async Task<TrainingRecord?> FindAsync(HttpRequest request, string id, CancellationToken cancel) =>
        request.JobOf(id) is { } key && await records.TrainingAsync(key, cancel) is { IsCheck: true } record ? record : null;

    private static ContentResult NoCheck(string id) => Answers.NotFound($"There is no check '{id}'.");
}
