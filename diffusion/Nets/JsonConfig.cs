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
        Find(field) is not { } value ? fallback : value.ValueKind == JsonValueKind.Number ? value.GetDouble() : throw Wrong(field, "a number", value);

    public bool Bool(string field, bool fallback) => Find(field) is not { } value
        ? fallback
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Wrong(field, "true or false", value);

    public string Text(string field, string fallback) =>
        Find(field) is not { } value ? fallback : value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong(field, "a text", value);

    public string[] Texts(string field) => Find(field) is { ValueKind: JsonValueKind.Array } value
        ? [.. value.EnumerateArray().Select(e => e.GetString() ?? throw Wrong(field, "texts", value))]
        : throw Missing(field);

    public double[]? Doubles(string field) => Find(field) is { ValueKind: JsonValueKind.Array } value ? [.. value.EnumerateArray().Select(e => e.GetDouble())] : null;

    public int[] Ints(string field) => Find(field) is not { } value ? throw Missing(field)
        : value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(e => e.TryGetInt32(out _)) ? [.. value.EnumerateArray().Select(e => e.GetInt32())]
        : throw Wrong(field, "a list of whole numbers", value);

    /// <summary>diffusers allows one number for all blocks or a list with one for each.</summary>
    public int[] IntPerBlock(string field, int blocks, int? fallback = null)
    {
        if (Find(field) is not { ValueKind: JsonValueKind.Array } value)
            return [.. Enumerable.Repeat(Int(field, fallback), blocks)];
        var numbers = Ints(field);
        return numbers.Length == blocks ? numbers : throw Wrong(field, $"{blocks} whole numbers, one for each block", value);
    }

    public bool Has(string field) => Find(field) is not null;

    /// <summary>Refuses a variant of the architecture that this net does not compute, instead of computing something else.</summary>
    public void Require(string field, bool supported, string only)
    {
        if (!supported)
            throw new NotSupportedException($"Config '{source}': '{field}' is {(Find(field) is { } value ? value.GetRawText() : "absent")}; this net supports only {only}. It is not an SDXL model.");
    }

    private JsonElement? Find(string field) =>
        root.ValueKind == JsonValueKind.Object && root.TryGetProperty(field, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private InvalidDataException Missing(string field) => new($"Config '{source}' lacks '{field}'. Copy the model's own config.json beside its weights.");

    private InvalidDataException Wrong(string field, string expected, JsonElement found) => new($"Config '{source}': '{field}' should be {expected}, found {found.GetRawText()}.");
}
