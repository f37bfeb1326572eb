using System.Globalization;

namespace Sdxl.Diffusion.Training;

/// <summary>
/// Weights that are kept on the way, each in a folder {work}/kept/step-NNNNNN-R of finished files (R: how often the run went back before):
/// told as soon as it is whole, and again at every beginning, until whoever hears it has stored it and removes the folder.
/// </summary>
/// <param name="write">Writes the weights as they are now, of that step, into a folder.</param>
public sealed class KeptWeights(string workFolder, Action<int, string> write, ITrainingObserver observer)
{
    private const string Prefix = "step-", PartSuffix = ".part";

    private readonly string folder = Path.Combine(workFolder, "kept");

    /// <summary>
    /// The run begins, or goes back to a step: weights of later steps are another run's, earlier ones may not have been stored yet.
    /// </summary>
    public void Begin(int done)
    {
        if (!Directory.Exists(folder))
            return;
        foreach (var kept in Directory.GetDirectories(folder).Order(StringComparer.Ordinal))
        {
            if (StepOf(kept) is { } step && step <= done)
                observer.CheckpointKept(kept, step);
            else
                Directory.Delete(kept, recursive: true);
        }
    }

    /// <param name="goneBack">How often the run went back so far: the same step again is another folder.</param>
    public void Keep(int done, int goneBack)
    {
        var kept = Path.Combine(folder, FormattableString.Invariant($"{Prefix}{done:D6}-{goneBack}"));
        if (Directory.Exists(kept))
            return; // told at the beginning
        var part = kept + PartSuffix;
        if (Directory.Exists(part))
            Directory.Delete(part, recursive: true);
        write(done, part);
        Directory.Move(part, kept);
        observer.CheckpointKept(kept, done);
    }

    /// <returns>null: it is not whole.</returns>
    private static int? StepOf(string kept)
    {
        var number = Path.GetFileName(kept)[Prefix.Length..].Split('-')[0];
        return !kept.EndsWith(PartSuffix, StringComparison.Ordinal)
            && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var step)
            ? step
            : null;
    }
}
