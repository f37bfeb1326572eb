namespace Sdxl.Local.Functions.Durable;

/// <summary>An activity's input and result between the framework's history and the worker.</summary>
internal static class ActivityCalls
{
    /// <summary>The SDK writes the input as an array of one element.</summary>
    /// <returns>The element's JSON; null for null or none.</returns>
    public static string? Unwrap(string? input)
    {
        if (input is null)
            return null;
        using var json = JsonDocument.Parse(input);
        var value = json.RootElement is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() == 1 ? list[0] : json.RootElement;
        return value.ValueKind == JsonValueKind.Null ? null : value.GetRawText();
    }

    public static Dictionary<string, TypedData> Metadata(FunctionInfo function, string? input, string instanceId)
    {
        var metadata = new Dictionary<string, TypedData> { ["instanceId"] = Typed.Text(instanceId) };
        if (input is not null)
        {
            metadata["data"] = new TypedData { Json = input };
            metadata[function.TriggerName] = Typed.Text(input);
        }
        return metadata;
    }

    public static ActivityExecutionResult Completed(TaskScheduledEvent scheduled, TypedData? returned) =>
        new() { ResponseEvent = new TaskCompletedEvent(-1, scheduled.EventId, ResultJson(returned)) };

    public static ActivityExecutionResult Failed(TaskScheduledEvent scheduled, FailureDetails failure) => new()
    {
        ResponseEvent = new TaskFailedEvent(
            -1, scheduled.EventId, $"Activity function '{scheduled.Name}' failed: {failure.ErrorMessage}", details: null, failure),
    };

    /// <summary>Text comes without its quotes, everything else as JSON.</summary>
    private static string? ResultJson(TypedData? returned) => returned?.DataCase switch
    {
        TypedData.DataOneofCase.String => JsonSerializer.Serialize(returned.String),
        TypedData.DataOneofCase.Json => returned.Json,
        TypedData.DataOneofCase.Int => JsonSerializer.Serialize(returned.Int),
        TypedData.DataOneofCase.Double => JsonSerializer.Serialize(returned.Double),
        TypedData.DataOneofCase.Bytes => JsonSerializer.Serialize(returned.Bytes.ToByteArray()),
        _ => null,
    };
}
