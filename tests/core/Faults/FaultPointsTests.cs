using Sdxl.Core.Faults;

namespace Sdxl.Core.Tests.Faults;

public sealed class FaultPointsTests
{
    [Fact]
    public void Nothing_is_armed_without_the_variable_and_every_point_passes()
    {
        Assert.Null(FaultPoints.Parse(null));
        Assert.All(FaultPoints.Names, FaultPoints.Hit);
    }

    [Theory]
    [InlineData("middle-of-publish")]
    [InlineData("middle-of-publish:explode")]
    [InlineData("middle-of-somewhere:kill")]
    public void A_setting_that_would_test_nothing_is_refused(string setting) =>
        Assert.Contains($"'{setting}'", Assert.Throws<FormatException>(() => FaultPoints.Parse(setting)).Message, StringComparison.Ordinal);

    [Fact]
    public void With_a_file_a_fault_happens_once_among_all_processes()
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("sdxl-fault-").FullName, "once:more");
        var (first, second) = (FaultPoints.Parse($"training-step:kill:{file}")!, FaultPoints.Parse($"training-step:kill:{file}")!);
        Assert.Equal((true, false, false), (first.IsDue(), first.IsDue(), second.IsDue()));
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
    }
}
