using System.CommandLine;
using Sdxl.Cli.Api;
using Sdxl.Cli.Trainings;

namespace Sdxl.Cli.Commands;

/// <summary>sdxl trainings: list, show, logs, sample, stop, cancel, delete.</summary>
internal static class TrainingsCommand
{
    private static readonly TimeSpan s_poll = TimeSpan.FromSeconds(1);

    public static Command Create() =>
        new(
            "trainings",
            """
            Look after trainings. The first letters of an id are enough.

            Examples:
              ./sdxl trainings list
              ./sdxl trainings logs 4qbkf7x2 -f
              ./sdxl trainings stop 4qbkf7x2          ends it at the next step and publishes what is trained
            """
        )
        {
            List(),
            OnOne(
                "show",
                "Show one training: stage, progress, warnings, result and log.",
                (api, training, json, _) =>
                {
                    StatusCommand.Tell(training, json);
                    return Task.CompletedTask;
                }
            ),
            Logs(),
            OnOne(
                "sample",
                "Draw a training's sample prompts at its next step. It goes on afterwards, and its version stays the same.",
                async (api, training, json, cancel) =>
                {
                    var after = new TrainingView(await api.PostAsync($"v1/trainings/{training.Id}/sample", null, cancel));
                    Say(after, json, $"Training {after.Id} draws its sample prompts at its next step; its page and its log show them.");
                }
            ),
            OnOne(
                "stop",
                "Stop a training at its next step and keep what is trained: it is published as a version.",
                async (api, training, json, cancel) =>
                {
                    var after = new TrainingView(await api.PostAsync($"v1/trainings/{training.Id}/stop", null, cancel));
                    Say(
                        after,
                        json,
                        after.IsOver
                            ? $"Training {after.Id} is over already: {after.Status}."
                            : $"Training {after.Id} stops at its next step; ./sdxl trainings logs {after.Id[..8]} -f follows it to its "
                                + "version."
                    );
                }
            ),
            CancelCommand.Create(),
            OnOne(
                "delete",
                "Delete a training that is over: its record, data set, log and run files. Its version stays.",
                async (api, training, json, cancel) =>
                {
                    await api.DeleteAsync($"v1/trainings/{training.Id}", cancel);
                    if (!json)
                        Console.WriteLine($"Training {training.Id} is deleted.");
                }
            ),
        };

    private static Command List()
    {
        var command = new Command("list", "List trainings, newest first.");
        var json = CommonOptions.Json();
        command.Options.Add(json);
        command.SetAction(
            (parsed, cancel) =>
                Listing.RunAsync(
                    async api =>
                        Listing.Write(
                            await api.AllAsync("v1/trainings", cancel),
                            parsed.GetValue(json),
                            "No training yet: ./sdxl train my.zip begins one.",
                            item => Listing.Text(item, "id"),
                            item => Listing.Time(item, "created_at"),
                            item => StatusCommand.State(new TrainingView(item)),
                            item => new TrainingView(item).Model
                        ),
                    cancel
                )
        );
        return command;
    }

    private static Command Logs()
    {
        var command = new Command("logs", "Print a training's log; with -f until it is over.");
        var (id, json) = (IdArgument(), CommonOptions.Json());
        var follow = new Option<bool>("--follow", "-f")
        {
            Description = "Go on until the training is over; Ctrl-C ends this command alone.",
        };
        command.Arguments.Add(id);
        command.Options.Add(follow);
        command.Options.Add(json);
        command.SetAction(
            (parsed, cancel) =>
                Listing.RunAsync(
                    async api =>
                    {
                        var training = await StatusCommand.FindAsync(api, parsed.GetRequiredValue(id), cancel);
                        var told = 0;
                        while (true)
                        {
                            // The log only grows; a line is told when it is whole.
                            var end = training.IsOver ? training.Logs.Length : training.Logs.LastIndexOf('\n') + 1;
                            if (end > told)
                                Console.Write(training.Logs[told..end]);
                            told = Math.Max(told, end);
                            if (training.IsOver || !parsed.GetValue(follow))
                                break;
                            await Task.Delay(s_poll, cancel);
                            training =
                                await api.TrainingAsync(training.Id, cancel) ?? throw new CliException($"Training {training.Id} is gone.");
                        }
                        if (parsed.GetValue(json))
                            Listing.Write(training.Json);
                        if (parsed.GetValue(follow) && training.Error is { } error)
                            throw new CliException(error);
                    },
                    cancel
                )
        );
        return command;
    }

    private static Command OnOne(string name, string description, Func<ApiClient, TrainingView, bool, CancellationToken, Task> action)
    {
        var command = new Command(name, description);
        var (id, json) = (IdArgument(), CommonOptions.Json());
        command.Arguments.Add(id);
        command.Options.Add(json);
        command.SetAction(
            (parsed, cancel) =>
                Listing.RunAsync(
                    async api =>
                        await action(
                            api,
                            await StatusCommand.FindAsync(api, parsed.GetRequiredValue(id), cancel),
                            parsed.GetValue(json),
                            cancel
                        ),
                    cancel
                )
        );
        return command;
    }

    private static Argument<string> IdArgument() => new("id") { Description = "Id of the training, or its first letters." };

    private static void Say(TrainingView training, bool json, string sentence)
    {
        if (json)
            Listing.Write(training.Json);
        else
            Console.WriteLine(sentence);
    }
}
