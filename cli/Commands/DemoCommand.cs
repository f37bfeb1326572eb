using System.CommandLine;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Sdxl.Cli.Hosting;
using Sdxl.Cli.Models;
using Sdxl.Cli.Predictions;
using Sdxl.Cli.Sheets;
using Sdxl.Cli.Show;
using Sdxl.Cli.Trainings;
using Sdxl.Core.Bases;
using Sdxl.Core.Identity;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Pictures;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Cli.Commands;

/// <summary>sdxl demo: the whole way once, from the zip in the uploads container to weights and a picture sheet.</summary>
internal static class DemoCommand
{
    private const long SheetSeed = 11;

    /// <summary>Pictures of each prompt, before and after; drawn with the same seeds.</summary>
    private const int PicturesEach = 2;

    public static Command Create()
    {
        var command = new Command("demo",
            """
            The whole way once: starts the app, puts examples/gizmo.zip into the container 'uploads' of its blob storage, follows the training that this
            begins, and draws a sheet of pictures: before the training on the left, after it on the right, same prompts, same seeds.

            Examples:
              ./sdxl demo
              ./sdxl demo --archive my.zip --token-string TOK
              ./sdxl demo --json | tail -n 1
            """);
        var archive = new Option<string?>("--archive")
        {
            Description = "Another archive of pictures. Unset: examples/gizmo.zip.",
            HelpName = "PATH",
        };
        var baseModel = CommonOptions.Base();
        var output = CommonOptions.Output("Where weights and sheet go. Unset: output/NAME-VERSION.");
        var json = CommonOptions.Json();
        command.Options.Add(archive);
        command.Options.Add(baseModel);
        command.Options.Add(output);
        command.Options.Add(json);
        var inputs = new InputOptions(command, TrainingInputs.Fields);
        command.SetAction((parsed, cancel) =>
            RunAsync(
                parsed.GetValue(archive) ?? Path.Combine(Places.Root, "examples", "gizmo.zip"),
                parsed.GetValue(baseModel) ?? CommonOptions.StandardBase,
                inputs.Read(parsed), parsed.GetValue(output), parsed.GetValue(json), cancel));
        return command;
    }

    private static Task<int> RunAsync(string archive, string baseModel, JsonObject given, string? output, bool json,
        CancellationToken cancel)
    {
        var watch = Stopwatch.StartNew();
        ArchiveProblems.Refuse(archive, given, baseModel);
        BaseFiles.Require(baseModel, BaseParts.Nets | BaseParts.SafetyChecker);
        return Shows.RunAsync(json, async show =>
        {
            await using var host = await HostLink.OpenAsync(show, baseModel, cancel, isHere: true);
            show.Stage("upload", $"{Path.GetFileName(archive)} into the container '{StorageLayout.Uploads}'");
            var id = await UploadAsync(host.File.StorageConnectionString, archive, baseModel, given, cancel);
            show.Note($"training {id}");
            var training = await new TrainingFollower(host.Api, show).FollowAsync(id, cancel);
            var (folder, weights) = await WeightsFolder.DownloadAsync(host.Api, training, output, cancel);
            var trigger = training.Trigger ?? "TOK";
            var sheet = Path.Combine(folder, "sheet.png");
            await DrawSheetAsync(host, show, training.Version!, baseModel, trigger, sheet, cancel);
            show.Result(
                new JsonObject
                {
                    ["weights"] = Path.GetFullPath(weights),
                    ["sheet"] = Path.GetFullPath(sheet),
                    ["seconds"] = Math.Round(watch.Elapsed.TotalSeconds, 1),
                },
                $"Done in {Shows.Duration(watch.Elapsed.TotalSeconds)}. {trigger} is now the subject of {Path.GetFileName(archive)}:",
                $"weights  {Places.Readable(weights)}",
                $"sheet    {Places.Readable(sheet)}   (left before the training, right after it)",
                $"draw     ./sdxl draw \"a photo of {trigger} on the beach\"");
            return CommandRunner.Succeeded;
        });
    }

    /// <summary>
    /// The ordinary blob client, as anybody would use it; inputs go into the blob's metadata. A name of its own each time: the same content
    /// under the same name is the training that there was.
    /// </summary>
    /// <returns>The id of the training that the upload begins.</returns>
    private static async Task<string> UploadAsync(
        string storage, string archive, string baseModel, JsonObject given, CancellationToken cancel)
    {
        var blob = new BlobServiceClient(storage)
            .GetBlobContainerClient(StorageLayout.Uploads)
            .GetBlobClient($"{Path.GetFileNameWithoutExtension(archive)}-{Guid.NewGuid().ToString("N")[..8]}{Path.GetExtension(archive)}");
        var metadata = given.ToDictionary(pair => pair.Key, pair => pair.Value!.ToString());
        metadata["base"] = baseModel;
        metadata["name"] = Path.GetFileNameWithoutExtension(archive);
        await blob.UploadAsync(archive, new BlobUploadOptions { Metadata = metadata }, cancel);
        // The upload trigger makes the id of path and content, so it is known before the training has begun.
        await using var content = File.OpenRead(archive);
        return JobId.OfUpload(blob.Uri, Convert.ToBase64String(await MD5.HashDataAsync(content, cancel)));
    }

    private static async Task DrawSheetAsync(
        HostLink host, IShow show, string version, string baseModel, string trigger, string path, CancellationToken cancel)
    {
        string[] prompts =
        [
            $"a photo of {trigger} on the grass", $"a photo of {trigger} in the snow",
            $"a photo of {trigger} wearing a hat at night", $"a drawing of {trigger} in the water",
        ];
        show.Stage("draw", "the sheet, before and after");
        var requests = prompts
            .SelectMany(prompt => new[]
            {
                (Version: (string?)null, Base: (string?)baseModel, Input(prompt)),
                (Version: version, Base: null, Input(prompt)),
            })
            .ToList();
        var drawn = await new Drawing(host.Api).DrawAsync(requests, done => show.Parts(done, requests.Count), _ => { }, cancel);
        var loader = new PictureLoader(new PictureLimits());
        var pictures = new List<List<Image<Rgb24>>>();
        foreach (var prediction in drawn)
        {
            var row = new List<Image<Rgb24>>();
            foreach (var link in prediction.Output)
                row.Add(loader.Load(await host.Api.DownloadAsync(link, cancel), link, cancel: cancel).Pixels.ToRgb());
            pictures.Add(row);
        }
        PictureSheet.Save(path, [.. prompts.Select((prompt, row) => new SheetRow(prompt, pictures[2 * row], pictures[2 * row + 1]))]);
        pictures.SelectMany(row => row).ToList().ForEach(picture => picture.Dispose());

        static JsonObject Input(string prompt) => new() { ["prompt"] = prompt, ["seed"] = SheetSeed, ["num_outputs"] = PicturesEach };
    }
}
