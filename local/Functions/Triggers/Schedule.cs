using NCrontab;

namespace Sdxl.Local.Functions.Triggers;

/// <summary>
/// A timer trigger's schedule, in UTC: NCRONTAB of six fields, seconds first ("0 */5 * * * *"), of five, or a time span ("00:05:00").
/// </summary>
internal static class Schedule
{
    /// <returns>Gives the first time after another; null where there is none any more.</returns>
    /// <exception cref="InvalidOperationException">Neither of them.</exception>
    public static Func<DateTimeOffset, DateTimeOffset?> Parse(string text)
    {
        var fields = text.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (fields.Length == 1 && TimeSpan.TryParse(fields[0], CultureInfo.InvariantCulture, out var interval) && interval > TimeSpan.Zero)
            return after => after + interval;
        var crontab = CrontabSchedule.TryParse(string.Join(' ', fields), new() { IncludingSeconds = fields.Length == 6 })
            ?? throw new InvalidOperationException(
                $"schedule '{text}' cannot be read. Write six fields (second to weekday), for instance \"0 */5 * * * *\", or a time span.");
        return after =>
        {
            var end = after.UtcDateTime.AddYears(10); // a 29th of February is at most eight years away
            var next = crontab.GetNextOccurrence(after.UtcDateTime, end);
            return next < end ? new DateTimeOffset(next, TimeSpan.Zero) : null;
        };
    }
}
