using Sdxl.Core.Jobs;
using static Sdxl.Core.Jobs.JobStatus;

namespace Sdxl.Core.Tests.Jobs;

public sealed class JobTransitionsTests
{
    [Theory]
    [InlineData(Starting, "Starting Processing Succeeded Failed Canceled")]
    [InlineData(Processing, "Processing Succeeded Failed Canceled")]
    [InlineData(Succeeded, "Succeeded")]
    [InlineData(Failed, "Failed")]
    [InlineData(Canceled, "Canceled")]
    public void A_status_gives_way_to_itself_and_later_ones_only(JobStatus from, string allowed) =>
        Assert.Equal(allowed, string.Join(' ', Enum.GetValues<JobStatus>().Where(to => JobTransitions.Allowed(from, to))));

    [Fact]
    public void What_is_over_stays_over() =>
        Assert.Equal([Succeeded, Failed, Canceled], Enum.GetValues<JobStatus>().Where(JobTransitions.IsTerminal));
}
