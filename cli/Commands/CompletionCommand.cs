using System.CommandLine;

namespace Sdxl.Cli.Commands;

/// <summary>sdxl completion SHELL: a script that completes commands, options and their values on Tab.</summary>
internal static class CompletionCommand
{
    // The program itself knows what may follow: System.CommandLine answers "[suggest:POSITION]" "LINE" with one word a line.
    private const string Bash = """
        _sdxl() {
          local line="${COMP_LINE#"${COMP_WORDS[0]}"}"
          local at=$((COMP_POINT - ${#COMP_WORDS[0]}))
          COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "[suggest:$((at - 1))]" "${line# }" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _sdxl sdxl ./sdxl
        """;

    private const string Zsh = """
        #compdef sdxl
        _sdxl() {
          local -a words_of_it
          local line="${BUFFER#"$words[1]"}"
          words_of_it=("${(@f)$("$words[1]" "[suggest:$((CURSOR - ${#words[1]} - 1))]" "${line# }" 2>/dev/null)}")
          compadd -a words_of_it || _files
        }
        compdef _sdxl sdxl ./sdxl
        """;

    private const string Fish = """
        function __sdxl_complete
            set -l tokens (commandline -cp | string split -m 1 ' ')
            $tokens[1] "[suggest:"(string length -- "$tokens[2]")"]" "$tokens[2]" 2>/dev/null
        end
        complete -c sdxl -a '(__sdxl_complete)'
        """;

    public static Command Create()
    {
        var command = new Command("completion",
            """
            Print a script that lets your shell complete commands and options on Tab.

            Examples:
              source <(./sdxl completion bash)             for this shell; put the line into ~/.bashrc for all
              ./sdxl completion zsh > ~/.zfunc/_sdxl
              ./sdxl completion fish > ~/.config/fish/completions/sdxl.fish
            """);
        var shell = new Argument<string>("shell") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        command.Arguments.Add(shell);
        command.SetAction(parsed =>
        {
            Console.WriteLine(parsed.GetRequiredValue(shell) switch { "zsh" => Zsh, "fish" => Fish, _ => Bash });
            return CommandRunner.Succeeded;
        });
        return command;
    }
}
