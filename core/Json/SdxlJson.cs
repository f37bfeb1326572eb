using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sdxl.Core.Json;

/// <summary>
/// The one way JSON is written here: snake_case names, lower-case enum words, nulls written (clients tell "unset" from "unknown" by them).
/// </summary>
public static class SdxlJson
{
    /// <summary>For records in blobs, messages and HTTP answers.</summary>
    public static JsonSerializerOptions Options { get; } = Make(indented: false);

    /// <summary>The same, indented: for files that people open.</summary>
    public static JsonSerializerOptions Indented { get; } = Make(indented: true);

    public static string Serialize<T>(T value) => JsonSerializer.Serialize(value, Options);

    /// <exception cref="JsonException">The text is not the JSON of a <typeparamref name="T"/>.</exception>
    public static T Deserialize<T>(string json) =>
        JsonSerializer.Deserialize<T>(json, Options) ?? throw new JsonException($"Expected a {typeof(T).Name}, found null.");

    private static JsonSerializerOptions Make(bool indented)
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
            DictionaryKeyPolicy = null,
            WriteIndented = indented,
            // Captions hold any language: readable text, not \u escapes. (These documents are never pasted into HTML unescaped.)
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower));
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
