using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Sdxl.Cli.Api;
using Sdxl.Cli.Hosting;
using Sdxl.Cli.Show;

namespace Sdxl.Cli.Commands;

/// <summary>sdxl status [ID]: the list of trainings, or all about one.</summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        var command = new Command("status",
            """
            Show the GPU workers and the trainings, newest first, or one training with its stage, progress, warnings, result and log.

            Examples:
              ./sdxl status
              ./sdxl status 4qbkf7x2            the first letters of an id are enough
              ./sdxl status 4qbkf7x2 --json
            """);
        var id = new Argument<string?>("id") { Description = "Id of a training, or its first letters.", Arity = ArgumentArity.ZeroOrOne };
        var json = CommonOptions.Json();
        command.Arguments.Add(id);
        command.Options.Add(json);
        command.SetAction((parsed, cancel) => RunAsync(parsed.GetValue(id), parsed.GetValue(json), cancel));
        return command;
    }

    /// <summary>The training that an id, or the beginning of one, means.</summary>
    public static async Task<TrainingView> FindAsync(ApiClient api, string id, CancellationToken cancel)
    {
        if (await api.TrainingAsync(id, cancel) is { } training)
            return training;
        var known = (await api.TrainingsAsync(cancel)).Where(candidate => candidate.Id.StartsWith(id, StringComparison.Ordinal)).ToList();
        return known.Count switch
        {
            1 => await api.TrainingAsync(known[0].Id, cancel) ?? known[0],
            0 => throw new CliException($"There is no training '{id}'. ./sdxl status lists them."),
            _ => throw new CliException(
                $"'{id}' begins {known.Count} ids ({string.Join(", ", known.Take(3).Select(candidate => candidate.Id))}): give more "
                    + "letters."
            ),
        };
    }

    private static async Task<int> RunAsync(string? id, bool json, CancellationToken cancel)
    {
        await using var host = await HostLink.OpenWithoutWorkerAsync(new SilentShow(), cancel);
        if (id is null)
            await ListAsync(host.Api, json, cancel);
        else
            Tell(await FindAsync(host.Api, id, cancel), json);
        return CommandRunner.Succeeded;
    }

    private static async Task ListAsync(ApiClient api, bool json, CancellationToken cancel)
    {
        if (!json)
        {
            foreach (var worker in await api.WorkersAsync(cancel))
                Console.WriteLine($"worker {worker.Name} on {worker.Device}: {worker.Doing}");
        }
        var trainings = await api.TrainingsAsync(cancel);
        foreach (var training in trainings)
            Console.WriteLine(
                json
                    ? training.Json.ToJsonString(Core.Json.SdxlJson.Options)
                    : $"{training.Id}  {Local(training.CreatedAt), -16}  {State(training), -22}  {training.Model}"
            );
        if (trainings.Count == 0 && !json)
            Console.WriteLine("No training yet: ./sdxl demo or ./sdxl train my.zip begins one.");
    }

    /// <summary>All about one training.</summary>
    public static void Tell(TrainingView training, bool json)
    {
        if (json)
        {
            Console.WriteLine(training.Json.ToJsonString(Core.Json.SdxlJson.Options));
            return;
        }
        Console.WriteLine($"training  {training.Id}");
        Console.WriteLine($"model     {training.Model} (base {training.Base})");
        Console.WriteLine($"status    {State(training)}");
        if (training.TotalSteps > 0)
        {
            var speed = training.IsOver ? "" : Shows.Speed(training.Loss, training.StepsPerSecond, training.SecondsLeft);
            Console.WriteLine(
                $"steps     {training.Step} of "
                    + $"{training.TotalSteps}{(speed.Length > 0 ? ", " : "")}{speed}{(training.Device is null ? "" : $" on {training.Device}")}"
            );
        }
        if (training.Error is not null)
            Console.WriteLine($"error     {training.Error}");
        if (training.Version is not null)
            Console.WriteLine($"version   {training.Version}");
        if (training.Recommended is not null)
            Console.WriteLine($"best      {training.Recommended}");
        if (training.Report is not null)
            Console.WriteLine($"report    {training.Report}");
        foreach (var warning in training.Warnings)
            Console.WriteLine($"warning   {warning}");
        if (training.Logs.Length > 0)
            Console.WriteLine($"\n{training.Logs.TrimEnd()}");
    }

    /// <summary>Status, and the stage while it is under way.</summary>
    public static string State(TrainingView training) =>
        training.IsOver || training.Stage is "" ? training.Status : $"{training.Status} ({training.Stage})";

    private static string Local(DateTimeOffset? time) =>
        time?.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) ?? "";
}
