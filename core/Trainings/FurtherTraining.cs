using System.Text.Json;
using System.Text.Json.Nodes;
using Sdxl.Core.Captions;
using Sdxl.Core.Inputs;
using Sdxl.Core.Json;
using Sdxl.Core.Versions;

namespace Sdxl.Core.Trainings;

/// <summary>
/// A training that goes on from a published version: it begins with the version's weights and vectors, and with an optimizer that has seen
/// nothing. What gives those weights their shape and meaning must be the same in both; unsaid, it is the version's. All else, pictures
/// among it, may differ.
/// </summary>
public static class FurtherTraining
{
    private const string Words = "token_string";

    private static readonly string[] s_same = ["is_lora", Words, "vectors_per_token", "prediction_type", "zero_terminal_snr"];
    private static readonly string[] s_sameOfLora = ["lora_rank", "lora_targets", "use_dora"];

    /// <summary>Taken over, but free: with another alpha the same weights begin with the same effect.</summary>
    private const string Alpha = "lora_alpha";

    /// <summary>Adds the version's inputs for those that were not given.</summary>
    /// <param name="given">What was said in the request, then in the archive.</param>
    public static void FillGaps(JsonObject given, VersionManifest parent)
    {
        foreach (var name in IsLora(parent) ? [.. s_same, .. s_sameOfLora, Alpha] : s_same)
        {
            if (given[name] is null && ValueOf(parent, name) is { } value)
                given[name] = value.DeepClone();
        }
    }

    /// <summary>Everything for which the version's weights cannot be the start of that training; empty: they can.</summary>
    /// <param name="from">The version as sentences name it.</param>
    public static IReadOnlyList<InputProblem> Problems(TrainingInputs inputs, string baseName, string from, VersionManifest parent)
    {
        var problems = new List<InputProblem>();
        if (parent.Base != baseName)
        {
            problems.Add(new("base", $"Version '{from}' was trained on base model '{parent.Base}', and what goes on from it must be, too; "
                + $"'{baseName}' was asked for. Leave 'base' out, or leave 'from' out."));
        }
        var asked = JsonSerializer.SerializeToNode(inputs, SdxlJson.Options)!.AsObject();
        foreach (var name in inputs.IsLora && IsLora(parent) ? [.. s_same, .. s_sameOfLora] : s_same)
        {
            var (now, then) = (asked[name], ValueOf(parent, name));
            if (!IsSame(name, now, then))
            {
                problems.Add(new(name, $"Input '{name}' is {Shown(now)}, but version '{from}' was trained with {Shown(then)}, and its "
                    + "weights begin this training. Leave it out, or train anew without 'from'."));
            }
        }
        return problems;
    }

    private static bool IsLora(VersionManifest version) => ValueOf(version, "is_lora")?.GetValue<bool>() != false;

    /// <summary>Versions of before an input was there were trained with its default.</summary>
    private static JsonNode? ValueOf(VersionManifest version, string name) => version.Inputs.TryGetPropertyValue(name, out var value)
        ? value : JsonSerializer.SerializeToNode(TrainingInputs.Fields.Single(field => field.Name == name).Default, SdxlJson.Options);

    private static bool IsSame(string name, JsonNode? now, JsonNode? then) => name == Words && now is not null && then is not null
        ? WordsOf(now).SequenceEqual(WordsOf(then), StringComparer.OrdinalIgnoreCase)
        : now?.ToJsonString() == then?.ToJsonString();

    private static IReadOnlyList<string> WordsOf(JsonNode text) => new TriggerWords(text.GetValue<string>()).All;

    private static string Shown(JsonNode? value) => value is null ? "unset" : value.ToJsonString(SdxlJson.Options);
}
