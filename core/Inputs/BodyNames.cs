using System.Text.Json.Nodes;

namespace Sdxl.Core.Inputs;

/// <summary>What stands in a request's JSON beside the object "input": a name that nobody knows is an error, for it was meant to do
/// something.</summary>
public static class BodyNames
{
    /// <summary>What Replicate's clients send there (replicate-javascript, replicate-python, replicate-go and its command line).</summary>
    private static readonly string[] s_ofClients = ["version", "destination", "webhook", "webhook_events_filter", "webhook_completed",
        "stream"];

    /// <param name="own">Names that are read.</param>
    /// <param name="inputs">Inputs, which belong into "input".</param>
    /// <returns>Sentences about names of Replicate's clients that have no effect here.</returns>
    /// <exception cref="InputException">Unknown names, each with the one that may be meant.</exception>
    public static IReadOnlyList<string> RefuseUnknown(JsonObject body, IReadOnlyList<string> own, IReadOnlyList<InputField> inputs)
    {
        var unknown = body.Select(pair => pair.Key).Where(name => !own.Contains(name) && !s_ofClients.Contains(name)).ToList();
        return unknown.Count > 0
            ? throw new InputException([.. unknown.Select(name => new InputProblem(name, Sentence(name, own, inputs)))])
            : [.. s_ofClients.Where(name => !own.Contains(name) && SaysSomething(body[name]))
                .Select(name => $"'{name}' has no effect here: ask for the state at urls.get.")];
    }

    private static string Sentence(string name, IReadOnlyList<string> own, IReadOnlyList<InputField> inputs)
    {
        if (inputs.Any(field => field.Name == name))
            return $"'{name}' is an input: it belongs into the object 'input', {{\"input\": {{\"{name}\": …}}}}.";
        var shown = name.Length > 60 ? name[..57] + "…" : name;
        return $"The body has '{shown}', which is not known beside 'input'."
            + $"{(InputReader.Misspelt(name, own) is { } meant ? $" Did you mean '{meant}'?" : $" Known: {string.Join(", ", own)}.")}";
    }

    private static bool SaysSomething(JsonNode? value) => value is not null && value.ToJsonString() is not ("false" or "[]" or "\"\"");
}
