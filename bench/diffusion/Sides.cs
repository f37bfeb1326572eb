using System.Diagnostics;
using System.Text.Json;
using Sdxl.Core.Hosting;
using Sdxl.Core.Workers;

namespace Sdxl.Bench.Diffusion;

/// <summary>Runs one case of one side in a process of its own, with a worker's environment.</summary>
internal static class Sides
{
    /// <summary>
    /// TorchSharp 0.107 now and then frees a number while libtorch reads it (dotnet/TorchSharp 1434): the port, which knows nothing of
    /// that, gets another try.
    /// </summary>
    private const int Tries = 4;

    public static Result Ours(string[] rest) => One("--ours", rest);

    public static Result Port(string[] rest) => One("--port", rest);

    /// <summary>Ours and the port in one process, step by step in turns.</summary>
    public static (Result Ours, Result Port) Both(string[] rest)
    {
        var lines = Again("--both", rest).Split('\n');
        return (Read(lines[0]), Read(lines[1]));
    }

    private static Result One(string side, string[] rest) => Read(Again(side, rest));

    private static string Again(string side, string[] rest)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return Run(Environment.ProcessPath!, [.. Own(), side, .. rest]);
            }
            catch (InvalidOperationException e) when (tries < Tries && e.Message.Contains("Scalar.h", StringComparison.Ordinal))
            {
            }
        }
    }

    public static Result PyTorch(string[] rest)
    {
        var root = Repository.Required;
        return Read(
            Run(
                "/usr/bin/python3",
                [Path.Combine(root, "bench", "peers", "diffusion.py"), Path.Combine(root, "models", "toy-sdxl"), .. rest]
            )
        );
    }

    /// <summary>Largest difference between our U-Net's and the port's result, as text.</summary>
    public static string Same() => Run(Environment.ProcessPath!, [.. Own(), "--same"]).Trim();

    private static Result Read(string line) => JsonSerializer.Deserialize<Result>(line, Result.Json)!;

    // Started as `dotnet x.dll`, the process is dotnet and the dll its first argument.
    private static string[] Own() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [Environment.GetCommandLineArgs()[0]] : [];

    private static string Run(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        WorkerEnvironment.AddTo(start.Environment);
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException(
                $"'{program} {string.Join(' ', arguments)}' ended with {process.ExitCode}. (PyTorch's side needs Debian's python3-torch: "
                    + $"apt-get install python3-torch.)\n{errors.Result}"
            );
        return output;
    }
}
