using System.Text.RegularExpressions;

namespace Sdxl.Local.Functions;

/// <summary>A function as the worker describes it.</summary>
/// <param name="Id">The worker's name for it; differs from the next worker's.</param>
/// <param name="Trigger">Its trigger binding: type, name and what the attribute says.</param>
/// <param name="DurableClients">Names of its parameters that take a durable client.</param>
internal sealed record FunctionInfo(string Id, string Name, JsonElement Trigger, IReadOnlyList<string> DurableClients)
{
    public string TriggerType => Trigger.Text("type")!;
    public string TriggerName => Trigger.Text("name")!;

    /// <summary>Of HTTP; empty: any.</summary>
    public List<string> Methods => Trigger.TryGetProperty("methods", out var methods) ? methods.Deserialize<List<string>>() ?? [] : [];

    public bool IsTriggeredBy(string type) => Trigger.Is("type", type);

    /// <returns>null where no binding is a trigger.</returns>
    public static FunctionInfo? From(RpcFunctionMetadata metadata)
    {
        var bindings = metadata.RawBindings.Select(binding => JsonSerializer.Deserialize<JsonElement>(binding)).ToList();
        var trigger = bindings.Find(binding => binding.Text("type")?.EndsWith("Trigger", StringComparison.OrdinalIgnoreCase) == true);
        var clients = bindings.Where(binding => binding.Is("type", "durableClient")).Select(binding => binding.Text("name")!);
        return trigger.ValueKind == JsonValueKind.Undefined ? null : new(metadata.FunctionId, metadata.Name, trigger, [.. clients]);
    }
}

internal static class BindingJson
{
    public static string? Text(this JsonElement binding, string name) =>
        binding.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public static bool Is(this JsonElement binding, string name, string value) =>
        string.Equals(binding.Text(name), value, StringComparison.OrdinalIgnoreCase);

    /// <remarks>Some generators write all as text.</remarks>
    public static bool? Flag(this JsonElement binding, string name) =>
        binding.TryGetProperty(name, out var value) && bool.TryParse(value.ToString(), out var flag) ? flag : null;

    /// <summary>A binding's text with %names% replaced by settings, as in Azure; a single % stands for itself.</summary>
    /// <exception cref="InvalidOperationException">A setting that is named is missing.</exception>
    public static string Resolve(this IReadOnlyDictionary<string, string> settings, string text) =>
        Regex.Replace(text, "%([^%]*)%", name => settings.GetValueOrDefault(name.Groups[1].Value)
            ?? throw new InvalidOperationException($"'{text}' names the setting '{name.Groups[1]}', which is missing. Set it."));
}
