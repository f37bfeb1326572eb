using System.Globalization;
using System.Text.Json;
using Sdxl.Bench.Diffusion;
using Sdxl.Bench.Diffusion.Port;

// Ours against two peers: Port/, what a straightforward port of diffusers and PEFT to TorchSharp is, on the same libtorch; and, for orientation, Debian's PyTorch.
// Each case runs in a process of its own on every side, so that peak memory is the case's; sides take turns, so all see the same machine. The best of the rounds counts.
// All are started with a worker's environment: allocator and threads are set alike, so that engines are compared, not settings.
// --json: one object a line. --toy: without the nets four times as wide. --case NAME: one kind. SDXL_BENCH_THREADS: processor threads of all sides, default 1.
const int Rounds = 3, RoundsOfWide = 2;
switch (args)
{
    case ["--ours", var name, var wide, var batch, var threads, var steps]:
        Print(OurSteps.Measure(name, Number(wide), Number(batch), Number(threads), Number(steps)));
        return 0;
    case ["--port", var name, var wide, var batch, var threads, var steps]:
        Print(PortSteps.Measure(name, Number(wide), Number(batch), Number(threads), Number(steps)));
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
    Console.WriteLine($"{Environment.ProcessorCount} processors, {threadsOfAll} used; .NET {Environment.Version}; the port's U-Net differs from ours by {Sides.Same()} at most");
    Console.WriteLine($"median step, best of {Rounds} rounds ({RoundsOfWide} of the wide nets); cpu: processor time of a step; port: TorchSharp as it comes, same libtorch; 1.13: Debian's PyTorch");
    Console.WriteLine($"{"",-44}{"ours ms",8}{"port ms",9}{"ratio",7}{"cpu",9}{"port cpu",9}{"ratio",7}{"MiB",7}{"port MiB",9}{"ratio",7}{"1.13 ms",9}{"MiB",6}");
}
foreach (var wide in args.Contains("--toy") ? new[] { 1 } : [1, 4])
{
    foreach (var batch in new[] { 1, 4 })
    {
        foreach (var (name, what) in new[] { ("lora", "LoRA + TI"), ("lora-pivot", "LoRA, text cached (past pivot)"), ("full", "full + TI"), ("sample", "sample, guided step") })
        {
            if (only is not null && only != name)
                continue;
            string[] rest = [name, Text(wide), Text(batch), threadsOfAll, Text(wide == 1 ? 24 : 6)];
            Result? ours = null, port = null, torch = null;
            for (var round = 0; round < (wide == 1 ? Rounds : RoundsOfWide); round++)
            {
                port = Result.Better(port, Sides.Port(rest));
                ours = Result.Better(ours, Sides.Ours(rest));
                torch = Result.Better(torch, Sides.PyTorch(rest));
            }
            var label = $"{what}, batch {batch}{(wide > 1 ? $", {wide}x wide" : "")}";
            if (json)
                Console.WriteLine(JsonSerializer.Serialize(new { Name = label, Ours = ours, Port = port, Torch = torch }, Result.Json));
            else
            {
                Console.WriteLine(FormattableString.Invariant(
                    $"{label,-44}{ours!.Ms,8:0.0}{port!.Ms,9:0.0}{ours.Ms / port.Ms,7:0.00}{ours.CpuMs,9:0.0}{port.CpuMs,9:0.0}{ours.CpuMs / port.CpuMs,7:0.00}{ours.Mib,7:0}{port.Mib,9:0}{ours.Mib / port.Mib,7:0.00}{torch!.Ms,9:0.0}{torch.Mib,6:0}"));
            }
        }
    }
}
return 0;

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

static void Print(Result result) => Console.WriteLine(JsonSerializer.Serialize(result, Result.Json));
