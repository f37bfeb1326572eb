using System.Text.Json;

namespace Sdxl.Diffusion.Nets;

/// <summary>A net's config.json, read field by field; errors name the file, the field, what was expected and found.</summary>
internal sealed class JsonConfig
{
    private readonly JsonElement root;
    private readonly string source;

    public JsonConfig(JsonElement root, string source) => (this.root, this.source) = (root, source);

    public static JsonConfig Load(string path)
    {
        try
        {
            return new JsonConfig(JsonSerializer.Deserialize<JsonElement>(File.ReadAllBytes(path)), path);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"Config '{path}' is not valid JSON: {e.Message}", e);
        }
    }

    public int Int(string field, int? fallback = null) =>
        Find(field) is not { } value ? fallback ?? throw Missing(field)
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number
        : throw Wrong(field, "a whole number", value);

    public double Double(string field, double fallback) =>
        Find(field) is not { } value ? fallback
        : value.ValueKind == JsonValueKind.Number ? value.GetDouble()
        : throw Wrong(field, "a number", value);

    public bool Bool(string field, bool fallback) => Find(field) is not { } value
        ? fallback
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Wrong(field, "true or false", value);

    public string Text(string field, string fallback) =>
        Find(field) is not { } value ? fallback
        : value.ValueKind == JsonValueKind.String ? value.GetString()!
        : throw Wrong(field, "a text", value);

    public string[] Texts(string field) => Find(field) is { ValueKind: JsonValueKind.Array } value
        ? [.. value.EnumerateArray().Select(e => e.ValueKind == JsonValueKind.String ? e.GetString()! : throw Wrong(field, "texts", value))]
        : throw Missing(field);

    public double[]? Doubles(string field) =>
        Find(field) is not { ValueKind: JsonValueKind.Array } value ? null
        : value.EnumerateArray().All(e => e.ValueKind == JsonValueKind.Number) ? [.. value.EnumerateArray().Select(e => e.GetDouble())]
        : throw Wrong(field, "a list of numbers", value);

    public int[] Ints(string field) =>
        Find(field) is not { } value ? throw Missing(field)
        : value.ValueKind == JsonValueKind.Array
        && value.EnumerateArray().All(e => e.ValueKind == JsonValueKind.Number && e.TryGetInt32(out _))
            ? [.. value.EnumerateArray().Select(e => e.GetInt32())]
        : throw Wrong(field, "a list of whole numbers", value);

    /// <summary>diffusers allows one number for all blocks or a list with one for each.</summary>
    public int[] IntPerBlock(string field, int blocks, int? fallback = null)
    {
        if (Find(field) is not { ValueKind: JsonValueKind.Array } value)
            return [.. Enumerable.Repeat(Int(field, fallback), blocks)];
        var numbers = Ints(field);
        return numbers.Length == blocks ? numbers : throw Wrong(field, $"{blocks} whole numbers, one for each block", value);
    }

    /// <summary>
    /// The class of a part in a model_index.json, ["library", "class"]; null where the model has no such part ([null, null] or nothing).
    /// </summary>
    public string? PartOf(string field) =>
        Find(field) is not { } value ? null
        : value.ValueKind == JsonValueKind.Array
        && value.GetArrayLength() == 2
        && value[1].ValueKind is JsonValueKind.String or JsonValueKind.Null
            ? value[1].GetString()
        : throw Wrong(field, "a pair of library and class", value);

    /// <summary>A whole number in a field, or in a field of the object that stands there: older and newer files differ.</summary>
    public int IntOrIn(string field, string inner) =>
        Find(field) is { ValueKind: JsonValueKind.Object } value ? new JsonConfig(value, source).Int(inner) : Int(field);

    /// <summary>The object in a field.</summary>
    public JsonElement Object(string field) => Find(field) is { ValueKind: JsonValueKind.Object } value ? value : throw Missing(field);

    public bool Has(string field) => Find(field) is not null;

    /// <summary>Refuses a variant of the architecture that this net does not compute, instead of computing something else.</summary>
    public void Require(string field, bool supported, string only)
    {
        if (!supported)
            throw new NotSupportedException(
                $"Config '{source}': '{field}' is {(Find(field) is { } value ? value.GetRawText() : "absent")}; this net supports only "
                    + $"{only}. It is not an SDXL model."
            );
    }

    private JsonElement? Find(string field) =>
        root.ValueKind == JsonValueKind.Object && root.TryGetProperty(field, out var value) && value.ValueKind != JsonValueKind.Null
            ? value
            : null;

    private InvalidDataException Missing(string field) =>
        new($"Config '{source}' lacks '{field}'. Copy the model's own config.json beside its weights.");

    private InvalidDataException Wrong(string field, string expected, JsonElement found) =>
        new($"Config '{source}': '{field}' should be {expected}, found {found.GetRawText()}.");
}
