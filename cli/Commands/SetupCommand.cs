using System.CommandLine;
using Sdxl.Cli.Setup;

namespace Sdxl.Cli.Commands;

/// <summary>sdxl setup: what every command does by itself where it is needed.</summary>
internal static class SetupCommand
{
    public static Command Create()
    {
        var command = new Command(
            "setup",
            "Install and build all that the other commands need. Each does it by itself; this does it now and starts nothing."
        );
        command.SetAction(
            async (_, cancel) =>
            {
                await Installation.EnsureAsync(Installation.Parts.App, Console.Error.WriteLine, cancel);
                Console.Error.WriteLine("ready: ./sdxl demo");
                return CommandRunner.Succeeded;
            }
        );
        return command;
    }
}
