using System.Diagnostics;
using System.Text.Json;
using Sdxl.Core.Json;
using Sdxl.Core.Trainings;

namespace Sdxl.Diffusion.Training;

/// <summary>metrics.jsonl: one line of JSON for each step, in order, each step once even after a resume.</summary>
public sealed class MetricsLog : IDisposable
{
    public const string FileName = Core.Storage.StorageLayout.MetricsFile;
    private readonly StreamWriter writer;

    /// <param name="resumedAtStep">Lines of later steps (and a torn last line) are dropped: those steps are done again.</param>
    public MetricsLog(string file, int resumedAtStep)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        var kept = Read(file).Where(m => m.Step <= resumedAtStep).ToList();
        var temporary = file + ".tmp";
        File.WriteAllLines(temporary, kept.Select(m => SdxlJson.Serialize(m)));
        File.Move(temporary, file, overwrite: true);
        writer = new StreamWriter(new FileStream(file, FileMode.Append, FileAccess.Write, FileShare.Read)) { NewLine = "\n" };
    }

    public void Add(StepMetrics metrics)
    {
        writer.WriteLine(SdxlJson.Serialize(metrics));
        writer.Flush(); // to the system, not to the disk: a lost worker repeats the steps anyway
    }

    /// <summary>All whole lines of a file; none where there is no file.</summary>
    public static IEnumerable<StepMetrics> Read(string file)
    {
        if (!File.Exists(file))
            yield break;
        foreach (var line in File.ReadLines(file))
        {
            StepMetrics? metrics;
            try
            {
                metrics = JsonSerializer.Deserialize<StepMetrics>(line, SdxlJson.Options);
            }
            catch (JsonException)
            {
                yield break; // a line torn by a kill: nothing after it counts
            }
            if (metrics is not null)
                yield return metrics;
        }
    }

    /// <summary>What was measured on pictures held out, by step.</summary>
    public static IReadOnlyList<HeldOutLoss> HeldOut(IEnumerable<StepMetrics> steps) =>
        [.. steps.Where(m => m.HeldOut is not null).Select(m => new HeldOutLoss(m.Step, m.HeldOut!.Value))];

    /// <summary>Most memory the process has held, MiB.</summary>
    public static double PeakMebibytes()
    {
        using var process = Process.GetCurrentProcess();
        return Math.Round(process.PeakWorkingSet64 / 1048576.0, 1);
    }

    public void Dispose() => writer.Dispose();
}
