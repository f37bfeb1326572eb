using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace Sdxl.Core.Json;

/// <summary>
/// Reads JSON of strangers. The library looks at texts only when they are asked for, and throws then, anywhere, over bytes that are no
/// UTF-8 and over halves of surrogate pairs; here everything is looked at once, at the door.
/// </summary>
public static class StrictJson
{
    /// <exception cref="JsonException">It is no JSON, or has texts that are no Unicode.</exception>
    public static JsonNode? Parse(ReadOnlySpan<byte> utf8, JsonDocumentOptions options)
    {
        if (!Utf8.IsValid(utf8))
            throw new JsonException("it is not UTF-8 text");
        var node = JsonNode.Parse(utf8, documentOptions: options);
        try
        {
            Look(node);
            return node;
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException("a text in it has half a surrogate pair, such as \\ud83d alone, which is no Unicode", e);
        }
    }

    private static void Look(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject all:
                foreach (var (_, value) in all)
                    Look(value);
                break;
            case JsonArray all:
                foreach (var value in all)
                    Look(value);
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                _ = value.GetValue<string>();
                break;
            default:
                break;
        }
    }
}
