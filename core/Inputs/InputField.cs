using System.Text.Json.Nodes;

namespace Sdxl.Core.Inputs;

/// <summary>The JSON type of an input.</summary>
public enum InputType { String, Integer, Number, Boolean }

/// <summary>
/// One input as users see it: the command line's options, the validation, the HTTP API's schema and the documentation all come from this
/// row.
/// </summary>
/// <param name="Name">snake_case name, the same in HTTP, blob metadata, training.json and (with dashes) on the command line.</param>
/// <param name="Default">What applies when neither the user nor the base model's manifest says something; null = unset.</param>
/// <param name="Minimum">Smallest value allowed (numbers), or shortest text.</param>
/// <param name="Maximum">Largest value allowed (numbers), or longest text in characters.</param>
/// <param name="Choices">The only texts allowed, if not null.</param>
/// <param name="MultipleOf">Integers must be a multiple of this, if not null.</param>
/// <param name="UnsetValue">A number that says "not set", as other programs write it (seed -1), if not null.</param>
/// <param name="Description">What it means and when to change it, in one or two sentences with units.</param>
public sealed record InputField(
    string Name,
    InputType Type,
    JsonNode? Default,
    string Description,
    double? Minimum = null,
    double? Maximum = null,
    IReadOnlyList<string>? Choices = null,
    int? MultipleOf = null,
    long? UnsetValue = null)
{
    /// <summary>The range in words, for messages and help: "64 to 2048, a multiple of 8".</summary>
    public string Range
    {
        get
        {
            var parts = new List<string>();
            if (Choices is not null)
                parts.Add("one of " + string.Join(", ", Choices));
            else if (Type == InputType.Boolean)
                parts.Add("true or false");
            else if (Type is InputType.Integer or InputType.Number)
            {
                if (Type == InputType.Integer && MultipleOf is null)
                    parts.Add("a whole number");
                parts.Add((Minimum, Maximum) switch
                {
                    (null, null) => "of any size",
                    (not null, null) => FormattableString.Invariant($"{Minimum} or more"),
                    (null, not null) => FormattableString.Invariant($"{Maximum} or less"),
                    _ => FormattableString.Invariant($"{Minimum} to {Maximum}"),
                });
                if (MultipleOf is not null)
                    parts.Add(FormattableString.Invariant($"a multiple of {MultipleOf}"));
            }
            else
                parts.Add("text");
            return string.Join(", ", parts);
        }
    }
}
