using System.Globalization;
using Microsoft.Extensions.Options;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Core.Workers;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Trainings;

/// <summary>What a training may take and cost, each with how it was got; null where nothing is known.</summary>
/// <param name="QueuePlace">1: no unfinished training of the same owner comes before it.</param>
/// <param name="SecondsToStart">Until a worker takes it.</param>
/// <param name="Seconds">From there to its end: low, high.</param>
/// <param name="Price">Low, high, in <paramref name="Currency"/>.</param>
/// <param name="MemoryBytes">Of the device.</param>
/// <param name="Sources">A sentence by field name.</param>
public sealed record Quote(
    int? QueuePlace, double? SecondsToStart, IReadOnlyList<double>? Seconds, IReadOnlyList<double>? Price, string? Currency,
    long? MemoryBytes, IReadOnlyDictionary<string, string> Sources);

/// <summary>Makes quotes: of the owner's finished trainings of the same base model, the workers that are there, and the price by setting.</summary>
public sealed class Quotes(RecordStore records, BlobStore blobs, IOptions<SdxlOptions> options, TimeProvider time)
{
    private const int Looked = 20; // newest trainings: enough to have some of the same base model
    private const double Spread = 0.15; // where one speed alone was measured, it may be so much off

    /// <param name="before">Trainings made after this one do not stand before it; null: it is not made yet.</param>
    public async Task<Quote> OfAsync(string owner, string baseName, int steps, TrainingInputs? inputs, TrainingRecord? before, CancellationToken cancel)
    {
        var (ids, _) = await records.PageAsync(owner, StorageLayout.TrainingsList, null, Looked, cancel);
        var speeds = new List<(double StepsPerSecond, string Device)>();
        double secondsAhead = 0;
        var (place, isKnown) = (0, true);
        foreach (var id in ids.Where(id => id != before?.Id))
        {
            if (await records.TrainingAsync(new JobKey(owner, id), cancel) is not { } other)
                continue;
            var over = JobTransitions.IsTerminal(other.Status);
            if (over && (other.Status != JobStatus.Succeeded || other.Base != baseName || !IsAlike(other, inputs)))
                continue;
            var progress = (await blobs.ReadAsync<JobProgress>(StorageLayout.Jobs, StorageLayout.Progress(other.Key), cancel))?.Value;
            if (over && progress is { StepsPerSecond: > 0 and var speed })
                speeds.Add((speed, progress.Device));
            if (over || before is not null && other.CreatedAt > before.CreatedAt)
                continue;
            place++;
            isKnown &= progress?.SecondsLeft is not null;
            secondsAhead += progress?.SecondsLeft ?? 0;
        }
        var sources = new Dictionary<string, string> { ["queue_place"] = "Counted: your own trainings that are not over." };
        var workers = await WorkersAsync(cancel);
        double? toStart = workers.Count == 0 ? null : place == 0 && workers.Exists(w => w.Doing == WorkerStatus.Idle) ? 0
            : place > 0 && isKnown ? secondsAhead / workers.Count : null;
        sources["seconds_to_start"] = workers.Count == 0 ? "No worker is there just now."
            : toStart is null ? "The workers are busy with jobs whose end is not known."
            : place == 0 ? "A worker is idle." : "What the trainings before it say is left, over the workers that are there.";
        IReadOnlyList<double>? seconds = null;
        if (speeds.Count > 0)
        {
            var (slow, fast) = (speeds.Min(s => s.StepsPerSecond), speeds.Max(s => s.StepsPerSecond));
            seconds = [Math.Round(steps / fast / (1 + Spread), 1), Math.Round(steps / slow * (1 + Spread), 1)];
            sources["seconds"] = FormattableString.Invariant(
                $"{steps} steps at the speed measured in {speeds.Count} of your trainings of '{baseName}' on {speeds[0].Device}: {slow:0.###} to {fast:0.###} steps/s, give or take {Spread:P0}.");
        }
        else
        {
            sources["seconds"] = $"Not known: none of your last {Looked} trainings was of '{baseName}' with this resolution and batch.";
        }
        var (hourly, currency) = (options.Value.PricePerHour, options.Value.Currency);
        IReadOnlyList<double>? price = hourly is > 0 && seconds is not null
            ? [Math.Round(seconds[0] / 3600 * hourly.Value, 4), Math.Round(seconds[1] / 3600 * hourly.Value, 4)] : null;
        sources["price"] = hourly is not > 0 ? "Not known: no price is set (Sdxl:PricePerHour)."
            : price is null ? "Not known, as the seconds are not." : FormattableString.Invariant($"The seconds at {hourly} {currency} an hour (Sdxl:PricePerHour).");
        sources["memory_bytes"] = "Not known: workers do not report it.";
        return new Quote(place + 1, toStart, seconds, price, hourly is > 0 ? currency : null, null, sources);
    }

    /// <summary>What makes a step long or short.</summary>
    private static bool IsAlike(TrainingRecord other, TrainingInputs? inputs) => inputs is null
        || other.Input["resolution"]?.ToString() == inputs.Resolution.ToString(CultureInfo.InvariantCulture)
            && other.Input["train_batch_size"]?.ToString() == inputs.TrainBatchSize.ToString(CultureInfo.InvariantCulture)
            && other.Input["is_lora"]?.ToString() == (inputs.IsLora ? "true" : "false");

    private async Task<List<WorkerStatus>> WorkersAsync(CancellationToken cancel)
    {
        var there = new List<WorkerStatus>();
        foreach (var name in await blobs.ListAsync(StorageLayout.Jobs, StorageLayout.Workers, cancel))
        {
            if ((await blobs.ReadAsync<WorkerStatus>(StorageLayout.Jobs, name, cancel))?.Value is { } status
                && time.GetUtcNow() - status.At < WorkerStatus.Silence)
                there.Add(status);
        }
        return there;
    }
}
