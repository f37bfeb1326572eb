using System.Diagnostics;
using Azure.Messaging.ServiceBus;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging.Abstractions;
using Sdxl.Local.Broker;
using Sdxl.Local.Durable;

namespace Sdxl.Local.Tests;

/// <summary>What kill tests run in a process of its own.</summary>
internal static class ChildProgram
{
    public const int Steps = 12;

    public static async Task<int> Main(string[] args)
    {
        switch (args)
        {
            case ["durable", var database, var log]:
                await RunSteps(database, log);
                return 0;
            case ["take-message", var file]:
                using (var broker = new BrokerFile(file, TimeProvider.System))
                {
                    var message = await new LocalServiceBusClient(broker).CreateReceiver("jobs").ReceiveMessageAsync();
                    Console.WriteLine($"took {message.DeliveryCount}");
                    await Task.Delay(Timeout.Infinite);
                }
                return 0;
            default:
                return 2;
        }
    }

    /// <summary>Starts this program as a child; its standard output comes back.</summary>
    public static Process Start(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(ChildProgram).Assembly.Location, .. args]) { RedirectStandardOutput = true, UseShellExecute = false };
        return Process.Start(start)!;
    }

    private static async Task RunSteps(string database, string log)
    {
        var functions = new DurableFunctions()
            .AddActivity("Step", async (call, _) =>
            {
                await File.AppendAllTextAsync(log, $"{call.Input}\n", CancellationToken.None);
                return int.Parse(call.Input!, System.Globalization.CultureInfo.InvariantCulture);
            })
            .AddOrchestrator("Steps", async context =>
            {
                var sum = 0;
                for (var step = 1; step <= Steps; step++)
                    sum += await context.CallActivityAsync<int>("Step", step);
                return sum;
            });
        await using var engine = new DurableEngine(functions, new DurableEngineOptions { DatabasePath = database }, TimeProvider.System, NullLoggerFactory.Instance);
        engine.Start();
        if (await engine.Client.GetInstanceAsync("steps") is null)
            await engine.Client.ScheduleNewOrchestrationInstanceAsync("Steps", null, new StartOrchestrationOptions("steps"));
        // The parent kills on these lines: they follow the commits.
        engine.Store.Changed += () => Console.WriteLine("changed");
        var end = await engine.Client.WaitForInstanceCompletionAsync("steps", getInputsAndOutputs: true);
        Console.WriteLine($"{end.RuntimeStatus} {end.SerializedOutput}");
    }
}
