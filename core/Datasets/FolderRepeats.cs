using System.Globalization;
using System.Text.RegularExpressions;

namespace Sdxl.Core.Datasets;

/// <summary>
/// kohya's folders "10_tok cat": pictures in them are trained ten times as often as others. Only the ratio between pictures counts, for
/// steps are given in number. The words after the number are not used: the caption and the trigger word say what a picture shows.
/// </summary>
public static partial class FolderRepeats
{
    /// <summary>Most entries that repeats may make of a data set: each has latents and text in memory while it trains.</summary>
    public const int MaxEntries = 500;

    private const int MostRepeats = 1000; // "2024_holiday" is a year

    /// <summary>How often each picture counts, and sentences about the folders that say so.</summary>
    /// <param name="paths">The pictures' paths in the archive.</param>
    public static (IReadOnlyList<int> Times, IReadOnlyList<string> Warnings) Of(IReadOnlyList<string> paths)
    {
        var said = paths.Select(path => (Path: path, Folder: FolderOf(path))).ToList();
        var counts = said.Select(picture => picture.Folder?.Count ?? 1).ToList();
        var divisor = counts.Aggregate(0, (a, b) => b == 0 ? a : (int)System.Numerics.BigInteger.GreatestCommonDivisor(a, b));
        var times = counts.Select(count => count / Math.Max(1, divisor)).ToList();
        if (times.TrueForAll(time => time == 1))
            return (times, []); // all alike: nothing to honour, nothing to say
        var total = times.Sum(time => (long)time);
        if (total > MaxEntries)
            times = [.. times.Select(time => (int)Math.Max(1, time * (long)MaxEntries / total))];
        var folders = said.Zip(times).Where(pair => pair.First.Folder is not null).GroupBy(pair => pair.First.Folder!.Value.Name)
            .Select(group => $"'{group.Key}' {group.First().Second} {(group.First().Second == 1 ? "time" : "times")}");
        var others = said.Exists(picture => picture.Folder is null) ? ", all others once" : "";
        return (
            times,
            [
                "Folders named as kohya's trainer has them (repeats_words) say how often their pictures count: "
                    + $"{string.Join(", ", folders)}{others}. Rename them if that is not meant.",
            ]
        );
    }

    /// <summary>The nearest folder above the picture that says a number.</summary>
    private static (string Name, int Count)? FolderOf(string path)
    {
        foreach (var folder in path.Split('/')[..^1].Reverse())
        {
            if (Named().Match(folder) is { Success: true } match && int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
                is >= 1 and < MostRepeats and var count)
                return (folder, count);
        }
        return null;
    }

    [GeneratedRegex(@"^([0-9]{1,3})_\S")]
    private static partial Regex Named();
}
