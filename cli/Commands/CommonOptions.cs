using System.CommandLine;

namespace Sdxl.Cli.Commands;

/// <summary>Options that several commands have.</summary>
internal static class CommonOptions
{
    public static Option<bool> Json() => new("--json")
    {
        Description = "One JSON object a line on stdout, the result last.",
    };

    public static Option<string> Base() => new("--base")
    {
        Description = "Base model: the name of a manifest in models/ (toy, the default, lies in the repository).",
        HelpName = "NAME",
        DefaultValueFactory = _ => "toy",
    };

    public static Option<string?> Output(string what) => new("--output", "-o")
    {
        Description = what,
        HelpName = "FOLDER",
    };
}
