using System.Text.Json;

namespace Sdxl.Local.Functions;

/// <summary>A body as the type that a function asks for: text, bytes, BinaryData, or JSON read into a record.</summary>
internal static class Payload
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNameCaseInsensitive = true };

    public static object Convert(BinaryData content, Type type)
    {
        if (type == typeof(string))
            return content.ToString();
        if (type == typeof(byte[]))
            return content.ToArray();
        if (type == typeof(BinaryData))
            return content;
        if (type == typeof(ReadOnlyMemory<byte>))
            return content.ToMemory();
        return JsonSerializer.Deserialize(content, type, Options)
            ?? throw new JsonException($"The body is the JSON value null, and a {type.Name} was expected.");
    }
}
