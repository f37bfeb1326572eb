using System.Text.Json.Nodes;

namespace Sdxl.Local.Functions;

/// <summary>What this host follows of host.json's extensions; what the file does not name has the Functions host's default.</summary>
public sealed record HostJson
{
    public string RoutePrefix { get; init; } = "api"; // of http
    public int MaxConcurrentCalls { get; init; } = 16; // of serviceBus: messages of one queue
    public bool AutoCompleteMessages { get; init; } = true; // when the function returns
    public TimeSpan MaxAutoLockRenewal { get; init; } = TimeSpan.FromMinutes(5); // how long a running function keeps its message
    public int MaxConcurrentActivities { get; init; } = 10 * Environment.ProcessorCount; // of durableTask
    public int MaxConcurrentOrchestrators { get; init; } = 10 * Environment.ProcessorCount;

    /// <param name="path">A host.json; a missing file means defaults.</param>
    /// <exception cref="InvalidDataException">Not JSON, or a setting is not what it has to be; the message names it.</exception>
    public static HostJson Read(string path)
    {
        var usual = new HostJson();
        if (!File.Exists(path))
            return usual;
        try
        {
            var lenient = new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };
            var extensions = JsonNode.Parse(File.ReadAllBytes(path), documentOptions: lenient)?["extensions"];
            var (http, serviceBus, durableTask) = (extensions?["http"], extensions?["serviceBus"], extensions?["durableTask"]);
            var renewal = (string?)serviceBus?["maxAutoLockRenewalDuration"];
            return new HostJson
            {
                RoutePrefix = (string?)http?["routePrefix"] ?? usual.RoutePrefix,
                MaxConcurrentCalls = AtLeastOne(serviceBus, "maxConcurrentCalls") ?? usual.MaxConcurrentCalls,
                AutoCompleteMessages = (bool?)serviceBus?["autoCompleteMessages"] ?? usual.AutoCompleteMessages,
                MaxAutoLockRenewal = renewal is null ? usual.MaxAutoLockRenewal : TimeSpan.Parse(renewal, CultureInfo.InvariantCulture),
                MaxConcurrentActivities = AtLeastOne(durableTask, "maxConcurrentActivityFunctions") ?? usual.MaxConcurrentActivities,
                MaxConcurrentOrchestrators =
                    AtLeastOne(durableTask, "maxConcurrentOrchestratorFunctions") ?? usual.MaxConcurrentOrchestrators,
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
