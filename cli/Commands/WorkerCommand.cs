using System.CommandLine;
using System.Diagnostics;
using Sdxl.Cli.Setup;
using Sdxl.Core.Hosting;
using Sdxl.Core.Workers;

namespace Sdxl.Cli.Commands;

/// <summary>sdxl worker: a GPU worker on this machine for a host on another.</summary>
internal static class WorkerCommand
{
    public static Command Create()
    {
        var command = new Command("worker",
            """
            Train and draw on this machine for a host on another one, until Ctrl-C. `./sdxl up --listen ADDRESS` there prints the whole command.
            It takes jobs from the other machine's queues and files from its storage; nothing on this machine is open to others.

            Examples:
              ./sdxl worker --join eyJzdG9yYWdl…
              SDXL_JOIN=eyJzdG9yYWdl… ./sdxl worker
            """
        );
        var join = new Option<string?>("--join")
        {
            HelpName = "WORD",
            Description =
                "The word that `./sdxl up --listen` printed. It holds keys; SDXL_JOIN in the environment keeps it out of the list of "
                    + "processes.",
        };
        command.Options.Add(join);
        command.SetAction(
            (parsed, cancel) => RunAsync(parsed.GetValue(join) ?? Environment.GetEnvironmentVariable(JoinToken.Variable), cancel)
        );
        return command;
    }

    private static async Task<int> RunAsync(string? word, CancellationToken cancel)
    {
        if (string.IsNullOrWhiteSpace(word))
            throw new CliException(
                "The join word is missing: ./sdxl worker --join WORD. `./sdxl up --listen ADDRESS` on the other machine prints it."
            );
        try
        {
            JoinToken.Decode(word);
        }
        catch (FormatException e)
        {
            throw new CliException(e.Message, e);
        }
        await Installation.EnsureAsync(Installation.Parts.App, Console.Error.WriteLine, cancel);
        var command = Tool.Command("dotnet", [Path.Combine(Places.Root, "gpu-worker", "bin", "Release", "net10.0", "Sdxl.GpuWorker.dll")]);
        command.Environment[JoinToken.Variable] = word;
        command.Environment.TryAdd("Sdxl__ModelsFolder", Places.Models);
        command.Environment.TryAdd("Sdxl__ScratchFolder", Path.Combine(Places.Home, "worker"));
        WorkerEnvironment.AddTo(command.Environment);
        using var worker = Process.Start(command)!;
        try
        {
            await worker.WaitForExitAsync(cancel);
            return worker.ExitCode;
        }
        catch (OperationCanceledException)
        {
            // It finishes its step, writes its checkpoint and gives the job back. (Ctrl-C has reached it too: twice does no harm.)
            Signals.AskToEnd(worker);
            await worker.WaitForExitAsync(CancellationToken.None);
            throw;
        }
    }
}
