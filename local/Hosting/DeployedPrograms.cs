using Sdxl.Core.Settings;
using Sdxl.Core.Workers;

namespace Sdxl.Local.Hosting;

/// <summary>The functions app and the GPU worker as they are deployed, and the settings with which they run on this machine.</summary>
/// <param name="storage">Connection string of the blob storage.</param>
/// <param name="serviceBus">Connection string of the queues.</param>
/// <param name="keys">Of the state folder: the owner's token, and what signs links.</param>
internal sealed class DeployedPrograms(LocalArguments arguments, string storage, string serviceBus, LocalKeys keys)
{
    private const string LocalBase = "toy"; // small enough for a laptop; SDXL itself wants a GPU
    private const long UsualArchiveBytes = 250L << 20;
    private const string BodyLimit = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"; // the host reads it too, from the settings alone

    public string FunctionsDll => Program("functions", "Sdxl.Functions");

    /// <summary>For the functions app. What the user's environment or the command line says stays.</summary>
    public Dictionary<string, string> FunctionsSettings()
    {
        var settings = Common();
        Add(settings, "Sdxl__NetsAreHere", bool.TrueString);
        Add(settings, "Sdxl__DefaultBase", LocalBase);
        Add(settings, "Sdxl__OwnerTokenSha256", ApiTokens.HashOf(keys.Token));
        Add(settings, "Sdxl__SigningKey", keys.Signing);
        // Azure's limit of a request body, which is the app's own here: three of its largest files, and some text.
        var isGiven = long.TryParse(Given("Sdxl__MaxArchiveBytes"), NumberStyles.None, CultureInfo.InvariantCulture, out var archive);
        var bytes = (3 * (isGiven ? archive : UsualArchiveBytes)) + (8L << 20);
        settings[BodyLimit] = Environment.GetEnvironmentVariable(BodyLimit) ?? bytes.ToString(CultureInfo.InvariantCulture);
        return settings;
    }

    /// <summary>What requests may call this machine: its own names, and the one under which a proxy shows it.</summary>
    public IReadOnlyCollection<string> HostNames() =>
        Uri.TryCreate(Given("Sdxl__PublicUrl"), UriKind.Absolute, out var url)
            ? ["127.0.0.1", "localhost", "[::1]", url.Host]
            : ["127.0.0.1", "localhost", "[::1]"];

    /// <summary>As many at a time as the app's host.json says.</summary>
    public SqliteOrchestrationOptions OrchestrationOptions()
    {
        var limits = HostJson.Read(Path.Combine(Path.GetDirectoryName(FunctionsDll)!, "host.json"));
        return new SqliteOrchestrationOptions
        {
            MaxConcurrentActivities = limits.MaxConcurrentActivities,
            MaxConcurrentOrchestrators = limits.MaxConcurrentOrchestrators,
        };
    }

    public ProcessStartInfo WorkerCommand()
    {
        var command = new ProcessStartInfo("dotnet", [Program("gpu-worker", "Sdxl.GpuWorker")]) { WorkingDirectory = arguments.Root };
        var settings = Common();
        Add(settings, "Sdxl__ScratchFolder", arguments.State.Worker);
        foreach (var (name, value) in settings)
            command.Environment[name] = value;
        WorkerEnvironment.AddTo(command.Environment);
        command.Environment[StartupHook.Variable] = typeof(StartupHook).Assembly.Location; // it ends with this host, however that ends
        return command;
    }

    private Dictionary<string, string> Common()
    {
        var settings = new Dictionary<string, string>(arguments.Settings)
        {
            [Connections.Storage] = storage,
            [Connections.ServiceBus] = serviceBus,
        };
        var models = Environment.GetEnvironmentVariable("SDXL_MODELS");
        var folder = string.IsNullOrEmpty(models) ? Path.Combine(arguments.Root, "models") : Path.GetFullPath(models);
        Add(settings, "Sdxl__ModelsFolder", folder);
        return settings;
    }

    private string? Given(string name) => arguments.Settings.GetValueOrDefault(name) ?? Environment.GetEnvironmentVariable(name);

    private static void Add(Dictionary<string, string> settings, string name, string value)
    {
        if (Environment.GetEnvironmentVariable(name) is not { Length: > 0 })
            settings.TryAdd(name, value);
    }

    private string Program(string room, string name)
    {
        var path = Repository.Program(arguments.Root, room, name);
        return File.Exists(path) ? path : throw new InvalidOperationException($"{path} is missing. Run `./sdxl setup`.");
    }
}
