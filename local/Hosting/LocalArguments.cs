using System.Globalization;

namespace Sdxl.Local.Hosting;

/// <summary>What the command line and the environment say.</summary>
/// <param name="State">--state FOLDER, else SDXL_HOME, else .sdxl in the repository.</param>
/// <param name="Root">The repository: SDXL_ROOT, else the nearest folder above the program with Directory.Packages.props.</param>
/// <param name="Port">--port N of the HTTP API; default 7071, and a free one where that is taken.</param>
/// <param name="ParentId">--parent PID, else SDXL_PARENT_PID: ends when that process ends.</param>
/// <param name="Storage">--storage CONNECTIONSTRING: what the worker connects to.</param>
/// <param name="HasWorker">--no-worker starts none.</param>
/// <param name="Settings">--Section:Name=value and the like, for the configuration.</param>
public sealed record LocalArguments(
    string Verb, StateFolder State, string Root, int Port, int? ParentId, string? Storage, bool HasWorker, string[] Settings)
{
    public const string Usage = """
        Usage: Sdxl.Local host   [--state FOLDER] [--port N] [--parent PID] [--no-worker] [--Sdxl:NAME=VALUE …]
               Sdxl.Local worker --state FOLDER --storage CONNECTIONSTRING [--parent PID] [--Sdxl:NAME=VALUE …]
        host runs the functions, blob storage, queues and a worker on this machine; worker is what host starts.
        """;

    /// <exception cref="FormatException">Unknown or incomplete; the message says which.</exception>
    public static LocalArguments Parse(IReadOnlyList<string> arguments)
    {
        if (arguments.Count == 0 || arguments[0] is not ("host" or "worker"))
            throw new FormatException($"Expected 'host' or 'worker', found {(arguments.Count == 0 ? "nothing" : $"'{arguments[0]}'")}.");
        var values = new Dictionary<string, string>();
        var settings = new List<string>();
        var hasWorker = true;
        for (var index = 1; index < arguments.Count; index++)
        {
            var argument = arguments[index];
            if (argument == "--no-worker")
                hasWorker = false;
            else if (argument is "--state" or "--port" or "--parent" or "--storage")
                values[argument] = ++index < arguments.Count ? arguments[index] : throw new FormatException($"{argument} needs a value.");
            else if (argument.StartsWith("--", StringComparison.Ordinal) && argument.Contains(':', StringComparison.Ordinal) && argument.Contains('=', StringComparison.Ordinal))
                settings.Add(argument);
            else
                throw new FormatException($"Unknown argument '{argument}'.");
        }

        var root = Environment.GetEnvironmentVariable("SDXL_ROOT") is { Length: > 0 } given ? Path.GetFullPath(given) : FindRoot();
        var state = values.GetValueOrDefault("--state") ?? Environment.GetEnvironmentVariable("SDXL_HOME");
        var parent = values.GetValueOrDefault("--parent") ?? (arguments[0] == "host" ? Environment.GetEnvironmentVariable("SDXL_PARENT_PID") : null);
        return new LocalArguments(
            arguments[0],
            new StateFolder(string.IsNullOrEmpty(state) ? Path.Combine(root, ".sdxl") : Path.GetFullPath(state)),
            root,
            Number("--port", values.GetValueOrDefault("--port")) ?? 0,
            Number("--parent", parent),
            values.GetValueOrDefault("--storage"),
            hasWorker,
            [.. settings]);
    }

    private static int? Number(string name, string? text) => string.IsNullOrEmpty(text)
        ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new FormatException($"{name} needs a number, found '{text}'.");

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Directory.Packages.props")))
                return folder.FullName;
        }
        return Environment.CurrentDirectory;
    }
}
