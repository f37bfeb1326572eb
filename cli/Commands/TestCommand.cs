using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Sdxl.Cli.Setup;

namespace Sdxl.Cli.Commands;

/// <summary>sdxl test: every test project in turn, summed up in one last line.</summary>
internal static partial class TestCommand
{
    public static Command Create()
    {
        var command = new Command("test",
            """
            Set up, build and run the tests; the last line is "N passed, N failed".

            Examples:
              ./sdxl test                       everything
              ./sdxl test Golden                the tests against reference values
              ./sdxl test Sdxl.Tests.Core       one room
              ./sdxl test "FullyQualifiedName~Lora&FullyQualifiedName!~Golden"

            SDXL_GOLDENS and SDXL_FIXTURES name other folders of reference values and fixtures.
            """
        );
        var filter = new Argument<string?>("filter")
        {
            Arity = ArgumentArity.ZeroOrOne,
            Description = "Part of a test's full name, or a filter expression of dotnet test. All tests without it.",
        };
        command.Arguments.Add(filter);
        command.SetAction((parsed, cancel) => RunAsync(parsed.GetValue(filter), cancel));
        return command;
    }

    private static async Task<int> RunAsync(string? filter, CancellationToken cancel)
    {
        await Installation.EnsureAsync(Installation.Parts.Tests, Console.Error.WriteLine, cancel);
        var expression = filter is null || filter.AsSpan().ContainsAny('=', '~') ? filter : $"FullyQualifiedName~{filter}";
        var (passed, failed) = (0, 0);
        foreach (
            var project in Directory
                .GetFiles(Path.Combine(Places.Root, "tests"), "*.Tests.csproj", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal)
        )
        {
            var (morePassed, moreFailed) = await RunAsync(project, expression, cancel);
            passed += morePassed;
            failed += moreFailed;
        }
        if (passed + failed == 0)
            await Console.Error.WriteLineAsync($"no test matches '{filter}'");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{passed} passed, {failed} failed"));
        return failed == 0 && passed > 0 ? CommandRunner.Succeeded : CommandRunner.Failed;
    }

    private static async Task<(int Passed, int Failed)> RunAsync(string project, string? expression, CancellationToken cancel)
    {
        var name = Path.GetFileNameWithoutExtension(project);
        var log = Path.Combine(Installation.Folder, $"test-{name}.log");
        await Console.Error.WriteLineAsync($"== {name}");
        var start = Tool.Command(
            "dotnet",
            [
                "test",
                Path.Combine(Path.GetDirectoryName(project)!, "bin", "Release", "net10.0", name + ".dll"),
                .. expression is null ? Array.Empty<string>() : ["--filter", expression],
            ]
        );
        start.Environment["SDXL_INSTALLED"] = "1"; // the tests are built with all the rest
        start.Environment["OMP_WAIT_POLICY"] = "PASSIVE"; // threads that wait do not spin: tests and hosts share the processors
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        using var ended = cancel.Register(() => process.Kill(entireProcessTree: true));
        var output = new List<string>();
        process.OutputDataReceived += (_, line) => Take(line.Data);
        process.ErrorDataReceived += (_, line) => Take(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await process.WaitForExitAsync(CancellationToken.None);
        cancel.ThrowIfCancellationRequested();
        await File.WriteAllLinesAsync(log, output, cancel);

        // "Passed!  - Failed:     0, Passed:   140, Skipped:     0, Total:   140, Duration: …"
        var results = output.Select(line => Summary().Match(line)).LastOrDefault(match => match.Success);
        if (results is not null)
        {
            var failed = int.Parse(results.Groups["failed"].Value, CultureInfo.InvariantCulture);
            // A test host that died has counted only the tests before.
            var died = output.Any(line =>
                line.Contains("Test Run Aborted", StringComparison.Ordinal)
                || line.Contains("active test run was aborted", StringComparison.Ordinal)
            );
            return (int.Parse(results.Groups["passed"].Value, CultureInfo.InvariantCulture), failed + (died ? 1 : 0));
        }
        if (
            expression is not null
            && output.Any(line => line.Contains("No test matches the given testcase filter", StringComparison.Ordinal))
        )
            return (0, 0);
        await Console.Error.WriteLineAsync($"{name} gave no result (exit code {process.ExitCode}); see {log}");
        return (0, 1);

        void Take(string? line)
        {
            if (line is null)
                return;
            lock (output)
            {
                output.Add(line);
                if (!Chatter().IsMatch(line))
                    Console.Error.WriteLine(line);
            }
        }
    }

    [GeneratedRegex(@"^(Passed|Failed)! +- Failed: *(?<failed>\d+), Passed: *(?<passed>\d+)")]
    private static partial Regex Summary();

    [GeneratedRegex(@"^(Test run for|VSTest version|Starting test execution|A total of 1 test files|\s*$)")]
    private static partial Regex Chatter();
}
