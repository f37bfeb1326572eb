using System.Security.Cryptography;
using System.Text;

namespace Sdxl.Cli.Setup;

/// <summary>
/// What the host needs beside this program, brought once and only then: npm packages, what this machine has (Machine.props), the built
/// programs. Commands call <see cref="EnsureAsync"/> before they start a host; when nothing has changed it costs some 20 ms.
/// </summary>
internal static class Installation
{
    /// <summary>What is built: the programs that are deployed and their host, then also the tests, or the benchmarks.</summary>
    public enum Parts
    {
        App,
        Tests,
        Bench,
    }

    /// <summary>Untracked: stamps and logs of set-up, build and tests.</summary>
    public static string Folder => Path.Combine(Places.Root, ".deps");

    /// <param name="tell">A line for the user, only where something is done.</param>
    /// <exception cref="CliException">Something is missing or cannot be built; the sentence says what to do.</exception>
    public static async Task EnsureAsync(Parts parts, Action<string> tell, CancellationToken cancel)
    {
        if (Environment.GetEnvironmentVariable("SDXL_INSTALLED") is "1") // a container, or a test that was built with all the rest
            return;
        await using var turn = await TakeTurnAsync(tell, cancel);
        await NpmPackages.EnsureAsync(tell, cancel);
        await Machine.EnsureAsync(tell, cancel);
        if (parts == Parts.Tests)
            await EnsureChromiumAsync(tell, cancel);
        await BuildAsync(parts, tell, cancel);
    }

    /// <summary>The browser of the web page's tests; SDXL_CHROMIUM names another one than the system's.</summary>
    private static async Task EnsureChromiumAsync(Action<string> tell, CancellationToken cancel)
    {
        if (Environment.GetEnvironmentVariable("SDXL_CHROMIUM") is { Length: > 0 } || Tool.Exists("chromium"))
            return;
        await SystemPackages.InstallAsync(
            ["chromium", "fonts-dejavu-core"], "chromium is not installed; the tests of the web page run in it.",
            "Install it and name its program in SDXL_CHROMIUM, then run the command again.", tell, cancel);
    }

    private static async Task BuildAsync(Parts parts, Action<string> tell, CancellationToken cancel)
    {
        var stamp = Path.Combine(Folder, $"built-{parts.ToString().ToLowerInvariant()}");
        var key = SourcesKey();
        if (File.Exists(stamp) && await File.ReadAllTextAsync(stamp, cancel) == key)
            return;
        tell(File.Exists(stamp) ? "building: something has changed" : "building: the first time 1 to 2 minutes, then only what changes");
        string[] arguments =
        [
            "build", Path.Combine(Places.Root, "tools", "app.proj"), "-c", "Release", "-v", "quiet",
            .. parts switch { Parts.Tests => ["-p:WithTests=true"], Parts.Bench => ["-p:WithBench=true"], _ => Array.Empty<string>() },
        ];
        await Tool.RunQuietlyAsync($"build-{parts.ToString().ToLowerInvariant()}", "dotnet", arguments, cancel);
        await File.WriteAllTextAsync(stamp, key, cancel);
    }

    /// <summary>Paths and times of all that is built from: while they are the same, the last build stands.</summary>
    private static string SourcesKey()
    {
        var list = new StringBuilder();
        Add(new DirectoryInfo(Places.Root));
        return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(list.ToString())));

        void Add(DirectoryInfo folder)
        {
            foreach (var entry in folder.EnumerateFileSystemInfos().OrderBy(entry => entry.Name, StringComparer.Ordinal))
            {
                var path = Path.GetRelativePath(Places.Root, entry.FullName);
                if (
                    entry.Name is "bin" or "obj" or "node_modules" or "TestResults"
                    || entry.Name.StartsWith('.')
                    || path is "output" or "docs" or "models"
                )
                    continue;
                if (entry is DirectoryInfo below && Path.GetRelativePath(Places.Root, below.FullName) != Path.Combine("tests", "fixtures"))
                    Add(below);
                else if (entry is FileInfo && entry.Extension != ".md")
                    list.Append(path).Append(' ').Append(entry.LastWriteTimeUtc.Ticks).Append('\n');
            }
        }
    }

    /// <summary>One set-up at a time in this folder; the operating system takes the lock back however its owner ends.</summary>
    private static async Task<FileStream> TakeTurnAsync(Action<string> tell, CancellationToken cancel)
    {
        Directory.CreateDirectory(Folder);
        for (var waited = false; ; waited = true)
        {
            try
            {
                return new FileStream(Path.Combine(Folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                if (!waited)
                    tell("waiting for another sdxl that is setting up here");
                await Task.Delay(TimeSpan.FromMilliseconds(200), cancel);
            }
        }
    }
}
