using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Sdxl.Core.Inputs;

/// <summary>
/// Checks given inputs against their fields and makes them typed. Lenient where clients are sloppy ("42" for 42, 123 for a text, "True", ""
/// for unset), strict in what it means; collects all problems before it complains.
/// </summary>
public static class InputReader
{
    /// <summary>Every field's value: given, else <paramref name="baseDefaults"/>, else the field's default. Unset ones are left
    /// out.</summary>
    /// <param name="known">Names that are accepted and handled elsewhere (for example input_images).</param>
    /// <exception cref="InputException">With every unknown name and bad value.</exception>
    public static JsonObject Read(IReadOnlyList<InputField> fields, JsonObject given, JsonObject baseDefaults, params string[] known)
    {
        var problems = new List<InputProblem>();
        var values = new JsonObject();
        foreach (var (name, _) in given)
        {
            if (fields.All(f => f.Name != name) && !known.Contains(name))
                problems.Add(new InputProblem(name, $"There is no input called '{name}'.{Suggest(name, fields)}"));
        }
        foreach (var field in fields)
        {
            var value = given[field.Name] is { } g && !IsBlank(g, field) ? g : null;
            var valid = value is null ? (baseDefaults[field.Name] ?? field.Default)?.DeepClone() : Validate(field, value, problems);
            if (valid is not null)
                values[field.Name] = valid;
        }
        return problems.Count == 0 ? values : throw new InputException(problems);
    }

    // Clients send "" for "not set" where a number may be unset; an empty text is a value for text inputs.
    private static bool IsBlank(JsonNode value, InputField field) =>
        value.GetValueKind() == JsonValueKind.Null
            || field.Type != InputType.String && value.GetValueKind() == JsonValueKind.String && value.GetValue<string>().Trim() == ""
            || field.UnsetValue is { } unset && value.GetValueKind() is JsonValueKind.Number or JsonValueKind.String
                && ParseInteger(value.ToString())?.GetValue<long>() == unset;

    private static JsonNode? Validate(InputField field, JsonNode value, List<InputProblem> problems)
    {
        var text = value.GetValueKind() switch
        {
            JsonValueKind.String => value.GetValue<string>(),
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.ToJsonString(),
            _ => null,
        };
        JsonNode? typed = text is null ? null : field.Type switch
        {
            InputType.String => JsonValue.Create(text),
            InputType.Boolean => ParseBoolean(text),
            InputType.Integer => ParseInteger(text),
            _ => double.TryParse(text.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out var d) && double.IsFinite(d)
                ? JsonValue.Create(d) : null,
        };
        var ok = typed is not null && field.Type switch
        {
            InputType.Integer => InRange(field, typed.GetValue<long>())
                && (field.MultipleOf is not { } m || typed.GetValue<long>() % m == 0),
            InputType.Number => InRange(field, typed.GetValue<double>()),
            InputType.String => (field.Choices is null || field.Choices.Contains(text)) && !IsTooLong(field, text),
            _ => true,
        };
        if (ok)
            return typed;
        if (typed is not null && IsTooLong(field, text))
        {
            problems.Add(new InputProblem(field.Name, string.Create(CultureInfo.InvariantCulture,
                $"Input '{field.Name}' has {text!.Length:N0} characters; at most {field.Maximum:N0} are allowed.")));
            return null;
        }
        var shown = text is null ? value.ToJsonString() : text;
        problems.Add(new InputProblem(field.Name,
            $"Input '{field.Name}' is {(shown.Length > 60 ? shown[..57] + "…" : shown)}; "
                + $"it must be {field.Range}{Nearest(field, typed)}."));
        return null;
    }

    private static bool IsTooLong(InputField field, string? text) => field.Type == InputType.String && text?.Length > field.Maximum;

    private static bool InRange(InputField field, double value) => value >= (field.Minimum ?? double.MinValue)
        && value <= (field.Maximum ?? double.MaxValue);

    private static JsonNode? ParseBoolean(string text) => text.Trim().ToLowerInvariant() switch
    {
        "true" or "1" or "t" or "yes" => JsonValue.Create(true),
        "false" or "0" or "f" or "no" => JsonValue.Create(false),
        _ => null,
    };

    private static JsonNode? ParseInteger(string text)
    {
        if (long.TryParse(text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer))
            return JsonValue.Create(integer);
        // 1e3 and 512.0 are whole numbers too; 512.5 is not.
        return decimal.TryParse(text.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && number == decimal.Truncate(number)
            && number is >= long.MinValue and <= long.MaxValue
            ? JsonValue.Create((long)number)
            : null;
    }

    private static string Nearest(InputField field, JsonNode? typed)
    {
        if (field.Type != InputType.Integer || field.MultipleOf is not { } multiple || typed is null)
            return "";
        var value = Math.Clamp(typed.GetValue<long>(), field.Minimum ?? double.MinValue, field.Maximum ?? double.MaxValue);
        return FormattableString.Invariant($" (nearest: {Math.Round(value / multiple) * multiple})");
    }

    /// <summary>The known name that a user may have meant by another one; null: it looks like none.</summary>
    public static string? Misspelt(string name, IEnumerable<string> known)
    {
        var best = known.Select(k => (Name: k, Distance: Distance(name, k))).MinBy(p => p.Distance);
        return best.Name is not null && best.Distance <= Math.Max(name.Length <= 5 ? 1 : 2, name.Length / 3) ? best.Name : null;
    }

    private static string Suggest(string name, IReadOnlyList<InputField> fields) => Misspelt(name, fields.Select(f => f.Name)) is { } meant
        ? $" Did you mean '{meant}'?"
        : $" Known inputs: {string.Join(", ", fields.Select(f => f.Name))}.";

    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + cost));
            }
        }
        return row[^1];
    }
}
