using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Sdxl.Local.Broker;
using Sdxl.Local.Functions;
using Sdxl.Local.Tests.Durable;
using Sdxl.Local.Tests.Functions;

namespace Sdxl.Local.Tests;

/// <summary>What kill tests run in a process of its own.</summary>
internal static class ChildProgram
{
    private static readonly QueueSettings Queue = new("q")
    {
        LockDuration = TimeSpan.FromSeconds(3), // A kill's locks are waited for.
        MaxDeliveryCount = 100,
        DuplicateDetectionWindow = TimeSpan.FromMinutes(10), // Senders try again without knowing what became of the first try.
    };

    public static async Task<int> Main(string[] args)
    {
        switch (args)
        {
            case ["durable", var database, var log, var commit, var after]:
                await KillTests.RunUntilKilled(database, log, int.Parse(commit, CultureInfo.InvariantCulture), bool.Parse(after));
                return 0;
            case ["measure-durable"]:
                await Measure.Run();
                return 0;
            case ["functions-host", var database]:
                var bus = await TestBus.StartAsync(database + ".queues");
                var host = await FunctionsHost.StartAsync(TestHost.Options(bus, NullLoggerFactory.Instance, database));
                await host.WaitUntilReadyAsync();
                Console.WriteLine(host.WorkerProcessId);
                await Task.Delay(Timeout.Infinite);
                return 0;
            case ["broker", var database, var port, var secret]:
                await using (var server = await ServiceBusServer.StartAsync(
                    new()
                    {
                        DatabasePath = database,
                        Port = int.Parse(port, CultureInfo.InvariantCulture),
                        Keys = [new("root", secret)],
                        Queues = [Queue],
                    },
                    NullLogger.Instance))
                {
                    Console.WriteLine(server.ConnectionString("root"));
                    await Console.In.ReadToEndAsync(); // Ends with the parent.
                }
                return 0;
            default:
                return 2; // also what a broken functions app looks like
        }
    }

    /// <summary>Starts this program as a child; its standard output comes back.</summary>
    public static Process Start(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(ChildProgram).Assembly.Location, .. args])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        return Process.Start(start)!;
    }
}
