using System.CommandLine;
using System.Text.Json.Nodes;
using Sdxl.Core.Inputs;

namespace Sdxl.Cli.Commands;

/// <summary>Inputs as options, made from the same table as the HTTP API's: max_train_steps is --max-train-steps.</summary>
internal sealed class InputOptions
{
    private readonly List<(InputField Field, Option<string?> Option)> options = [];

    /// <param name="fields">The table.</param>
    /// <param name="aliases">Short names: input name -> option.</param>
    /// <param name="except">Inputs that the command takes in another way.</param>
    public InputOptions(
        Command command,
        IEnumerable<InputField> fields,
        IReadOnlyDictionary<string, string>? aliases = null,
        params string[] except
    )
    {
        foreach (var field in fields.Where(field => !except.Contains(field.Name)))
        {
            var names = aliases is not null && aliases.TryGetValue(field.Name, out var alias) ? new[] { alias } : [];
            var option = new Option<string?>("--" + field.Name.Replace('_', '-'), names)
            {
                Description = Describe(field),
                HelpName = field.Choices is not null
                    ? "WORD"
                    : field.Type switch
                    {
                        InputType.Boolean => "true|false",
                        InputType.String => "TEXT",
                        InputType.Integer => "N",
                        _ => "X",
                    },
                // A boolean alone means true: --use-dora.
                Arity = field.Type == InputType.Boolean ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
            };
            options.Add((field, option));
            command.Options.Add(option);
        }
    }

    /// <summary>What was given, by input name, as texts; the host makes them typed and checks them.</summary>
    public JsonObject Read(ParseResult parsed)
    {
        var given = new JsonObject();
        foreach (var (field, option) in options)
        {
            if (parsed.GetResult(option) is { Implicit: false })
                given[field.Name] = parsed.GetValue(option) ?? "true";
        }
        return given;
    }

    private static string Describe(InputField field)
    {
        var range =
            field.Choices is not null || field.Type is InputType.Integer or InputType.Number
                ? $" {char.ToUpperInvariant(field.Range[0])}{field.Range[1..]}."
                : "";
        var standard = field.Default?.ToString() is { Length: > 0 } value ? $" Default: {value}." : "";
        return field.Description + range + standard;
    }
}
