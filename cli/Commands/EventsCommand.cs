using System.CommandLine;

namespace Sdxl.Cli.Commands;

/// <summary>sdxl events ID -f: a training's events as they come.</summary>
internal static class EventsCommand
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    public static Command Create()
    {
        var command = new Command(
            "events",
            """
            Print a training's events, one JSON object a line: first those that were, then, with -f, those that come until it is over.

            Example:
              ./sdxl events 4qbkf7x2 -f
            """
        );
        var id = new Argument<string>("id") { Description = "Id of the training, or its first letters." };
        var follow = new Option<bool>("--follow", "-f")
        {
            Description = "Go on until the training is over; Ctrl-C ends this command alone.",
        };
        command.Arguments.Add(id);
        command.Options.Add(follow);
        command.SetAction(
            (parsed, cancel) =>
                Listing.RunAsync(
                    async api =>
                    {
                        var training = await StatusCommand.FindAsync(api, parsed.GetRequiredValue(id), cancel);
                        string? last = null;
                        while (true)
                        {
                            // The service ends a stream now and then; the next begins after the last event that came.
                            var isOver = false;
                            await foreach (
                                var told in api.EventsAsync(
                                    $"v1/trainings/{training.Id}/events",
                                    last,
                                    untilQuiet: !parsed.GetValue(follow),
                                    cancel
                                )
                            )
                            {
                                if (told.EventId is { Length: > 0 } number)
                                    last = number;
                                if (told.EventType == "done")
                                    isOver = true;
                                else if (told.Data.Length > 0)
                                    Console.WriteLine(told.Data.ReplaceLineEndings(" "));
                            }
                            if (isOver || !parsed.GetValue(follow))
                                return;
                            await Task.Delay(s_pause, cancel);
                            if ((await api.TrainingAsync(training.Id, cancel))?.IsOver != false)
                                return;
                        }
                    },
                    cancel
                )
        );
        return command;
    }
}
