using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Sdxl.Cli;

/// <summary>
/// Help that is read from top to bottom: what the command does, examples, then each option under its name. 100 columns at most.
/// </summary>
internal sealed class HelpText : SynchronousCommandLineAction
{
    private const int MaxColumns = 100;
    private const string Indent = "      ";

    public static void Use(RootCommand root)
    {
        foreach (var option in root.Options.OfType<HelpOption>())
            option.Action = new HelpText();
    }

    public override int Invoke(ParseResult parseResult)
    {
        Write(parseResult.CommandResult.Command, parseResult.InvocationConfiguration.Output);
        return CommandRunner.Succeeded;
    }

    public static void Write(Command command, TextWriter output)
    {
        output.WriteLine(command.Description);
        output.WriteLine();
        output.WriteLine($"Usage: ./sdxl {Usage(command)}");
        if (command.Subcommands.Count > 0)
        {
            output.WriteLine();
            foreach (var sub in command.Subcommands)
                output.WriteLine($"  {Name(sub),-18} {FirstSentence(sub)}");
            output.WriteLine();
            output.WriteLine($"./sdxl {(command is RootCommand ? "" : FullName(command) + " ")}COMMAND --help says more about each.");
        }
        foreach (var argument in command.Arguments)
        {
            output.WriteLine();
            WriteEntry(output, argument.Name.ToUpperInvariant(), argument.Description ?? "");
        }
        foreach (var option in command.Options.Where(option => !option.Hidden && option is not (HelpOption or VersionOption)))
        {
            output.WriteLine();
            WriteEntry(output, Title(option), option.Description ?? "");
        }
    }

    private static string Usage(Command command) => command is RootCommand ? "COMMAND [options]"
        : command.Subcommands.Count > 0 ? $"{FullName(command)} COMMAND [options]"
        : $"{FullName(command)}{Name(command)[command.Name.Length..]} [options]";

    /// <summary>"models pull": as it is typed after ./sdxl.</summary>
    public static string FullName(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent and not RootCommand
            ? $"{FullName(parent)} {command.Name}"
            : command.Name;

    private static string Name(Command command) =>
        string.Join(
            ' ',
            command
                .Arguments.Select(argument =>
                    argument.Arity.MinimumNumberOfValues == 0 ? $"[{argument.Name.ToUpperInvariant()}]" : argument.Name.ToUpperInvariant()
                )
                .Prepend(command.Name)
        );

    private static string Title(Option option)
    {
        var names = string.Join(
            ", ",
            option.Aliases.Prepend(option.Name).OrderBy(name => name.Length).ThenBy(name => name, StringComparer.Ordinal)
        );
        return option.ValueType == typeof(bool) ? names
            : option.Arity.MinimumNumberOfValues == 0 ? $"{names} [{option.HelpName}]"
            : $"{names} {option.HelpName}";
    }

    /// <summary>Up to the first full stop or colon that ends a clause: the line in the list of commands.</summary>
    private static string FirstSentence(Command command)
    {
        var text = (command.Description ?? "").ReplaceLineEndings(" ");
        var end = text.AsSpan().IndexOfAny('.', ':');
        return end < 0 ? text : text[..end];
    }

    private static void WriteEntry(TextWriter output, string title, string description)
    {
        output.WriteLine($"  {title}");
        var line = Indent;
        foreach (var word in description.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length + word.Length + 1 > MaxColumns)
            {
                output.WriteLine(line.TrimEnd());
                line = Indent;
            }
            line += word + " ";
        }
        output.WriteLine(line.TrimEnd());
    }
}
