using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Json;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Core.Workers;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Http;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Trainings;

/// <summary>What a training may take and cost, each with how it was got; null where nothing is known.</summary>
/// <param name="QueuePlace">1: no unfinished training, whosever, comes before it.</param>
/// <param name="SecondsToStart">Until a worker takes it.</param>
/// <param name="Seconds">From there to its end: low, high.</param>
/// <param name="Price">Low, high, in <paramref name="Currency"/>.</param>
/// <param name="MemoryBytes">Of the device, at most.</param>
/// <param name="Sources">A sentence by field name.</param>
public sealed record Quote(
    int? QueuePlace, double? SecondsToStart, IReadOnlyList<double>? Seconds, IReadOnlyList<double>? Price, string? Currency,
    long? MemoryBytes, IReadOnlyDictionary<string, string> Sources);

/// <summary>
/// Makes quotes: of the owner's finished trainings of the same base model, the workers that are there, and the price by setting.
/// </summary>
public sealed class Quotes(RecordStore records, TrainingQueue queue, BlobStore blobs, IOptions<SdxlOptions> options, TimeProvider time)
{
    private const int Looked = 20; // newest trainings: enough to have some of the same base model
    private const double Spread = 0.15; // where one speed alone was measured, it may be so much off

    private readonly Refreshed<IReadOnlyList<JobProgress>> _measured = new(time, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(10));
    private readonly Refreshed<IReadOnlyList<WorkerStatus>> _workers = new(time, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30));

    /// <returns>null: it is not unpacked yet, or its worker says better how long it takes.</returns>
    public async Task<Quote?> OfWaitingAsync(TrainingRecord record, JobProgress? progress, CancellationToken cancel)
    {
        if (record.IsCheck || record.Pictures == 0 || progress is not null || JobTransitions.IsTerminal(record.Status))
            return null;
        var inputs = record.Input.Deserialize<TrainingInputs>(SdxlJson.Options)!; // the effective ones since it was unpacked
        return await OfAsync(record.Owner, record.Base, inputs.MaxTrainSteps, inputs, record, cancel);
    }

    /// <param name="before">Trainings made after this one do not stand before it; null: it is not made yet.</param>
    public async Task<Quote> OfAsync(
        string owner, string baseName, int steps, TrainingInputs? inputs, TrainingRecord? before, CancellationToken cancel)
    {
        var kind = $"{owner}/{baseName}/{inputs?.Resolution}/{inputs?.TrainBatchSize}/{inputs?.IsLora}";
        var measured = await _measured.GetAsync(kind, () => MeasuredAsync(owner, baseName, inputs), cancel);
        var ahead = (await queue.NowAsync(cancel))
            .Where(other => other.Key != before?.Key && (before is null || other.CreatedAt <= before.CreatedAt)).ToList();
        var place = ahead.Count;
        var sources = new Dictionary<string, string> { ["queue_place"] = "Counted: all trainings that are not over, of everybody here." };
        var workers = await _workers.GetAsync("", WorkersAsync, cancel);
        var haveAllBegun = ahead.TrueForAll(other => other.SecondsLeft is not null);
        double? toStart = workers.Count == 0 ? null : haveAllBegun && workers.Any(w => w.Doing == WorkerStatus.Idle) ? 0
            : place > 0 && haveAllBegun ? ahead.Sum(other => other.SecondsLeft!.Value) / workers.Count : null;
        sources["seconds_to_start"] = workers.Count == 0 ? "No worker is there just now."
            : toStart is null ? "The workers are busy with jobs whose end is not known."
            : toStart == 0 ? "A worker is idle." : "What the trainings before it say is left, over the workers that are there.";
        IReadOnlyList<double>? seconds = null;
        var speeds = measured.Where(m => m.StepsPerSecond > 0).ToList();
        if (speeds.Count > 0)
        {
            var (slow, fast) = (speeds.Min(s => s.StepsPerSecond!.Value), speeds.Max(s => s.StepsPerSecond!.Value));
            seconds = [Math.Round(steps / fast / (1 + Spread), 1), Math.Round(steps / slow * (1 + Spread), 1)];
            sources["seconds"] = $"{steps} steps at the speed measured in {speeds.Count} of your trainings of '{baseName}' on "
                + FormattableString.Invariant($"{speeds[0].Device}: {slow:0.###} to {fast:0.###} steps/s, give or take {Spread:P0}.");
        }
        else
        {
            sources["seconds"] = $"Not known: none of your last {Looked} trainings was of '{baseName}' with this resolution and batch.";
        }
        var (hourly, currency) = (options.Value.PricePerHour, options.Value.Currency);
        IReadOnlyList<double>? price = hourly is > 0 && seconds is not null
            ? [Math.Round(seconds[0] / 3600 * hourly.Value, 4), Math.Round(seconds[1] / 3600 * hourly.Value, 4)] : null;
        sources["price"] = hourly is not > 0 ? "Not known: no price is set (Sdxl:PricePerHour)."
            : price is null ? "Not known, as the seconds are not."
            : FormattableString.Invariant($"The seconds at {hourly} {currency} an hour (Sdxl:PricePerHour).");
        var memory = measured.Max(m => m.MemoryBytes);
        sources["memory_bytes"] = memory is null
            ? $"Not known: no worker has told it of a training of '{baseName}' like this one among your last {Looked}."
            : $"The most that was in use on {measured.First(m => m.MemoryBytes == memory).Device} in those of your last {Looked} trainings "
                + $"of '{baseName}' that are like this one.";
        return new Quote(place + 1, toStart, seconds, price, hourly is > 0 ? currency : null, memory, sources);
    }

    /// <summary>The last word of the workers that trained the owner's newest trainings of this kind.</summary>
    private async Task<IReadOnlyList<JobProgress>> MeasuredAsync(string owner, string baseName, TrainingInputs? inputs)
    {
        var (ids, _) = await records.PageAsync(owner, StorageLayout.TrainingsList, null, Looked);
        var measured = new List<JobProgress>();
        foreach (var id in ids)
        {
            if (await records.TrainingAsync(new JobKey(owner, id)) is { Status: JobStatus.Succeeded } other
                && other.Base == baseName && IsAlike(other, inputs)
                && await blobs.ReadAsync<JobProgress>(StorageLayout.Jobs, StorageLayout.Progress(other.Key)) is { Value: var progress })
                measured.Add(progress);
        }
        return measured;
    }

    /// <summary>What makes a step long or short.</summary>
    private static bool IsAlike(TrainingRecord other, TrainingInputs? inputs) => inputs is null
        || other.Input["resolution"]?.ToString() == inputs.Resolution.ToString(CultureInfo.InvariantCulture)
            && other.Input["train_batch_size"]?.ToString() == inputs.TrainBatchSize.ToString(CultureInfo.InvariantCulture)
            && other.Input["is_lora"]?.ToString() == (inputs.IsLora ? "true" : "false");

    private async Task<IReadOnlyList<WorkerStatus>> WorkersAsync()
    {
        var there = new List<WorkerStatus>();
        foreach (var name in await blobs.ListAsync(StorageLayout.Jobs, StorageLayout.Workers))
        {
            if ((await blobs.ReadAsync<WorkerStatus>(StorageLayout.Jobs, name))?.Value is { } status
                && time.GetUtcNow() - status.At < WorkerStatus.Silence)
                there.Add(status);
        }
        return there;
    }
}
