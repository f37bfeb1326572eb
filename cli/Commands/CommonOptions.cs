using System.CommandLine;

namespace Sdxl.Cli.Commands;

/// <summary>Options that several commands have.</summary>
internal static class CommonOptions
{
    public static Option<bool> Json() => new("--json")
    {
        Description = "One JSON object a line on stdout, the result last.",
    };

    /// <summary>Of every command; the environment variable is its longer-lived form.</summary>
    public static Option<string?> Url { get; } = new("--url")
    {
        Description = "Speak to the service there, not to this machine's own host; also SDXL_URL, with SDXL_API_TOKEN, or ./sdxl login.",
        HelpName = "URL",
        Recursive = true,
    };

    /// <summary>Small enough for a laptop, and in the repository.</summary>
    public const string StandardBase = "toy";

    public static Option<string?> Base() =>
        new("--base")
        {
            Description =
                "Base model: the name of a manifest in models/. Unset: what the running host was started with (./sdxl up --base sdxl), "
                    + "else toy.",
            HelpName = "NAME",
        };

    public static Option<string?> Output(string what) => new("--output", "-o")
    {
        Description = what,
        HelpName = "FOLDER",
    };
}
