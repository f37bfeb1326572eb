using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Sdxl.Cli.Hosting;
using Sdxl.Cli.Models;
using Sdxl.Cli.Show;
using Sdxl.Cli.Trainings;
using Sdxl.Core.Bases;
using Sdxl.Core.Identity;
using Sdxl.Core.Trainings;

namespace Sdxl.Cli.Commands;

/// <summary>sdxl train ARCHIVE: trains on an archive of pictures and brings the weights.</summary>
internal static class TrainCommand
{
    /// <summary>The version's own page: loss, samples, data set, settings. The other tells what became of each picture of the
    /// archive.</summary>
    private const string TrainingReport = "report.html", DatasetReport = "dataset-report.html";

    public static Command Create()
    {
        var command = new Command("train",
            """
            Train on your own pictures: a zip, tar or tar.gz of 5 to 20 of them (JPEG, PNG, WebP, GIF, BMP or TIFF, any size and folder layout).

            Captions are written automatically; your own go into a caption.csv with the columns caption,image_file, or into NAME.txt beside NAME.jpg.
            A mask NAME_mask.png beside NAME.jpg says what matters in it. A training.json in the archive may hold any of the inputs below.
            The base model's manifest (models/NAME.json) has defaults of its own, which come before those below.

            Examples:
              ./sdxl train my.zip
              ./sdxl train my.zip --name cat --token-string CATX --max-train-steps 400
              ./sdxl train faces.zip --use-face-detection-instead --json
              ./sdxl train --from me/my --max-train-steps 400          400 steps more on the same pictures
              ./sdxl train more.zip --from me/my                       further on other pictures

            A training that goes on from a version begins with its weights and with a fresh optimizer and warm-up; trigger word, rank and kind are the
            version's.

            Ctrl-C cancels the training where this command started the host; where a host runs already (./sdxl up, or a service elsewhere)
            the training goes on there, and what follows it is said.
            """);
        var archive = new Argument<string?>("archive")
        {
            Description = "Path of the archive. May be left out with --from: then the version's own pictures are trained on.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var from = new Option<string?>("--from")
        {
            Description = "Go on from a trained version: owner/name, owner/name:ID or ID. Unset: begin with the base model.",
            HelpName = "VERSION",
        };
        var name = new Option<string?>("--name", "-n")
        {
            Description = "Name of the trained model: name or owner/name. Unset: that of --from's model, else the archive's.",
            HelpName = "NAME",
        };
        var baseModel = CommonOptions.Base();
        var output = CommonOptions.Output("Where the weights go. Unset: output/NAME-VERSION.");
        var json = CommonOptions.Json();
        command.Arguments.Add(archive);
        command.Options.Add(from);
        command.Options.Add(name);
        command.Options.Add(baseModel);
        command.Options.Add(output);
        command.Options.Add(json);
        var inputs = new InputOptions(command, TrainingInputs.Fields);
        command.SetAction(
            (parsed, cancel) =>
                RunAsync(
                    parsed.GetValue(archive),
                    parsed.GetValue(from),
                    parsed.GetValue(name),
                    parsed.GetValue(baseModel),
                    inputs.Read(parsed),
                    parsed.GetValue(output),
                    parsed.GetValue(json),
                    cancel
                )
        );
        return command;
    }

    private static Task<int> RunAsync(string? archive, string? from, string? name, string? baseModel, JsonObject given, string? output,
        bool json, CancellationToken cancel)
    {
        var watch = Stopwatch.StartNew();
        if (archive is not null)
            ArchiveProblems.Refuse(archive, given, baseModel);
        else if (from is null)
            throw new CliException(
                "The archive is missing: give the path of a zip, tar or tar.gz of pictures, or --from VERSION to train a version further on "
                    + "its own."
            );
        if (baseModel is not null && Remote.Current() is null)
            BaseFiles.Require(baseModel, BaseParts.Nets);
        var fields = new Dictionary<string, string>();
        if (baseModel is not null)
            fields["base"] = baseModel;
        if (from is not null)
            fields["from"] = from;
        if (name is not null)
        {
            var model = ModelName.TryParse(name, "me", out var problem) ?? throw new CliException(problem!);
            fields["name"] = model.Name;
            if (name.Contains('/'))
                fields["owner"] = model.Owner;
        }
        return Shows.RunAsync(json, async show =>
        {
            await using var host = await HostLink.OpenAsync(show, baseModel, cancel);
            if (archive is not null)
                show.Stage("upload", Path.GetFileName(archive));
            var started = await host.Api.CreateTrainingAsync(archive, fields, given, cancel);
            show.Note($"training {started.Id}");
            var training = await new TrainingFollower(host.Api, show, goesOn: !host.IsOurs).FollowAsync(started.Id, cancel);
            var (folder, weights) = await WeightsFolder.DownloadAsync(host.Api, training, output, cancel);
            var dataset = await SaveReportAsync(host, training.Report, folder, DatasetReport, cancel);
            var report = Path.Combine(folder, TrainingReport) is var own && File.Exists(own) ? own : dataset;
            show.Result(
                new JsonObject
                {
                    ["weights"] = Path.GetFullPath(weights),
                    ["folder"] = Path.GetFullPath(folder),
                    ["version"] = training.Version,
                    ["training"] = training.Id,
                    ["recommended"] = training.Recommended,
                    ["report"] = report is null ? null : Path.GetFullPath(report),
                    ["dataset_report"] = dataset is null ? null : Path.GetFullPath(dataset),
                    ["seconds"] = Math.Round(watch.Elapsed.TotalSeconds, 1),
                },
                [
                    $"Trained in {Shows.Duration(watch.Elapsed.TotalSeconds)}: {training.Version}",
                    $"weights  {Places.Readable(weights)}",
                    .. training.Recommended is null ? Array.Empty<string>() : [$"best     {training.Recommended}"],
                    .. report is null ? Array.Empty<string>() : [$"report   {Places.Readable(report)}"],
                    $"draw     ./sdxl draw \"a photo of {training.Trigger ?? "TOK"} on the beach\"",
                ]);
            return CommandRunner.Succeeded;
        });
    }

    /// <summary>The data set's report page, kept in a folder.</summary>
    internal static async Task<string?> SaveReportAsync(HostLink host, string? link, string folder, string name, CancellationToken cancel)
    {
        if (link is null)
            return null;
        var path = Path.Combine(folder, name);
        await File.WriteAllBytesAsync(path, await host.Api.DownloadAsync(link, cancel), cancel);
        return path;
    }
}
