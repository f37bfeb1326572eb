using System.Text.Json.Nodes;

namespace Sdxl.Local.Functions;

/// <summary>What this host follows of host.json's extensions; what the file does not name has the Functions host's default.</summary>
public sealed record HostJson
{
    /// <summary>http: what every route begins with.</summary>
    public string RoutePrefix { get; init; } = "api";

    /// <summary>serviceBus: messages of one queue handled at a time.</summary>
    public int MaxConcurrentCalls { get; init; } = 16;

    /// <summary>serviceBus: a message is completed when its function returns.</summary>
    public bool AutoCompleteMessages { get; init; } = true;

    /// <summary>serviceBus.maxAutoLockRenewalDuration: how long a running function keeps its message.</summary>
    public TimeSpan MaxAutoLockRenewal { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>durableTask.maxConcurrentActivityFunctions.</summary>
    public int MaxConcurrentActivities { get; init; } = 10 * Environment.ProcessorCount;

    /// <summary>durableTask.maxConcurrentOrchestratorFunctions.</summary>
    public int MaxConcurrentOrchestrators { get; init; } = 10 * Environment.ProcessorCount;

    /// <param name="path">A host.json; a missing file means defaults.</param>
    /// <exception cref="InvalidDataException">Not JSON, or a setting is not what it has to be; the message names it.</exception>
    public static HostJson Read(string path)
    {
        var defaults = new HostJson();
        if (!File.Exists(path))
            return defaults;
        try
        {
            var lenient = new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };
            var extensions = JsonNode.Parse(File.ReadAllBytes(path), documentOptions: lenient)?["extensions"];
            var (http, serviceBus, durableTask) = (extensions?["http"], extensions?["serviceBus"], extensions?["durableTask"]);
            return new HostJson
            {
                RoutePrefix = (string?)http?["routePrefix"] ?? defaults.RoutePrefix,
                MaxConcurrentCalls = AtLeastOne(serviceBus, "maxConcurrentCalls") ?? defaults.MaxConcurrentCalls,
                AutoCompleteMessages = (bool?)serviceBus?["autoCompleteMessages"] ?? defaults.AutoCompleteMessages,
                MaxAutoLockRenewal = (string?)serviceBus?["maxAutoLockRenewalDuration"] is { } duration
                    ? TimeSpan.Parse(duration, CultureInfo.InvariantCulture)
                    : defaults.MaxAutoLockRenewal,
                MaxConcurrentActivities =
                    AtLeastOne(durableTask, "maxConcurrentActivityFunctions") ?? defaults.MaxConcurrentActivities,
                MaxConcurrentOrchestrators =
                    AtLeastOne(durableTask, "maxConcurrentOrchestratorFunctions") ?? defaults.MaxConcurrentOrchestrators,
            };
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException or OverflowException)
        {
            throw new InvalidDataException($"{path} cannot be read: {exception.Message} Correct it, or leave the setting out.", exception);
        }
    }

    private static int? AtLeastOne(JsonNode? extension, string setting) => (int?)extension?[setting] switch
    {
        < 1 => throw new FormatException($"{setting} must be 1 or more."),
        var value => value,
    };
}
