using System.CommandLine;
using System.Diagnostics;
using Sdxl.Cli.Setup;

namespace Sdxl.Cli.Commands;

/// <summary>sdxl bench: the programs of bench/, each with its peer in the same run.</summary>
internal static class BenchCommand
{
    public static Command Create()
    {
        var command = new Command("bench",
            """
            Set up, build and run the benchmarks of bench/, each against a peer in one run.

            Examples:
              ./sdxl bench                      all of them
              ./sdxl bench vision               preprocessing against the same ONNX files in node
              ./sdxl bench diffusion --toy      training and sampling steps, without the wide nets
              ./sdxl bench --json               one JSON object a row: name, ours_ms, peer_ms, ratio, ours_mib, peer_mib
            """
        );
        var words = new Argument<string[]>("room")
        {
            Arity = ArgumentArity.ZeroOrMore,
            Description = "The folder below bench/, then arguments for its program. All of them without it.",
        };
        command.Arguments.Add(words);
        command.TreatUnmatchedTokensAsErrors = false; // arguments of the benchmark
        command.SetAction((parsed, cancel) => RunAsync([.. parsed.GetValue(words) ?? [], .. parsed.UnmatchedTokens], cancel));
        return command;
    }

    private static async Task<int> RunAsync(string[] words, CancellationToken cancel)
    {
        var (room, arguments) = words is [var first, ..] && !first.StartsWith('-') ? (first, words[1..]) : (null, words);
        var projects = Directory
            .GetFiles(Path.Combine(Places.Root, "bench"), "*.csproj", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .ToList();
        var chosen = projects.Where(project => room is null || room == RoomOf(project)).ToList();
        if (chosen.Count == 0)
            throw new CliException($"There is no benchmark '{room}'; there are: {string.Join(' ', projects.Select(RoomOf))}.");
        await Installation.EnsureAsync(Installation.Parts.Bench, Console.Error.WriteLine, cancel);
        await NpmPackages.EnsureAsync(
            Path.Combine(Places.Root, "bench", "peers"),
            "onnxruntime-node, the peer of bench vision",
            Console.Error.WriteLine,
            cancel
        );
        if (chosen.Any(project => RoomOf(project) == "diffusion") && !await HasPythonTorchAsync(cancel))
        {
            await SystemPackages.InstallAsync(
                ["python3-torch", "libopenblas0-pthread"], "PyTorch for Debian's python3, a peer of bench diffusion, is not installed.",
                "Install torch for python3 and run the command again.", Console.Error.WriteLine, cancel);
        }
        var worst = CommandRunner.Succeeded;
        foreach (var project in chosen)
        {
            await Console.Error.WriteLineAsync($"== bench {RoomOf(project)}");
            var program = Path.Combine(
                Path.GetDirectoryName(project)!,
                "bin",
                "Release",
                "net10.0",
                Path.GetFileNameWithoutExtension(project) + ".dll"
            );
            using var process = Process.Start(Tool.Command("dotnet", [program, .. arguments]))!;
            using var ended = cancel.Register(() => process.Kill(entireProcessTree: true));
            await process.WaitForExitAsync(CancellationToken.None);
            cancel.ThrowIfCancellationRequested();
            worst = Math.Max(worst, process.ExitCode);
        }
        return worst;
    }

    private static async Task<bool> HasPythonTorchAsync(CancellationToken cancel) =>
        File.Exists("/usr/bin/python3") && (await Tool.RunAsync("/usr/bin/python3", ["-c", "import torch"], cancel)).ExitCode == 0;

    private static string RoomOf(string project) => Path.GetFileName(Path.GetDirectoryName(project))!;
}
