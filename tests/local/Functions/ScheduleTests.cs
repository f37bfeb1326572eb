using System.Globalization;
using Sdxl.Local.Functions.Triggers;
using Sdxl.Local.Functions;

namespace Sdxl.Local.Tests.Functions;

public sealed class ScheduleTests
{
    [Theory]
    [InlineData("0 */5 * * * *", "2026-11-30T10:02:03Z", "2026-11-30T10:05:00Z")]
    [InlineData("0 */5 * * * *", "2026-11-30T10:05:00Z", "2026-11-30T10:10:00Z")]
    [InlineData("30 0 3 * * 1-5", "2026-11-27T03:00:30Z", "2026-11-30T03:00:30Z")] // from Friday to Monday
    [InlineData("0 0 0 29 2 *", "2097-01-01T00:00:00Z", "2104-02-29T00:00:00Z")] // 2100 has no leap day
    [InlineData("0 3 * * *", "2026-11-30T10:00:00Z", "2026-12-01T03:00:00Z")]
    [InlineData("00:05:00", "2026-11-30T10:02:03Z", "2026-11-30T10:07:03Z")]
    public void The_next_time_is_the_first_one_after(string schedule, string after, string expected) =>
        Assert.Equal(Time(expected), Schedule.Parse(schedule)(Time(after)));

    [Theory]
    [InlineData("")]
    [InlineData("hourly")]
    [InlineData("0 61 * * * *")]
    [InlineData("* * * * * * *")]
    public void What_is_no_schedule_is_named(string text)
    {
        var failure = Assert.Throws<InvalidOperationException>(() => Schedule.Parse(text));
        Assert.StartsWith($"schedule '{text}' cannot be read", failure.Message, StringComparison.Ordinal);
    }

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
