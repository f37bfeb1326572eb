using Sdxl.Local.Functions;

namespace Sdxl.Local.Tests.Functions;

public sealed class HostJsonTests
{
    [Fact]
    public void What_the_file_says_is_followed_and_the_rest_is_the_hosts_default()
    {
        var read = HostJson.Read(Path.Combine(Path.GetDirectoryName(TestHost.AppDll)!, "host.json"));
        Assert.Equal(new HostJson { RoutePrefix = "app", MaxConcurrentCalls = 2, MaxConcurrentActivities = 8 }, read);
        Assert.Equal(new HostJson(), HostJson.Read("/nowhere/host.json"));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("""{"extensions":{"http":{"routePrefix":1}}}""")]
    [InlineData("""{"extensions":{"durableTask":{"maxConcurrentActivityFunctions":0}}}""")]
    [InlineData("""{"extensions":{"serviceBus":{"maxAutoLockRenewalDuration":"soon"}}}""")]
    public void A_file_that_cannot_be_read_is_named(string text)
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, text);
        Assert.Contains(
            file + " cannot be read",
            Assert.Throws<InvalidDataException>(() => HostJson.Read(file)).Message,
            StringComparison.Ordinal
        );
        File.Delete(file);
    }
}
