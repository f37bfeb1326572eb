using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Sdxl.Cli.Hosting;
using Sdxl.Cli.Predictions;
using Sdxl.Cli.Show;
using Sdxl.Cli.Trainings;
using Sdxl.Core.Predictions;

namespace Sdxl.Cli.Commands;

/// <summary>sdxl draw PROMPT: draws with a trained version.</summary>
internal static class DrawCommand
{
    public static Command Create()
    {
        var command = new Command("draw",
            """
            Draw pictures of a prompt with a trained version (the newest unless --version says otherwise), with weights
            of your own (--replicate-weights), or with the base model alone (--version none).
            Picture k is drawn with seed + k and can be drawn alone again with that seed.

            Examples:
              ./sdxl draw "a photo of TOK on the beach"
              ./sdxl draw "a drawing of TOK in the snow" --outputs 4 --seed 7
              ./sdxl draw "a photo of a cat" --version none
              ./sdxl draw "a photo of TOK at night" --version me/cat --lora-scale 0.8 -o night
              ./sdxl draw "a photo of TOK" --replicate-weights output/cat/trained_model.tar
              ./sdxl draw "a photo of TOK in winter" --image summer.jpg --prompt-strength 0.6
            """);
        var prompt = new Argument<string>("prompt") { Description = "What to draw. The trigger word (TOK) names the trained subject." };
        var version = new Option<string?>("--version")
        {
            Description = "owner/name:id, owner/name, name or id, of which the first 8 characters are enough; none: the base model alone. "
                + "Unset: the newest training, or --replicate-weights.",
            HelpName = "VERSION",
        };
        var baseModel = CommonOptions.Base();
        var output = CommonOptions.Output("Where the pictures go. Unset: output.");
        var json = CommonOptions.Json();
        command.Arguments.Add(prompt);
        command.Options.Add(version);
        command.Options.Add(baseModel);
        command.Options.Add(output);
        command.Options.Add(json);
        var inputs = new InputOptions(command, PredictionInputs.Fields, new Dictionary<string, string> { ["num_outputs"] = "--outputs" },
            "prompt");
        command.SetAction((parsed, cancel) =>
            RunAsync(parsed.GetRequiredValue(prompt), parsed.GetValue(version), parsed.GetValue(baseModel), inputs.Read(parsed),
                parsed.GetValue(output), parsed.GetValue(json), cancel));
        return command;
    }

    private static Task<int> RunAsync(string prompt, string? version, string? baseModel, JsonObject input, string? output, bool json,
        CancellationToken cancel)
    {
        var watch = Stopwatch.StartNew();
        input["prompt"] = prompt;
        DrawProblems.Refuse(input, version, baseModel);
        return Shows.RunAsync(json, async show =>
        {
            await using var host = await HostLink.OpenAsync(show, baseModel, cancel);
            var weights = input["replicate_weights"]?.ToString();
            var reference = version == DrawProblems.NoVersion
                ? null
                : version ?? (weights is null ? await NewestAsync(host, cancel) : null);
            var drawer = baseModel ?? "the base model";
            show.Stage("draw", $"{prompt} ({reference ?? (weights is null ? drawer : $"{drawer} with {WeightsName(weights)}")})");
            var prediction = (await new Drawing(host.Api).DrawAsync(
                [(reference, baseModel, input)], _ => { },
                at => show.Steps(at.Step, at.TotalSteps, null, at.StepsPerSecond, at.SecondsLeft), cancel))[0];
            var paths = await SaveAsync(host, prediction.Id, prediction.Output, output ?? WeightsFolder.DefaultParent, cancel);
            foreach (var warning in prediction.Warnings)
                show.Warning(warning);
            show.Result(
                new JsonObject
                {
                    ["pictures"] = new JsonArray([.. paths.Select(path => (JsonNode)Path.GetFullPath(path))]),
                    ["seeds"] = new JsonArray([.. prediction.Seeds.Select(seed => (JsonNode)seed)]),
                    ["version"] = reference,
                    ["prediction"] = prediction.Id,
                    ["seconds"] = Math.Round(watch.Elapsed.TotalSeconds, 1),
                },
                [.. paths.Select((path, i) => i < prediction.Seeds.Count
                    ? $"{Places.Readable(path)}  (seed {prediction.Seeds[i]})" : Places.Readable(path))]);
            return CommandRunner.Succeeded;
        });
    }

    /// <summary>The last part of a path or address, without a query, which may hold an access signature.</summary>
    private static string WeightsName(string link) =>
        link.StartsWith("data:", StringComparison.OrdinalIgnoreCase)
            ? "the weights given" : Path.GetFileName(link.Split('?')[0].TrimEnd('/'));

    private static async Task<string> NewestAsync(HostLink host, CancellationToken cancel) =>
        (await host.Api.TrainingsAsync(cancel)).FirstOrDefault(training => training.Version is not null)?.Version
        ?? throw new CliException("Nothing is trained yet. Run ./sdxl demo or ./sdxl train my.zip first, or draw with the base model "
            + "alone: --version none.");

    private static async Task<IReadOnlyList<string>> SaveAsync(
        HostLink host, string id, IReadOnlyList<string> links, string folder, CancellationToken cancel)
    {
        Directory.CreateDirectory(folder);
        var paths = new List<string>();
        foreach (var (index, link) in links.Index())
        {
            var path = Path.Combine(folder, links.Count == 1 ? $"{id[..8]}.png" : $"{id[..8]}-{index}.png");
            await File.WriteAllBytesAsync(path, await host.Api.DownloadAsync(link, cancel), cancel);
            paths.Add(path);
        }
        return paths;
    }
}
