namespace Sdxl.Local.Hosting;

/// <summary>What the command line and the environment say.</summary>
/// <param name="State">--state FOLDER, else SDXL_HOME, else .sdxl in the repository.</param>
/// <param name="Root">The repository: SDXL_ROOT, else the nearest folder above the program with Directory.Packages.props.</param>
/// <param name="Port">--port N of the HTTP API; default 7071, and a free one where that is taken.</param>
/// <param name="Listen">--listen ADDRESS: storage and queues are open there to workers elsewhere; null: to this machine only.</param>
/// <param name="LogFile">--log FILE: what would go to the terminal.</param>
/// <param name="EndsWithInput">--end-with-input: ends when standard input does, so with the program that holds its other end.</param>
/// <param name="HasWorker">--no-worker starts none.</param>
/// <param name="Settings">--Section:Name=value and the like, for functions and worker: by their environment names.</param>
public sealed record LocalArguments(
    StateFolder State, string Root, int Port, IPAddress? Listen, string? LogFile, bool EndsWithInput, bool HasWorker,
    IReadOnlyDictionary<string, string> Settings)
{
    public const string Usage = """
        Usage: Sdxl.Local [--state FOLDER] [--port N] [--listen ADDRESS] [--log FILE] [--end-with-input] [--no-worker] [--Sdxl:NAME=VALUE …]
        Runs the functions app and the GPU worker on this machine, with blob storage and queues.
        """;

    /// <exception cref="FormatException">Unknown or incomplete; the message says which.</exception>
    public static LocalArguments Parse(IReadOnlyList<string> arguments)
    {
        var (values, flags, settings) = (new Dictionary<string, string>(), new HashSet<string>(), new Dictionary<string, string>());
        for (var index = 0; index < arguments.Count; index++)
        {
            var argument = arguments[index];
            if (argument is "--no-worker" or "--end-with-input")
                flags.Add(argument);
            else if (argument is "--state" or "--port" or "--listen" or "--log")
                values[argument] = ++index < arguments.Count ? arguments[index] : throw new FormatException($"{argument} needs a value.");
            else if (argument.Split('=', 2) is [['-', '-', .. var name], var value] && name.Contains(':', StringComparison.Ordinal))
                settings[name.Replace(":", "__", StringComparison.Ordinal)] = value;
            else
                throw new FormatException($"Unknown argument '{argument}'.");
        }
        var root = Environment.GetEnvironmentVariable("SDXL_ROOT") is { Length: > 0 } given ? Path.GetFullPath(given)
            : Repository.Root ?? Environment.CurrentDirectory;
        var state = values.GetValueOrDefault("--state") ?? Environment.GetEnvironmentVariable("SDXL_HOME");
        return new LocalArguments(
            new StateFolder(string.IsNullOrEmpty(state) ? Path.Combine(root, ".sdxl") : Path.GetFullPath(state)), root,
            PortOf(values.GetValueOrDefault("--port")), Address(values.GetValueOrDefault("--listen")), values.GetValueOrDefault("--log"),
            flags.Contains("--end-with-input"), !flags.Contains("--no-worker"), settings);
    }

    private static int PortOf(string? text) => text is null ? 0
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= IPEndPoint.MaxPort ? number
        : throw new FormatException($"--port needs a number up to {IPEndPoint.MaxPort}, found '{text}'.");

    private static IPAddress? Address(string? text) => text is null ? null
        : IPAddress.TryParse(text, out var address) ? address
        : throw new FormatException($"--listen needs an address of this machine, as in 192.168.1.5, found '{text}'.");
}
