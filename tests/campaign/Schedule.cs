using System.Globalization;

namespace Sdxl.Campaign.Tests;

/// <summary>What is done to a training under way.</summary>
public enum Blow
{
    KillHost, KillFunctions, KillWorker, KillStorage,

    /// <summary>The process stands still for as long as the blow says; of a worker's, longer than a message's lock.</summary>
    StopWorker, StopStorage, StopHost, StopFunctions,

    /// <summary>A second GPU worker joins.</summary>
    SecondWorker,

    /// <summary>The job's message comes a second time, under another id.</summary>
    DuplicateMessage,

    /// <summary>The user cancels.</summary>
    Cancel,
}

/// <param name="After">Since the training was started.</param>
/// <param name="Lasting">Of those that stand still.</param>
public sealed record Stroke(TimeSpan After, Blow Blow, TimeSpan Lasting)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{After.TotalSeconds:F1} s {Blow}{(Lasting > TimeSpan.Zero ? string.Create(CultureInfo.InvariantCulture, $" for {Lasting.TotalSeconds:F1} s") : "")}");
}

/// <summary>What happens when, all of it a function of the seed.</summary>
public sealed record Schedule(int Seed, IReadOnlyList<Stroke> Strokes)
{
    private const int MostStrokes = 4;
    private const double LockSeconds = 20; // of a job's message on the local host
    private const double MostSeconds = 12; // how long an undisturbed training takes, about

    public bool Cancels => Strokes.Any(stroke => stroke.Blow == Blow.Cancel);

    public static Schedule Of(int seed)
    {
        var random = new Random(seed);
        var blows = Enum.GetValues<Blow>();
        var strokes = Enumerable.Range(0, random.Next(1, MostStrokes + 1)).Select(_ =>
        {
            var blow = blows[random.Next(blows.Length)];
            var after = TimeSpan.FromSeconds(random.NextDouble() * MostSeconds);
            var lasting = blow switch
            {
                Blow.StopWorker => LockSeconds + (random.NextDouble() * 10), // what a zombie is made of
                Blow.StopStorage or Blow.StopHost or Blow.StopFunctions => 0.5 + (random.NextDouble() * (LockSeconds + 5)),
                _ => 0,
            };
            return new Stroke(after, blow, TimeSpan.FromSeconds(lasting));
        });
        return new Schedule(seed, [.. strokes.OrderBy(stroke => stroke.After)]);
    }

    public override string ToString() => $"seed {Seed}: {string.Join(", ", Strokes)}";
}
