using NCrontab;

namespace Sdxl.Local.Functions.Triggers;

/// <summary>
/// A timer trigger's schedule, in UTC: NCRONTAB of six fields, seconds first ("0 */5 * * * *"), of five, or a time span ("00:05:00").
/// </summary>
internal sealed class Schedule
{
    private readonly CrontabSchedule? crontab;
    private readonly TimeSpan interval;

    private Schedule(CrontabSchedule? crontab, TimeSpan interval) => (this.crontab, this.interval) = (crontab, interval);

    /// <exception cref="InvalidOperationException">Neither of them.</exception>
    public static Schedule Parse(string text)
    {
        var fields = text.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (fields.Length == 1 && TimeSpan.TryParse(fields[0], CultureInfo.InvariantCulture, out var interval) && interval > TimeSpan.Zero)
            return new Schedule(null, interval);
        var crontab = CrontabSchedule.TryParse(string.Join(' ', fields), new() { IncludingSeconds = fields.Length == 6 });
        return crontab is not null ? new Schedule(crontab, default)
            : throw new InvalidOperationException(
                $"schedule '{text}' cannot be read. Write six fields (second to weekday), for instance \"0 */5 * * * *\", or a time span.");
    }

    /// <summary>The first time after <paramref name="after"/>; null where there is none any more.</summary>
    public DateTimeOffset? Next(DateTimeOffset after)
    {
        if (crontab is null)
            return after + interval;
        var end = after.UtcDateTime.AddYears(10); // a 29th of February is at most eight years away
        var next = crontab.GetNextOccurrence(after.UtcDateTime, end);
        return next < end ? new DateTimeOffset(next, TimeSpan.Zero) : null;
    }
}
