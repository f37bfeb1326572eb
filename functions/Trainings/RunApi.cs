using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Files;
using Sdxl.Functions.Http;
using Sdxl.Functions.Storage;
using static Sdxl.Functions.Trainings.TrainingRequests;

namespace Sdxl.Functions.Trainings;

/// <summary>A sample picture as clients see it.</summary>
/// <param name="Step">Steps done when it was drawn; 0: before the first.</param>
/// <param name="Urls">get, thumbnail.</param>
public sealed record SampleView(int Step, int Index, string Prompt, long Seed, IReadOnlyDictionary<string, string> Urls);

/// <summary>The sample pictures so far.</summary>
public sealed record SampleListView(IReadOnlyList<SampleView> Results);

/// <summary>What a run tells while it runs and afterwards: report, measurements, sample pictures, log.</summary>
public sealed class RunApi(
    RecordStore records, BlobStore blobs, Reports reports, TrainingLogs logs, FileLinks links, Addresses addresses)
{
    private const int MaxLogLines = 100_000;

    /// <inheritdoc cref="ChecksApi.Report"/>
    [Function("GetTrainingReport")]
    [Operation("What became of each picture, growing.", Gives = typeof(ReportView), Query = "format")]
    public async Task<IActionResult> Report(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "v1/trainings/{id}/report")] HttpRequest request, string id,
        CancellationToken cancel) =>
        await records.TrainingAsync(request, id, cancel) is { } record
            ? await ChecksApi.ReportAsync(reports, addresses, request, record, cancel) : NoTraining(id);

    /// <summary>
    /// One point a step (loss, rates, ms, pictures/s, peak MiB), thinned to what a plot can show; ?after=STEP gives the newer ones.
    /// </summary>
    [Function("GetTrainingMetrics")]
    [Operation("What was measured, step by step.", Gives = typeof(RunMetrics), Query = "after")]
    public async Task<IActionResult> Metrics(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "v1/trainings/{id}/metrics")] HttpRequest request, string id,
        CancellationToken cancel)
    {
        if (await records.TrainingAsync(request, id, cancel) is not { } record)
            return NoTraining(id);
        var text = await blobs.ReadTextAsync(StorageLayout.Jobs, StorageLayout.Metrics(record.Key), cancel) ?? "";
        return Answers.Tagged(request, RunMetrics.Read(text, Number(request, "after", 0, int.MaxValue) ?? -1));
    }

    /// <summary>The sample pictures drawn so far, step 0 included.</summary>
    [Function("GetTrainingSamples")]
    [Operation("Sample pictures drawn on the way.", Gives = typeof(SampleListView))]
    public async Task<IActionResult> Samples(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "v1/trainings/{id}/samples")] HttpRequest request, string id,
        CancellationToken cancel)
    {
        if (await records.TrainingAsync(request, id, cancel) is not { } record)
            return NoTraining(id);
        var list = (await blobs.ReadAsync<List<TrainingSample>>(
            StorageLayout.Jobs, StorageLayout.SampleList(record.Key), cancel))?.Value ?? [];
        var root = addresses.RootOf(request);
        var results = new List<SampleView>();
        foreach (var sample in list)
        {
            results.Add(new SampleView(sample.Step, sample.Index, sample.Prompt, sample.Seed, new Dictionary<string, string>
            {
                ["get"] = await LinkAsync(sample.File),
                ["thumbnail"] = await LinkAsync(sample.Thumbnail),
            }));
        }
        return Answers.Tagged(request, new SampleListView(results));

        async Task<string> LinkAsync(string file) =>
            await links.OfAsync(root, StorageLayout.Jobs, StorageLayout.Sample(record.Key, file), cancel);
    }

    /// <summary>The log as text; ?tail=N gives its last N lines.</summary>
    [Function("GetTrainingLogs")]
    [Operation("The log as text.", Media = "text/plain", Query = "tail")]
    public async Task<IActionResult> Logs(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "v1/trainings/{id}/logs")] HttpRequest request, string id,
        CancellationToken cancel) =>
        await records.TrainingAsync(request, id, cancel) is { } record
            ? await LogsAsync(request, record, cancel) : NoTraining(id);

    [Function("GetCheckLogs")]
    [Operation("The log as text.", Media = "text/plain", Query = "tail")]
    public Task<IActionResult> CheckLogs(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "v1/checks/{id}/logs")] HttpRequest request, string id,
        CancellationToken cancel) => Logs(request, id, cancel);

    private async Task<IActionResult> LogsAsync(HttpRequest request, TrainingRecord record, CancellationToken cancel)
    {
        var text = Number(request, "tail", 1, MaxLogLines) is { } lines
            ? await logs.TailAsync(record.Key, lines, cancel) : await logs.ReadAsync(record.Key, cancel);
        return Answers.Tagged(request, text, "text/plain; charset=utf-8");
    }

    private static int? Number(HttpRequest request, string name, int lowest, int highest)
    {
        var text = request.Query[name].ToString();
        if (text.Length == 0)
            return null;
        return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            && number >= lowest && number <= highest
            ? number
            : throw new IntakeException(
                [new IntakeProblem(name, $"'{name}' is '{text}'; it must be a whole number, {lowest} or more.", 422)]);
    }
}
