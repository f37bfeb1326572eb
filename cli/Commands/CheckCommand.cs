using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Sdxl.Cli.Hosting;
using Sdxl.Cli.Show;
using Sdxl.Cli.Trainings;
using Sdxl.Core.Trainings;

namespace Sdxl.Cli.Commands;

/// <summary>sdxl check ARCHIVE: what a training would make of the pictures, as a page, without training.</summary>
internal static class CheckCommand
{
    public static Command Create()
    {
        var command = new Command("check",
            """
            Look at an archive as a training would, without training: which pictures are used, how they are cropped and masked, what their captions are,
            what is skipped and why. Leaves report.html, a page that needs nothing else.

            Examples:
              ./sdxl check my.zip
              ./sdxl check my.zip --mask-target-prompts "object" --resolution 1024
              ./sdxl check faces.zip --use-face-detection-instead --output faces-report
            """);
        var archive = new Argument<string>("archive") { Description = "Path of the archive." };
        var baseModel = CommonOptions.Base();
        var output = CommonOptions.Output("Folder for report.html. Unset: output/check-ARCHIVE, such as output/check-my.zip.");
        var json = CommonOptions.Json();
        command.Arguments.Add(archive);
        command.Options.Add(baseModel);
        command.Options.Add(output);
        command.Options.Add(json);
        var inputs = new InputOptions(command, TrainingInputs.Fields);
        command.SetAction((parsed, cancel) =>
            RunAsync(parsed.GetRequiredValue(archive), parsed.GetValue(baseModel), inputs.Read(parsed), parsed.GetValue(output),
                parsed.GetValue(json), cancel));
        return command;
    }

    private static Task<int> RunAsync(string archive, string? baseModel, JsonObject given, string? output, bool json,
        CancellationToken cancel)
    {
        var watch = Stopwatch.StartNew();
        ArchiveProblems.Refuse(archive, given, baseModel);
        var fields = given.ToDictionary(pair => pair.Key, pair => pair.Value!.ToString());
        if (baseModel is not null)
            fields["base"] = baseModel;
        return Shows.RunAsync(json, async show =>
        {
            await using var host = await HostLink.OpenAsync(show, baseModel, cancel);
            show.Stage("upload", Path.GetFileName(archive));
            var started = await host.Api.CreateCheckAsync(archive, fields, cancel);
            var check = await new TrainingFollower(host.Api, show).FollowAsync(started.Id, cancel);
            var folder = output ?? Path.Combine("output", $"check-{Path.GetFileName(archive)}");
            Directory.CreateDirectory(folder);
            var report = await TrainCommand.SaveReportAsync(host, check.Report, folder, "report.html", cancel)
                ?? throw new CliException($"The check {check.Id} ended without a report; its log: {check.Logs}");
            show.Result(
                new JsonObject { ["report"] = Path.GetFullPath(report), ["seconds"] = Math.Round(watch.Elapsed.TotalSeconds, 1) },
                $"Checked in {Shows.Duration(watch.Elapsed.TotalSeconds)}.",
                $"report   {Places.Readable(report)}   (open it in a browser)");
            return CommandRunner.Succeeded;
        });
    }
}
