using System.Diagnostics;
using DurableTask.Core.History;

namespace Sdxl.Local.Tests.Durable;

/// <summary><c>dotnet Sdxl.Local.Tests.dll measure-durable</c>: what the durable provider costs on this machine.</summary>
internal static class Measure
{
    public static async Task Run()
    {
        await using var hub = await new Hub()
            .Activity("Echo", input => input)
            .Orchestrator("Steps", async flow =>
            {
                for (var i = 0; i < 100; i++)
                    await flow.Activity("Echo", i);
                return "";
            })
            .Orchestrator("FanOut", async flow =>
            {
                await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => flow.Activity("Echo", i)));
                return "";
            })
            .Start();
        await hub.Run("Steps", "warm");

        await Time("100 activities one after another", "Steps");
        await Time("1000 activities, 4 at a time", "FanOut");

        await Time("1000 activities again", "FanOut");

        await Task.Delay(TimeSpan.FromSeconds(10)); // The compiler's second tier works on.
        var cpu = Process.GetCurrentProcess().TotalProcessorTime;
        await Task.Delay(TimeSpan.FromSeconds(10));
        Console.WriteLine($"idle: {(Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalMilliseconds / 100:F2} % of a core");

        async Task Time(string what, string orchestrator)
        {
            var cpu = Process.GetCurrentProcess().TotalProcessorTime;
            var watch = Stopwatch.StartNew();
            await hub.Run(orchestrator, what);
            var cpuMs = (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalMilliseconds;
            var steps = hub.Events<OrchestratorStartedEvent>(what).Count;
            Console.WriteLine($"{what}: {watch.ElapsedMilliseconds} ms, {cpuMs:F0} ms of a core, {steps} steps of the orchestrator");
        }
    }
}
