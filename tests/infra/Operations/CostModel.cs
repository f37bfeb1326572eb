using System.Globalization;

namespace Sdxl.Tests.Infra.Operations;

/// <summary>
/// What a month costs, in US dollars: the table of docs/operations.md is made by this, from list prices and from what one training takes.
/// Prices and their sources stand there;
/// whoever has newer ones changes them here.
/// </summary>
internal static class CostModel
{
    private const double Days = 30, HoursAMonth = 730;

    // What one training takes: 20 pictures, 1000 steps.
    private const double TrainingMinutesA100 = 8, ColdStartMinutes = 3, TrainingMinutesA40 = 12.5;
    private const double InstanceGb = 4, PictureSeconds = 10, Pictures = 20, OtherActivitySeconds = 30;
    private const double KeptGb = 0.5, LogsGb = 0.02;

    // List prices; docs/operations.md says where each is from.
    private const double GbSecond = 0.000026, FreeGbSeconds = 100_000;
    private const double ServiceBusBase = 9.81, ServiceBusMillion = 0.80, FreeMillions = 13;
    private const double BlobGb = 0.0208, ShareGb = 0.06, ModelsGb = 15, RegistryBasic = 5;
    private const double LogGb = 2.30, FreeLogGb = 5, LogGbADay = 1;
    private const double A100Hour = 3.673, A40Hour = 0.44, ReplicateSecond = 0.000725;

    // A timer looks after the outbox every minute, a second at least.
    private const double TimerGbSeconds = Days * 24 * 60 * InstanceGb;

    public static string Table(params int[] trainingsADay)
    {
        var rows = new List<(string Name, Func<int, double> Cost)>
        {
            ("Service Bus Standard", n => ServiceBusBase + Math.Max(0, n * Days * Operations / 1e6 - FreeMillions) * ServiceBusMillion),
            ("Functions, Flex on demand", n => Math.Max(0, TimerGbSeconds + n * Days * TrainingGbSeconds - FreeGbSeconds) * GbSecond),
            ("Blobs at the month's end", n => n * Days * KeptGb * BlobGb),
            ("Share with base models, registry Basic", _ => ModelsGb * ShareGb + RegistryBasic),
            ("Logs and measurements", n => Math.Max(0, Math.Min(n * Days * LogsGb, LogGbADay * Days) - FreeLogGb) * LogGb),
        };
        var azure = (int n) => rows.Sum(row => row.Cost(n));
        var a100 = (int n) => n * Days * (TrainingMinutesA100 + ColdStartMinutes) / 60 * A100Hour;
        var a40 = (int n) => n == 0 ? 0 : Math.Ceiling(n * TrainingMinutesA40 / (24 * 60)) * HoursAMonth * A40Hour;
        List<string> lines =
        [
            $"| $ a month | {string.Join(" | ", trainingsADay.Select(n => $"{n.ToString("N0", CultureInfo.InvariantCulture)} trainings a day"))} |",
            $"|---|{string.Concat(trainingsADay.Select(_ => "---:|"))}",
            .. rows.Select(row => Line(row.Name, row.Cost)),
            Line("**Azure without a card**", azure),
            Line("A100 in Container Apps, only while it works", a100),
            Line("**All on Azure**", n => azure(n) + a100(n)),
            Line("instead: A40s by the month elsewhere, as many as it takes", a40),
            Line("**Azure with such A40s**", n => azure(n) + a40(n)),
            Line("Replicate, A40", n => n * Days * TrainingMinutesA40 * 60 * ReplicateSecond),
        ];
        return string.Join('\n', lines);

        string Line(string name, Func<int, double> cost) =>
            $"| {name} | {string.Join(" | ", trainingsADay.Select(n => cost(n).ToString("N0", CultureInfo.InvariantCulture)))} |";
    }

    /// <summary>Each message is sent, received and completed.</summary>
    private static double Operations => 3 * 10;

    private static double TrainingGbSeconds =>
        InstanceGb * (Pictures * PictureSeconds + OtherActivitySeconds);
}
