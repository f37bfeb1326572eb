using Sdxl.Core.Jobs;
using Sdxl.Core.Json;

namespace Sdxl.Core.Tests.Jobs;

public sealed class JobProgressTests
{
    /// <summary>Such documents lie in storage while jobs run: an app that is deployed meanwhile must read what the one before it
    /// wrote.</summary>
    [Fact]
    public void Progress_in_storage_is_read_and_written_as_ever()
    {
        const string Stored = """{"attempt":1,"step":7,"total_steps":40,"loss":null,"steps_per_second":2.5,"seconds_left":13.2,"""
            + "\"at\":\"2026-01-02T03:04:05+00:00\",\"device\":\"cpu\"}";
        var progress = SdxlJson.Deserialize<JobProgress>(Stored);
        Assert.Equal(new JobProgress(1, 7, 40, null, 2.5, 13.2, new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero), "cpu"), progress);
        Assert.Equal(Stored, SdxlJson.Serialize(progress));
    }
}
