using System.Diagnostics;

namespace Sdxl.Cli.Setup;

/// <summary>Programs that set-up runs: dotnet, npm, apt-get.</summary>
internal static class Tool
{
    private const int LinesInError = 40;

    /// <summary>Whether a program of this name is in the PATH.</summary>
    public static bool Exists(string name) => Find(name) is not null;

    /// <summary>Runs a program whose output only matters when it fails; it goes to .deps/LOG.log.</summary>
    /// <exception cref="CliException">It failed: the end of its output and where the whole is.</exception>
    public static async Task RunQuietlyAsync(string log, string program, IEnumerable<string> arguments, CancellationToken cancel)
    {
        var path = Path.Combine(Installation.Folder, log + ".log");
        var (exitCode, output) = await RunAsync(program, arguments, cancel);
        await File.WriteAllTextAsync(path, output, CancellationToken.None);
        if (exitCode != 0)
        {
            var end = string.Join('\n', output.TrimEnd().Split('\n').TakeLast(LinesInError));
            throw new CliException(
                $"{end}\n'{program} {string.Join(' ', arguments)}' failed with exit code {exitCode}; its whole output is in {path}."
            );
        }
    }

    /// <returns>The exit code, and what it wrote to stdout and stderr.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        string program,
        IEnumerable<string> arguments,
        CancellationToken cancel
    )
    {
        var start = Command(program, arguments);
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancel);
            var errors = process.StandardError.ReadToEndAsync(cancel);
            await process.WaitForExitAsync(cancel);
            return (process.ExitCode, await output + await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <summary>A command of the repository's root, with an environment in which no build server outlives it.</summary>
    /// <exception cref="CliException">There is no such program.</exception>
    public static ProcessStartInfo Command(string program, IEnumerable<string> arguments)
    {
        var path =
            Find(program)
            ?? throw new CliException($"'{program}' is not installed, or not in the PATH. Install it and run the command again.");
        // npm is a script of cmd's on Windows, which no process starts as it is.
        var isScript = path.EndsWith(".cmd", StringComparison.OrdinalIgnoreCase);
        return new ProcessStartInfo(isScript ? "cmd" : path, isScript ? ["/c", path, .. arguments] : arguments)
        {
            UseShellExecute = false,
            WorkingDirectory = Places.Root,
            Environment =
            {
                ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1", ["DOTNET_NOLOGO"] = "1", ["DOTNET_CLI_UI_LANGUAGE"] = "en",
                // It would keep the memory that training needs.
                ["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0", ["MSBUILDDISABLENODEREUSE"] = "1",
                ["DEBIAN_FRONTEND"] = "noninteractive",
            },
        };
    }

    private static string? Find(string name)
    {
        if (Path.IsPathRooted(name))
            return File.Exists(name) ? name : null;
        string[] endings = OperatingSystem.IsWindows() ? [".exe", ".cmd"] : [""];
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(folder => endings.Select(ending => Path.Combine(folder, name + ending)))
            .FirstOrDefault(File.Exists);
    }
}
