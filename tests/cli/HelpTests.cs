using System.Diagnostics;

namespace Sdxl.Tests.Cli;

/// <summary>cli/help/ holds what the program prints, so that ./sdxl shows it before anything is set up or built.</summary>
public sealed class HelpTests
{
    public static TheoryData<string> Commands =>
        [
            "",
            "demo",
            "check",
            "train",
            "draw",
            "up",
            "status",
            "cancel",
            "models",
            "models pull",
            "setup",
            "test",
            "bench",
            "worker",
            "trainings",
            "trainings list",
            "trainings show",
            "trainings logs",
            "trainings stop",
            "trainings cancel",
            "trainings delete",
            "models list",
            "models create",
            "models versions",
            "models download",
            "models delete",
            "files",
            "files list",
            "files upload",
            "files delete",
            "tokens",
            "tokens create",
            "tokens list",
            "tokens revoke",
            "subscriptions",
            "subscriptions create",
            "subscriptions list",
            "subscriptions delete",
            "subscriptions test",
            "events",
            "login",
            "logout",
            "completion",
        ];

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task The_kept_help_is_the_programs(string command)
    {
        var words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var file = Path.Combine(TestPaths.Root, "cli", "help", string.Join('-', words.Prepend("sdxl")) + ".txt");
        var printed = await SdxlProcess.RunAsync(Path.GetTempPath(), [.. words, "--help"]);

        Assert.Equal((0, ""), (printed.ExitCode, printed.Errors));
        Assert.True(
            File.Exists(file) && await File.ReadAllTextAsync(file) == printed.Output,
            $"{file} is not what the program prints. Write it again: dotnet cli/bin/Release/net10.0/sdxl.dll {command} --help "
                + $">{Path.GetRelativePath(TestPaths.Root, file)}"
        );
    }

    [Theory]
    [InlineData("sdxl")]
    [InlineData("sdxl", "-h")]
    [InlineData("sdxl-train", "train", "--help")]
    [InlineData("sdxl-models-pull", "models", "pull", "--help")]
    public async Task The_script_shows_it_without_the_SDK_or_anything_built(string file, params string[] arguments)
    {
        // A copy of the script and the kept help alone, and no dotnet in reach.
        var root = Directory.CreateTempSubdirectory("sdxl-help-");
        try
        {
            File.Copy(Path.Combine(TestPaths.Root, "sdxl"), Path.Combine(root.FullName, "sdxl"));
            var help = root.CreateSubdirectory("cli").CreateSubdirectory("help");
            foreach (var path in Directory.GetFiles(Path.Combine(TestPaths.Root, "cli", "help")))
                File.Copy(path, Path.Combine(help.FullName, Path.GetFileName(path)));
            var start = new ProcessStartInfo("/bin/bash", [Path.Combine(root.FullName, "sdxl"), .. arguments])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            start.Environment["PATH"] = "/usr/bin:/bin";
            using var script = Process.Start(start)!;
            var (output, errors) = (script.StandardOutput.ReadToEndAsync(), script.StandardError.ReadToEndAsync());
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            await script.WaitForExitAsync(patience.Token);

            Assert.Equal((0, ""), (script.ExitCode, await errors));
            Assert.Equal(await File.ReadAllTextAsync(Path.Combine(help.FullName, file + ".txt")), await output);
            Assert.False(Directory.Exists(Path.Combine(root.FullName, ".deps")));
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }
}
