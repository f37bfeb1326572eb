using System.Globalization;

namespace Sdxl.Core.Trainings;

/// <summary>What a training's net got wrong on the pictures that it was not shown.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Loss">Mean squared error, finite, under the same noise at the same timesteps each time: comparable from step to step of one
/// training, not between trainings.</param>
public sealed record HeldOutLoss(int Step, double Loss);

/// <summary>Which of a training's steps is best, and why.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="HeldOut">Its loss on the pictures held out.</param>
/// <param name="Reason">A sentence for people.</param>
public sealed record Recommendation(int Step, double HeldOut, string Reason)
{
    /// <summary>The step with the lowest loss; of equal ones the earlier.</summary>
    /// <param name="measured">By step, the training's last step included.</param>
    /// <returns>null: fewer than two steps were measured, so there is no choice.</returns>
    public static Recommendation? Of(IReadOnlyList<HeldOutLoss> measured)
    {
        if (measured.Count < 2)
            return null;
        var (best, end) = (measured.MinBy(one => one.Loss)!, measured[^1]);
        var lowest = $"What it gets wrong on the pictures held out is least there, {Text(best)}";
        var reason = best.Step == end.Step
            ? FormattableString.Invariant($"{lowest}, after {Text(measured[^2])} at step {measured[^2].Step:N0}: it was still learning.")
            : FormattableString.Invariant($"{lowest}; later it learned the others by heart: {Text(end)} at the last step, {end.Step:N0}.");
        return new Recommendation(best.Step, best.Loss, reason);

        static string Text(HeldOutLoss one) => one.Loss.ToString("g3", CultureInfo.InvariantCulture);
    }
}
