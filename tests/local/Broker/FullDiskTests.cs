using System.Diagnostics;
using Azure.Messaging.ServiceBus;
using Sdxl.Tests;

namespace Sdxl.Local.Tests.Broker;

public sealed class FullDiskTests
{
    private const string Secret = "the secret of a full disk";

    /// <summary>The disk is full for a process that may write no file beyond 2 MB.</summary>
    [Fact]
    public async Task A_broker_that_cannot_keep_a_message_says_so_and_goes_on_to_serve_what_it_has()
    {
        using var folder = new TempFolder();
        string[] command = ["dotnet", typeof(ChildProgram).Assembly.Location, "broker", folder.File("broker.db"), "0", Secret];
        var start = new ProcessStartInfo("bash", ["-c", "trap '' XFSZ; ulimit -f 2000; exec \"$@\"", "bash", .. command])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            Environment = { ["DOTNET_EnableWriteXorExecute"] = "0" }, // it maps its code from a file larger than that
        };
        using var broker = Process.Start(start)!;
        try
        {
            var connection = await broker.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30));
            var options = new ServiceBusClientOptions { RetryOptions = new() { MaxRetries = 0, TryTimeout = TimeSpan.FromSeconds(20) } };
            await using var client = new ServiceBusClient(connection, options);
            var sender = client.CreateSender("q");

            var refusal = await Assert.ThrowsAsync<ServiceBusException>(async () =>
            {
                for (var number = 0; number < 100; number++)
                    await sender.SendMessageAsync(new ServiceBusMessage(new byte[100_000]) { MessageId = $"{number}" });
            });

            Assert.Contains("The broker failed", refusal.Message, StringComparison.Ordinal);
            Assert.Equal("0", (await client.CreateReceiver("q").PeekMessageAsync()).MessageId);
        }
        finally
        {
            broker.Kill();
            await broker.WaitForExitAsync();
        }
    }
}
