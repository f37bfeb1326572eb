using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Sdxl.Bench.Diffusion;
using Sdxl.Core.Workers;

// Each case runs in a process of its own on both sides, so that peak memory is the case's; sides take turns, so both see the same machine. The best of the rounds counts.
// Both are started with a worker's environment: allocator and threads are set alike, so that engines are compared, not settings.
// --json: one object a line. --toy: without the nets four times as wide (which take ten minutes). SDXL_BENCH_THREADS: processor threads of both sides, default 1.
const int Rounds = 3, RoundsOfWide = 2;
if (args is ["--ours", var oneCase, var wideText, var batchText, var threadsText, var stepsText])
{
    Console.WriteLine(JsonSerializer.Serialize(OurSteps.Measure(oneCase, Number(wideText), Number(batchText), Number(threadsText), Number(stepsText)), Result.Json));
    return 0;
}
var threads = Number(Environment.GetEnvironmentVariable("SDXL_BENCH_THREADS") ?? "1");
var json = args.Contains("--json");
var root = OurSteps.FindRoot();
if (!json)
{
    Console.WriteLine($"{Environment.ProcessorCount} processors, {threads} used; .NET {Environment.Version}; libtorch of Debian's python3-torch on both sides; median step, best of {Rounds} rounds ({RoundsOfWide} of the wide nets)");
    Console.WriteLine($"{"",-50}{"ours ms",10}{"torch ms",10}{"ratio",8}{"ours MiB",10}{"torch MiB",10}");
}
foreach (var wide in args.Contains("--toy") ? new[] { 1 } : [1, 4])
{
    foreach (var batch in new[] { 1, 4 })
    {
        foreach (var (name, what) in new[] { ("lora", "train LoRA + TI"), ("lora-pivot", "train LoRA, text cached (past pivot)"), ("full", "train full + TI"), ("sample", "sample, guided step") })
        {
            var steps = (wide == 1 ? 24 : 6).ToString(CultureInfo.InvariantCulture);
            string[] rest = [wide.ToString(CultureInfo.InvariantCulture), batch.ToString(CultureInfo.InvariantCulture), threads.ToString(CultureInfo.InvariantCulture), steps];
            Result? ours = null, peer = null;
            for (var round = 0; round < (wide == 1 ? Rounds : RoundsOfWide); round++)
            {
                // The peer has no pivot: its trainers encode the texts in every step.
                peer = Better(peer, Child("/usr/bin/python3", [Path.Combine(root, "bench", "peers", "diffusion.py"), Path.Combine(root, "models", "toy-sdxl"), name.Replace("-pivot", "", StringComparison.Ordinal), .. rest]));
                ours = Better(ours, Child(Environment.ProcessPath!, [.. Own(), "--ours", name, .. rest]));
            }
            var label = $"{what}, batch {batch}{(wide > 1 ? $", {wide}x wide" : "")}";
            if (json)
            {
                Console.WriteLine(JsonSerializer.Serialize(
                    new { Name = label, OursMs = ours!.Ms, PeerMs = peer!.Ms, Ratio = Math.Round(ours.Ms / peer.Ms, 3), OursMib = ours.Mib, PeerMib = peer.Mib }, Result.Json));
            }
            else
            {
                Console.WriteLine(FormattableString.Invariant($"{label,-50}{ours!.Ms,10:0.0}{peer!.Ms,10:0.0}{ours.Ms / peer.Ms,8:0.00}{ours.Mib,10:0}{peer.Mib,10:0}"));
            }
        }
    }
}
return 0;

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

static Result Better(Result? a, Result b) => a is null ? b : new Result(Math.Round(Math.Min(a.Ms, b.Ms), 2), Math.Round(Math.Min(a.Mib, b.Mib), 1));

// Started as `dotnet x.dll`, the process is dotnet and the dll its first argument.
static string[] Own() => Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [Environment.GetCommandLineArgs()[0]] : [];

static Result Child(string program, string[] arguments)
{
    var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
    WorkerEnvironment.AddTo(start.Environment);
    using var process = Process.Start(start)!;
    var errors = process.StandardError.ReadToEndAsync();
    var output = process.StandardOutput.ReadToEnd();
    process.WaitForExit();
    if (process.ExitCode != 0)
        throw new InvalidOperationException($"'{program} {string.Join(' ', arguments)}' ended with {process.ExitCode}. (The peer needs Debian's python3-torch: apt-get install python3-torch.)\n{errors.Result}");
    return JsonSerializer.Deserialize<Result>(output, Result.Json)!;
}
