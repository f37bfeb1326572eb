using System.CommandLine;
using System.Text.Json.Nodes;
using Sdxl.Cli.Hosting;
using Sdxl.Cli.Show;
using Sdxl.Cli.Trainings;

namespace Sdxl.Cli.Commands;

/// <summary>sdxl cancel ID: stops a training.</summary>
internal static class CancelCommand
{
    public static Command Create()
    {
        var command = new Command("cancel",
            """
            Stop a training and wait until it has stopped. Nothing of it is published.

            Example:
              ./sdxl cancel 4qbkf7x2            the first letters of an id are enough
            """);
        var id = new Argument<string>("id") { Description = "Id of the training, or its first letters." };
        var json = CommonOptions.Json();
        command.Arguments.Add(id);
        command.Options.Add(json);
        command.SetAction((parsed, cancel) => RunAsync(parsed.GetRequiredValue(id), parsed.GetValue(json), cancel));
        return command;
    }

    private static async Task<int> RunAsync(string id, bool json, CancellationToken cancel)
    {
        IShow show = json ? new JsonShow(Console.Out) : new PlainShow(Console.Out);
        await using var host = await HostLink.OpenWithoutWorkerAsync(show, cancel);
        var training = await StatusCommand.FindAsync(host.Api, id, cancel);
        if (training.IsOver)
            throw new CliException($"Training {training.Id} is over already: {training.Status}.");
        await new TrainingFollower(host.Api, show).CancelAsync(training.Id);
        var after = await StatusCommand.FindAsync(host.Api, training.Id, cancel);
        if (!after.IsOver)
            throw new CliException($"Training {training.Id} was asked to stop but is still {after.Status} ({after.Stage}).");
        show.Result(new JsonObject { ["training"] = after.Id, ["status"] = after.Status }, [$"Training {after.Id} is {after.Status}."]);
        return CommandRunner.Succeeded;
    }
}
