using System.Text.Json;

namespace Sdxl.Local.Functions;

/// <summary>The settings of host.json that the local host follows; what it does not name has the Functions host's default.</summary>
internal sealed record HostJson
{
    /// <summary>extensions.http.routePrefix; default "api".</summary>
    public string RoutePrefix { get; init; } = "api";

    /// <summary>extensions.serviceBus.maxConcurrentCalls; default 16.</summary>
    public int MaxConcurrentCalls { get; init; } = 16;

    /// <summary>extensions.durableTask.maxConcurrentActivityFunctions; default here: one per processor.</summary>
    public int MaxConcurrentActivities { get; init; } = Environment.ProcessorCount;

    /// <param name="path">A host.json; a missing file means defaults.</param>
    public static HostJson Read(string? path)
    {
        if (path is null || !File.Exists(path))
            return new HostJson();
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            var defaults = new HostJson();
            return new HostJson
            {
                RoutePrefix = Find(json.RootElement, "extensions", "http", "routePrefix")?.GetString() ?? defaults.RoutePrefix,
                MaxConcurrentCalls = Find(json.RootElement, "extensions", "serviceBus", "maxConcurrentCalls")?.GetInt32() ?? defaults.MaxConcurrentCalls,
                MaxConcurrentActivities = Math.Min(
                    Find(json.RootElement, "extensions", "durableTask", "maxConcurrentActivityFunctions")?.GetInt32() ?? int.MaxValue,
                    defaults.MaxConcurrentActivities),
            };
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"{path} cannot be read: {exception.Message}", exception);
        }
    }

    private static JsonElement? Find(JsonElement element, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out element))
                return null;
        }
        return element;
    }
}
