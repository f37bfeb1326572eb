using System.CommandLine;

namespace Sdxl.Cli;

/// <summary>What is wrong with a command line, in one sentence.</summary>
internal static class Misuse
{
    /// <returns>null if nothing is.</returns>
    public static string? Of(ParseResult parsed)
    {
        if (parsed.Errors.Count == 0)
            return null;
        var command = parsed.CommandResult.Command;
        var help = command is RootCommand ? "./sdxl --help" : $"./sdxl {HelpText.FullName(command)} --help";
        if (parsed.UnmatchedTokens is not [var word, ..])
        {
            var missing = command.Arguments.FirstOrDefault(argument =>
                argument.Arity.MinimumNumberOfValues > 0 && parsed.GetResult(argument) is not { Tokens.Count: > 0 }
            );
            return missing is null
                ? $"{parsed.Errors[0].Message.TrimEnd('.')}. {help} says what is allowed."
                : $"The {missing.Name} is missing: ./sdxl {HelpText.FullName(command)} {missing.Name.ToUpperInvariant()}. {help} has "
                    + "examples.";
        }
        var isOption = word.StartsWith('-');
        var known = isOption
            ? command.Options.SelectMany(option => option.Aliases.Prepend(option.Name))
            : command.Subcommands.Select(sub => sub.Name);
        var nearest = known
            .Select(name => (Name: name, Distance: Distance(word, name)))
            .OrderBy(candidate => candidate.Distance)
            .FirstOrDefault();
        var suggestion =
            nearest.Name is not null && nearest.Distance <= Math.Max(2, word.Length / 3) ? $" Did you mean {nearest.Name}?" : "";
        return command switch
        {
            _ when command.Subcommands.Count > 0 && !isOption => $"There is no command '{word}'.{suggestion} {help} lists them.",
            _ when isOption => $"There is no option '{word}' for {HelpText.FullName(command)}.{suggestion} {help} lists them.",
            _ => $"'{word}' is one word too many for {HelpText.FullName(command)}: put texts with spaces into quotes. {help} has examples.",
        };
    }

    /// <summary>Levenshtein distance: letters to insert, remove or change.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = row[j];
                row[j] = cost;
            }
        }
        return row[b.Length];
    }
}
