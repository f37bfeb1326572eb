using System.Globalization;

namespace Sdxl.Campaign.Tests;

/// <summary>What is done to a training under way.</summary>
public enum Blow
{
    KillHost,
    KillFunctions,
    KillWorker,
    KillStorage,

    /// <summary>The process stands still for as long as the blow says; of a worker's, longer than a message's lock.</summary>
    StopWorker,
    StopStorage,
    StopHost,
    StopFunctions,

    /// <summary>A second GPU worker joins.</summary>
    SecondWorker,

    /// <summary>The job's message comes a second time, under another id.</summary>
    DuplicateMessage,

    /// <summary>What workers report is held back as long as the blow says; then it comes in reverse order, each word twice.</summary>
    ScrambleEvents,

    /// <summary>The worker's disk is full at its next step, once.</summary>
    DiskFull,

    /// <summary>All programs' clocks jump by up to two minutes, either way. Needs a C compiler; without it nothing happens.</summary>
    ClockJump,

    /// <summary>A picture is asked for beside the training.</summary>
    Draw,

    /// <summary>The user cancels.</summary>
    Cancel,
}

/// <param name="After">Since the training was started.</param>
/// <param name="Lasting">Of those that stand still or hold back; of a clock, how far it jumps.</param>
public sealed record Stroke(TimeSpan After, Blow Blow, TimeSpan Lasting)
{
    public override string ToString()
    {
        var lasting = Lasting == TimeSpan.Zero ? "" : string.Create(CultureInfo.InvariantCulture, $" for {Lasting.TotalSeconds:F1} s");
        return string.Create(CultureInfo.InvariantCulture, $"{After.TotalSeconds:F1} s {Blow}{lasting}");
    }
}

/// <summary>What happens when, all of it a function of the seed.</summary>
public sealed record Schedule(int Seed, IReadOnlyList<Stroke> Strokes)
{
    private const int MostStrokes = 4;
    private const double LockSeconds = 20; // of a job's message on the local host
    private const double MostSeconds = 12; // how long an undisturbed training takes, about
    private const double MostJumpSeconds = 120;

    public bool Cancels => Strokes.Any(stroke => stroke.Blow == Blow.Cancel);

    public static Schedule Of(int seed)
    {
        var random = new Random(seed);
        var blows = Enum.GetValues<Blow>();
        var strokes = Enumerable
            .Range(0, random.Next(1, MostStrokes + 1))
            .Select(_ =>
            {
                var blow = blows[random.Next(blows.Length)];
                var after = TimeSpan.FromSeconds(random.NextDouble() * MostSeconds);
                var lasting = blow switch
                {
                    Blow.StopWorker => LockSeconds + (random.NextDouble() * 10), // what a zombie is made of
                    Blow.StopStorage or Blow.StopHost or Blow.StopFunctions or Blow.ScrambleEvents => 0.5
                        + (random.NextDouble() * (LockSeconds + 5)),
                    Blow.ClockJump => (random.NextDouble() - 0.5) * 2 * MostJumpSeconds,
                    _ => 0,
                };
                return new Stroke(after, blow, TimeSpan.FromSeconds(lasting));
            });
        return new Schedule(seed, [.. strokes.OrderBy(stroke => stroke.After)]);
    }

    public override string ToString() => $"seed {Seed}: {string.Join(", ", Strokes)}";
}
