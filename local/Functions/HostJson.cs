namespace Sdxl.Local.Functions;

/// <summary>The settings of host.json that this host follows; what the file does not name has the Functions host's default.</summary>
public sealed record HostJson
{
    /// <summary>extensions.http.routePrefix: what every route begins with; default "api".</summary>
    public string RoutePrefix { get; init; } = "api";

    /// <summary>extensions.serviceBus.maxConcurrentCalls: messages of one queue handled at a time; default 16.</summary>
    public int MaxConcurrentCalls { get; init; } = 16;

    /// <summary>extensions.serviceBus.autoCompleteMessages: a message is completed when its function returns; default true.</summary>
    public bool AutoCompleteMessages { get; init; } = true;

    /// <summary>
    /// extensions.serviceBus.maxAutoLockRenewalDuration: how long a running function keeps its message; default 5 minutes.
    /// </summary>
    public TimeSpan MaxAutoLockRenewal { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>extensions.durableTask.maxConcurrentActivityFunctions; default 10 for each processor.</summary>
    public int MaxConcurrentActivities { get; init; } = 10 * Environment.ProcessorCount;

    /// <summary>extensions.durableTask.maxConcurrentOrchestratorFunctions; default 10 for each processor.</summary>
    public int MaxConcurrentOrchestrators { get; init; } = 10 * Environment.ProcessorCount;

    /// <param name="path">A host.json; null or a missing file means defaults.</param>
    /// <exception cref="InvalidDataException">Not JSON, or a setting is not what it has to be; the message names it.</exception>
    public static HostJson Read(string? path)
    {
        var defaults = new HostJson();
        if (path is null || !File.Exists(path))
            return defaults;
        try
        {
            using var json = JsonDocument.Parse(
                File.ReadAllBytes(path),
                new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            var file = json.RootElement;
            return new HostJson
            {
                RoutePrefix = Find(file, "http", "routePrefix")?.GetString() ?? defaults.RoutePrefix,
                MaxConcurrentCalls = AtLeastOne(file, "serviceBus", "maxConcurrentCalls") ?? defaults.MaxConcurrentCalls,
                AutoCompleteMessages = Find(file, "serviceBus", "autoCompleteMessages")?.GetBoolean() ?? defaults.AutoCompleteMessages,
                MaxAutoLockRenewal = Find(file, "serviceBus", "maxAutoLockRenewalDuration")?.GetString() is { } duration
                    ? TimeSpan.Parse(duration, CultureInfo.InvariantCulture)
                    : defaults.MaxAutoLockRenewal,
                MaxConcurrentActivities = AtLeastOne(file, "durableTask", "maxConcurrentActivityFunctions")
                    ?? defaults.MaxConcurrentActivities,
                MaxConcurrentOrchestrators =
                    AtLeastOne(file, "durableTask", "maxConcurrentOrchestratorFunctions") ?? defaults.MaxConcurrentOrchestrators,
            };
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException or OverflowException)
        {
            throw new InvalidDataException($"{path} cannot be read: {exception.Message} Correct it, or leave the setting out.", exception);
        }
    }

    private static int? AtLeastOne(JsonElement file, string extension, string setting) => Find(file, extension, setting)?.GetInt32() switch
    {
        < 1 => throw new FormatException($"extensions.{extension}.{setting} must be 1 or more."),
        var value => value,
    };

    private static JsonElement? Find(JsonElement file, string extension, string setting)
    {
        foreach (var name in (ReadOnlySpan<string>)["extensions", extension, setting])
        {
            if (file.ValueKind != JsonValueKind.Object || !file.TryGetProperty(name, out file))
                return null;
        }
        return file;
    }
}
