using Sdxl.Core.Trainings;
using Sdxl.Functions.Hosting;

namespace Sdxl.Functions.Trainings;

/// <summary>What a training has cost so far, or in all once it is over.</summary>
/// <param name="Amount">At most: preparing the pictures counts, too, though it needs no worker.</param>
/// <param name="Source">How it was got.</param>
public sealed record RunCost(double Amount, string Currency, string Source)
{
    /// <returns>null: no price is set, or it has not begun.</returns>
    public static RunCost? Of(TrainingRecord record, SdxlOptions options, DateTimeOffset now)
    {
        if (options.PricePerHour is not > 0 || record.StartedAt is not { } start)
            return null;
        var hours = ((record.CompletedAt ?? now) - start).TotalHours;
        return new RunCost(Math.Round(hours * options.PricePerHour.Value, 4), options.Currency, FormattableString.Invariant(
            $"At most: the time since it began at {options.PricePerHour} {options.Currency} an hour (Sdxl:PricePerHour)."));
    }
}
