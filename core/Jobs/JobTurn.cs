using Sdxl.Core.Identity;

namespace Sdxl.Core.Jobs;

/// <summary>
/// Whose turn a job is: each delivery of its message takes the turn before it writes anything, under a number higher than all before. A
/// worker that lost its lock without knowing it (it stood still, its network was cut) finds another's turn here and leaves.
/// </summary>
/// <param name="Number">1, 2, …: deliveries that have begun.</param>
/// <param name="Attempt">The message's own attempt; a message of a lower one is left over and holds no job any more.</param>
/// <param name="Token">Of this delivery alone.</param>
/// <param name="At">When it was taken.</param>
public sealed record JobTurn(int Number, int Attempt, string Token, DateTimeOffset At)
{
    /// <summary>Name of the delivery's own place below the job's attempts; sorts by number.</summary>
    public string Place => FormattableString.Invariant($"{Number:D6}-{Token}");
}
