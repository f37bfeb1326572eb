using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Sdxl.Local.Functions;

/// <summary>A function as the worker describes it.</summary>
/// <param name="Id">The worker's name for it; differs from the next worker's.</param>
/// <param name="Trigger">Its trigger binding: type, name and what the attribute says.</param>
/// <param name="DurableClients">Names of its parameters that take a durable client.</param>
internal sealed record FunctionInfo(string Id, string Name, JsonNode Trigger, IReadOnlyList<string> DurableClients)
{
    public string TriggerType => Trigger.Text("type")!;
    public string TriggerName => Trigger.Text("name")!;

    public bool IsTriggeredBy(string type) => TriggerType.Equals(type, StringComparison.OrdinalIgnoreCase);

    /// <returns>null where no binding is a trigger.</returns>
    public static FunctionInfo? From(RpcFunctionMetadata metadata)
    {
        var bindings = metadata.RawBindings.Select(binding => JsonNode.Parse(binding)!)
            .ToLookup(binding => binding.Text("type") ?? "", StringComparer.OrdinalIgnoreCase);
        var trigger = bindings.FirstOrDefault(type => type.Key.EndsWith("Trigger", StringComparison.OrdinalIgnoreCase))?.First();
        var clients = bindings["durableClient"].Select(binding => binding.Text("name")!);
        return trigger is null ? null : new(metadata.FunctionId, metadata.Name, trigger, [.. clients]);
    }
}

internal static class BindingJson
{
    public static string? Text(this JsonNode binding, string name) => binding[name]?.ToString();

    public static bool? Flag(this JsonNode binding, string name) => bool.TryParse(binding.Text(name), out var flag) ? flag : null;

    /// <summary>A binding's text with %names% replaced by settings, as in Azure; a single % stands for itself.</summary>
    /// <exception cref="InvalidOperationException">A setting that is named is missing.</exception>
    public static string Resolve(this IReadOnlyDictionary<string, string> settings, string text) =>
        Regex.Replace(text, "%([^%]*)%", name => settings.GetValueOrDefault(name.Groups[1].Value)
            ?? throw new InvalidOperationException($"'{text}' names the setting '{name.Groups[1]}', which is missing. Set it."));
}
