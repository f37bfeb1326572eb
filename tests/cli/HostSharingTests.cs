using System.Globalization;
using System.Text.Json.Nodes;
using Sdxl.Cli.Hosting;
using Sdxl.Core.Hosting;

namespace Sdxl.Tests.Cli;

/// <summary>Real hosts, in a state folder of their own: who starts one, who stops it, and when.</summary>
public sealed class HostSharingTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(100);

    private readonly string home = Directory.CreateTempSubdirectory("sdxl-cli-").FullName;

    public void Dispose() => Directory.Delete(home, recursive: true);

    [Fact]
    public async Task Status_without_a_host_starts_one_without_a_worker_and_stops_it()
    {
        var outcome = await SdxlProcess.RunAsync(home, "status");

        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Errors));
        Assert.StartsWith("No training yet", outcome.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(home, "worker")), "a worker was started: it made its scratch folder");
        Assert.Null(HostFile.TryRead(home));
        using var free = HostUse.TryTakeAlone(home);
        Assert.NotNull(free);
    }

    [Fact]
    public async Task A_command_stops_its_host_only_when_no_other_command_uses_it()
    {
        using var up = SdxlProcess.Start(home, null, "up");
        using var patience = new CancellationTokenSource(Patience);
        while (
            await up.StandardOutput.ReadLineAsync(patience.Token) is not { } line
            || !line.StartsWith("The host is up", StringComparison.Ordinal)
        )
            Assert.False(up.HasExited, "the host does not start");
        var host = HostFile.TryRead(home)!;
        var other = HostUse.TryShare(home); // what each other command holds
        Assert.NotNull(other);
        Assert.Null(HostUse.TryTakeAlone(home));

        await SdxlProcess.InterruptAsync(up);
        Assert.Equal(
            "Another command uses the host, which stops after it. Ctrl-C stops it now.",
            await up.StandardError.ReadLineAsync(patience.Token)
        );
        await Task.Delay(500, patience.Token);
        using (var http = new HttpClient { DefaultRequestHeaders = { Authorization = new("Bearer", host.Token) } })
            Assert.NotNull(JsonNode.Parse(await http.GetStringAsync(new Uri(host.Url, "v1/trainings"), patience.Token)));

        await other.DisposeAsync();
        await up.WaitForExitAsync(patience.Token);
        Assert.Equal(130, up.ExitCode);
        Assert.Null(HostFile.TryRead(home));
        Assert.False(Directory.Exists(string.Create(CultureInfo.InvariantCulture, $"/proc/{host.Pid}")));
    }
}
