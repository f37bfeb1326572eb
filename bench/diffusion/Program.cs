using System.Globalization;
using System.Text.Json;
using Sdxl.Bench.Diffusion;
using Sdxl.Bench.Diffusion.Port;
using Sdxl.Core.Workers;

// Ours against two peers: Port/, what a straightforward port of diffusers and PEFT to TorchSharp is, on the same libtorch; and, for
// orientation, Debian's PyTorch. Time: ours and the port in one process, a step each in turns. Memory: each alone in a process of its own,
// so that the peak is the case's. All are started with a worker's environment: allocator and threads are set alike, so that engines are
// compared, not settings.
// --json: one object a line. --toy: without the nets four times as wide. --case NAME: one kind. SDXL_BENCH_THREADS: processor threads of
// all sides, default 1.
const int Steps = 40, StepsOfWide = 10, StepsForMemory = 5;
switch (args)
{
    case ["--ours", var name, var wide, var batch, var threads, var steps]:
        Print(OurSteps.Measure(name, Number(wide), Number(batch), Number(threads), Number(steps)));
        return 0;
    case ["--port", var name, var wide, var batch, var threads, var steps]:
        Print(PortSteps.Measure(name, Number(wide), Number(batch), Number(threads), Number(steps)));
        return 0;
    case ["--both", var name, var wide, var batch, var threads, var steps]:
        var (first, second) = Turns.Run(
            turn => OurSteps.Measure(name, Number(wide), Number(batch), Number(threads), Number(steps), turn),
            turn => PortSteps.Measure(name, Number(wide), Number(batch), Number(threads), Number(steps), turn));
        Print(first);
        Print(second);
        return 0;
    case ["--same"]:
        Console.WriteLine(SameNet.LargestDifference().ToString("g3", CultureInfo.InvariantCulture));
        return 0;
}
var threadsOfAll = Environment.GetEnvironmentVariable("SDXL_BENCH_THREADS") ?? "1";
var json = args.Contains("--json");
var only = Array.IndexOf(args, "--case") is >= 0 and var at ? args[at + 1] : null;
if (!json)
{
    Console.WriteLine(
        $"{Environment.ProcessorCount} processors, {threadsOfAll} used; .NET {Environment.Version}; the port's U-Net differs from ours by "
            + $"{Sides.Same()} at most"
    );
    Console.WriteLine(
        $"median step; cpu: its processor time; port: TorchSharp as it comes, same libtorch, in turns with ours; 1.13: Debian's PyTorch"
    );
    Console.WriteLine(
        $"{"", -44}{"ours ms", 8}{"port ms", 9}{"ratio", 7}{"cpu", 9}{"port cpu", 9}{"ratio", 7}{"MiB", 7}{"port MiB", 9}{"ratio", 7}{"1.13 ms", 9}{"MiB", 6}"
    );
}
foreach (var wide in args.Contains("--toy") ? new[] { 1 } : [1, 4])
{
    foreach (var batch in new[] { 1, 4 })
    {
        foreach (
            var (name, what) in new[]
            {
                ("lora", "LoRA + TI"),
                ("lora-pivot", "LoRA, text cached (past pivot)"),
                ("full", "full + TI"),
                ("sample", "sample, guided step"),
            }
        )
        {
            if (only is not null && only != name)
                continue;
            string[] For(int steps) => [name, Text(wide), Text(batch), threadsOfAll, Text(steps)];
            var (ours, port) = Sides.Both(For(wide == 1 ? Steps : StepsOfWide));
            (ours, port) = (
                ours with
                {
                    Mib = Sides.Ours(For(StepsForMemory)).Mib,
                },
                port with
                {
                    Mib = Sides.Port(For(StepsForMemory)).Mib,
                }
            );
            var torch = Sides.PyTorch(For(StepsForMemory));
            var label = $"{what}, batch {batch}{(wide > 1 ? $", {wide}x wide" : "")}";
            if (json)
                Console.WriteLine(JsonSerializer.Serialize(new { Name = label, Ours = ours, Port = port, Torch = torch }, Result.Json));
            else
            {
                Console.WriteLine(
                    FormattableString.Invariant(
                        $"{label, -44}{ours.Ms, 8:0.0}{port.Ms, 9:0.0}{ours.Ms / port.Ms, 7:0.00}{ours.CpuMs, 9:0.0}{port.CpuMs, 9:0.0}{ours.CpuMs / port.CpuMs, 7:0.00}{ours.Mib, 7:0}{port.Mib, 9:0}{ours.Mib / port.Mib, 7:0.00}{torch.Ms, 9:0.0}{torch.Mib, 6:0}"
                    )
                );
            }
        }
    }
}
return 0;

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

static void Print(Result result) => Console.WriteLine(JsonSerializer.Serialize(result, Result.Json));
