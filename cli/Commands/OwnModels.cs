using System.CommandLine;
using System.Text.Json.Nodes;
using Sdxl.Cli.Api;

namespace Sdxl.Cli.Commands;

/// <summary>sdxl models list, create, versions, download, delete: what trainings publish.</summary>
internal static class OwnModels
{
    public static IEnumerable<Command> Create() => [List(), Make(), Versions(), Download(), Delete()];

    private static Command List()
    {
        var command = new Command("list", "List your models and the base models.");
        var json = CommonOptions.Json();
        command.Options.Add(json);
        command.SetAction((parsed, cancel) => Listing.RunAsync(async api => Listing.Write(
            await api.AllAsync("v1/models", cancel), parsed.GetValue(json), "No model yet: ./sdxl train my.zip makes one.",
            item => $"{item["owner"]}/{item["name"]}", item => Listing.Text(item, "visibility"),
            item => (item["latest_version"] as JsonObject)?["id"]?.ToString() is { } id ? id[..Math.Min(12, id.Length)] : "no version yet",
            item => Listing.Text(item, "description")), cancel));
        return command;
    }

    private static Command Make()
    {
        var command = new Command(
            "create",
            "Make a model without a version, as Replicate's clients do before they train. (./sdxl train makes its own.)"
        );
        var name = new Argument<string>("name") { Description = "Name of the model." };
        var description = new Option<string?>("--description") { Description = "What it is.", HelpName = "TEXT" };
        var json = CommonOptions.Json();
        command.Arguments.Add(name);
        command.Options.Add(description);
        command.Options.Add(json);
        command.SetAction((parsed, cancel) => Listing.RunAsync(
            async api =>
            {
                var model = await api.PostAsync("v1/models", new JsonObject
                {
                    ["name"] = parsed.GetRequiredValue(name),
                    ["visibility"] = "private",
                    ["description"] = parsed.GetValue(description),
                }, cancel);
                if (parsed.GetValue(json))
                    Listing.Write(model);
                else
                    Console.WriteLine($"Model {model["owner"]}/{model["name"]} is there: ./sdxl train my.zip --name {model["name"]}");
            },
            cancel));
        return command;
    }

    private static Command Versions()
    {
        var command = new Command("versions", "List a model's versions, newest first.");
        var (model, json) = (ModelArgument(), CommonOptions.Json());
        command.Arguments.Add(model);
        command.Options.Add(json);
        command.SetAction(
            (parsed, cancel) =>
                Listing.RunAsync(
                    async api =>
                    {
                        var (owner, name, _) = await ReferenceAsync(api, parsed.GetRequiredValue(model), cancel);
                        Listing.Write(
                            await api.AllAsync($"v1/models/{owner}/{name}/versions", cancel),
                            parsed.GetValue(json),
                            $"{owner}/{name} has no version yet.",
                            item => Listing.Text(item, "id"),
                            item => Listing.Time(item, "created_at")
                        );
                    },
                    cancel
                )
        );
        return command;
    }

    private static Command Download()
    {
        var command = new Command("download",
            """
            Download every file of a version: the weights in each program's format, samples, settings.

            Examples:
              ./sdxl models download cat                      its newest version, into output/
              ./sdxl models download me/cat:5f0c… -o weights
            """);
        var model = ModelArgument();
        var (output, json) = (CommonOptions.Output("Where the files go. Unset: output/NAME-VERSION."), CommonOptions.Json());
        command.Arguments.Add(model);
        command.Options.Add(output);
        command.Options.Add(json);
        command.SetAction(
            (parsed, cancel) =>
                Listing.RunAsync(
                    async api =>
                    {
                        var (owner, name, id) = await ReferenceAsync(api, parsed.GetRequiredValue(model), cancel);
                        id ??=
                            (await api.AllAsync($"v1/models/{owner}/{name}/versions", cancel)).FirstOrDefault()?["id"]?.ToString()
                            ?? throw new CliException($"{owner}/{name} has no version yet.");
                        var version = await api.GetAsync($"v1/models/{owner}/{name}/versions/{id}", cancel);
                        var files =
                            version["files"] as JsonObject ?? throw new CliException($"Version {owner}/{name}:{id} lists no files.");
                        var folder =
                            parsed.GetValue(output)
                            ?? Path.Combine(Trainings.WeightsFolder.DefaultParent, $"{name}-{id[..Math.Min(8, id.Length)]}");
                        await Trainings.WeightsFolder.DownloadAsync(
                            api,
                            files.ToDictionary(pair => pair.Key, pair => pair.Value!.ToString()),
                            folder,
                            cancel
                        );
                        if (parsed.GetValue(json))
                            Listing.Write(new JsonObject { ["version"] = $"{owner}/{name}:{id}", ["folder"] = Path.GetFullPath(folder) });
                        else
                            Console.WriteLine($"{owner}/{name}:{id} is in {Places.Readable(folder)}");
                    },
                    cancel
                )
        );
        return command;
    }

    private static Command Delete()
    {
        var command = new Command("delete", "Delete a version, or a model with all its versions, for good.");
        var (model, json) = (ModelArgument(), CommonOptions.Json());
        command.Arguments.Add(model);
        command.Options.Add(json);
        command.SetAction((parsed, cancel) => Listing.RunAsync(
            async api =>
            {
                var (owner, name, id) = await ReferenceAsync(api, parsed.GetRequiredValue(model), cancel);
                await api.DeleteAsync($"v1/models/{owner}/{name}" + (id is null ? "" : $"/versions/{id}"), cancel);
                if (!parsed.GetValue(json))
                    Console.WriteLine($"{owner}/{name}{(id is null ? "" : $":{id}")} is deleted.");
            },
            cancel));
        return command;
    }

    private static Argument<string> ModelArgument() =>
        new("model") { Description = "name or owner/name, with :VERSION where one version is meant (its first letters are enough)." };

    private static async Task<(string Owner, string Name, string? Version)> ReferenceAsync(
        ApiClient api,
        string text,
        CancellationToken cancel
    )
    {
        var parts = text.Split(':', 2);
        var owner = parts[0].Contains('/')
            ? parts[0][..parts[0].IndexOf('/')]
            : (await api.GetAsync("v1/account", cancel))["username"]!.ToString();
        var name = parts[0][(parts[0].IndexOf('/') + 1)..];
        if (parts.Length == 1)
            return (owner, name, null);
        var begun = (await api.AllAsync($"v1/models/{owner}/{name}/versions", cancel))
            .Select(item => Listing.Text(item, "id"))
            .Where(id => id.StartsWith(parts[1], StringComparison.Ordinal))
            .ToList();
        return begun.Count == 1
            ? (owner, name, begun[0])
            : throw new CliException(
                $"{begun.Count} versions of {owner}/{name} begin with '{parts[1]}'. ./sdxl models versions {owner}/{name} lists them."
            );
    }
}
