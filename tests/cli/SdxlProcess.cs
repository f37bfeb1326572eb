using System.Diagnostics;
using System.Globalization;

namespace Sdxl.Tests.Cli;

/// <summary>The command line as a process, as people run it.</summary>
internal static class SdxlProcess
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public sealed record Outcome(int ExitCode, string Output, string Errors)
    {
        public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    public static Task<Outcome> RunAsync(string home, params string[] arguments) => RunAsync(home, null, null, arguments);

    public static Task<Outcome> RunAsync(string home, Task interruptWhen, params string[] arguments) =>
        RunAsync(home, interruptWhen, null, arguments);

    /// <param name="interruptWhen">Sends SIGINT once this task is done.</param>
    public static async Task<Outcome> RunAsync(
        string home,
        Task? interruptWhen,
        Dictionary<string, string>? environment,
        params string[] arguments
    )
    {
        using var process = Start(home, environment, arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        if (interruptWhen is not null)
        {
            await interruptWhen.WaitAsync(Patience);
            await InterruptAsync(process);
        }
        using var patience = new CancellationTokenSource(Patience);
        await process.WaitForExitAsync(patience.Token);
        return new Outcome(process.ExitCode, await output, await errors);
    }

    /// <summary>On a pseudo-terminal of 100 columns, made by script(1); the output is all that the terminal was sent.</summary>
    /// <param name="terminal">NAME=VALUE of the terminal's environment.</param>
    public static async Task<Outcome> RunOnTerminalAsync(string home, string[] terminal, params string[] arguments)
    {
        var start = Command(home, null, arguments);
        var words = string.Join(' ', start.ArgumentList.Prepend(start.FileName).Select(word => $"'{word}'"));
        string[] unset = ["CI", "GITHUB_ACTIONS", "TF_BUILD", "NO_COLOR"]; // of whoever runs the tests
        start.FileName = "/usr/bin/script";
        start.ArgumentList.Clear();
        foreach (
            var word in new[]
            {
                "-qec",
                $"stty cols 100 rows 30; exec env {string.Join(' ', unset.Select(name => $"-u {name}").Concat(terminal))} {words}",
                "/dev/null",
            }
        )
            start.ArgumentList.Add(word);
        start.RedirectStandardInput = true; // script passes on what it reads
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var patience = new CancellationTokenSource(Patience);
        await process.WaitForExitAsync(patience.Token);
        return new Outcome(process.ExitCode, await output, await errors);
    }

    /// <summary>Ctrl-C.</summary>
    public static async Task InterruptAsync(Process process)
    {
        using var kill = Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    public static Process Start(string home, Dictionary<string, string>? environment, params string[] arguments) =>
        Process.Start(Command(home, environment, arguments))!;

    private static ProcessStartInfo Command(string home, Dictionary<string, string>? environment, string[] arguments)
    {
        var configuration = AppContext.BaseDirectory.Contains("/Release/", StringComparison.Ordinal) ? "Release" : "Debug";
        var start = new ProcessStartInfo(
            "dotnet",
            [Path.Combine(TestPaths.Root, "cli", "bin", configuration, "net10.0", "sdxl.dll"), .. arguments]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = home,
        };
        start.Environment["SDXL_HOME"] = home;
        start.Environment["SDXL_ROOT"] = TestPaths.Root;
        start.Environment["SDXL_INSTALLED"] = "1"; // built with the tests
        foreach (var (name, value) in environment ?? [])
            start.Environment[name] = value;
        return start;
    }
}
