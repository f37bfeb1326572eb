namespace Sdxl.Local.Functions.Durable;

/// <summary>An activity's input and result between the framework's history and the worker.</summary>
internal static class ActivityCalls
{
    /// <summary>What the worker gets. The SDK writes the input as an array of one element; null is sent as nothing.</summary>
    public static (TypedData Value, Dictionary<string, TypedData> Metadata) Input(FunctionInfo function, string? input, string instanceId)
    {
        var metadata = new Dictionary<string, TypedData> { ["instanceId"] = Typed.Text(instanceId) };
        using var json = JsonDocument.Parse(input ?? "null");
        var value = json.RootElement is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() == 1 ? list[0] : json.RootElement;
        if (value.ValueKind == JsonValueKind.Null)
            return (new TypedData(), metadata);
        metadata["data"] = new TypedData { Json = value.GetRawText() };
        return (metadata[function.TriggerName] = Typed.Text(value.GetRawText()), metadata);
    }

    /// <summary>Text comes without its quotes, everything else as JSON.</summary>
    public static string? ResultJson(TypedData? returned) => returned?.DataCase switch
    {
        TypedData.DataOneofCase.String => JsonSerializer.Serialize(returned.String),
        TypedData.DataOneofCase.Json => returned.Json,
        TypedData.DataOneofCase.Int => JsonSerializer.Serialize(returned.Int),
        TypedData.DataOneofCase.Double => JsonSerializer.Serialize(returned.Double),
        TypedData.DataOneofCase.Bytes => JsonSerializer.Serialize(returned.Bytes.ToByteArray()),
        _ => null,
    };
}
