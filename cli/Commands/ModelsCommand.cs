using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Sdxl.Cli.Models;
using Sdxl.Cli.Show;
using Sdxl.Core.Bases;

namespace Sdxl.Cli.Commands;

/// <summary>sdxl models pull: brings the files of base models that do not lie in the repository.</summary>
internal static class ModelsCommand
{
    private const long Mebi = 1 << 20;

    public static Command Create()
    {
        var models = new Command("models",
            """
            Look after the files of base models.

            Example:
              ./sdxl models pull
            """);
        models.Subcommands.Add(CreatePull());
        return models;
    }

    private static Command CreatePull()
    {
        var command = new Command("pull",
            """
            Download the files that a base model's manifest (models/NAME.json) names: pinned revisions, resumed where a download broke off, each
            verified by its hash. Says beforehand what it needs on disk and under which licences the files stand. What is there already is left alone.

            Examples:
              ./sdxl models pull                        everything of the real SDXL
              ./sdxl models pull --only vae --only blip
              ./sdxl models pull --dry-run              says what it would do

            HF_ENDPOINT names a mirror of huggingface.co; HF_TOKEN opens repositories whose licence must be accepted first.
            """);
        var baseModel = new Option<string>("--base") { Description = "Base model: the name of a manifest in models/. Default: sdxl.", HelpName = "NAME", DefaultValueFactory = _ => "sdxl" };
        var only = new Option<string[]>("--only") { Description = "Only files whose path contains this text; may be given several times.", HelpName = "TEXT", AllowMultipleArgumentsPerToken = false };
        var dryRun = new Option<bool>("--dry-run") { Description = "Say what would be downloaded, and stop." };
        var json = CommonOptions.Json();
        command.Options.Add(baseModel);
        command.Options.Add(only);
        command.Options.Add(dryRun);
        command.Options.Add(json);
        command.SetAction((parsed, cancel) => RunAsync(parsed.GetValue(baseModel)!, parsed.GetValue(only) ?? [], parsed.GetValue(dryRun), parsed.GetValue(json), cancel));
        return command;
    }

    private static Task<int> RunAsync(string baseModel, string[] only, bool dryRun, bool json, CancellationToken cancel)
    {
        var watch = Stopwatch.StartNew();
        BaseManifest manifest;
        try
        {
            manifest = BaseManifest.Load(Places.Models, baseModel);
        }
        catch (BaseNotFoundException e)
        {
            throw new CliException(e.Message, e);
        }
        var pulled = PulledFiles.Read(Places.Models);
        var wanted = manifest.Files.Where(file => only.Length == 0 || only.Any(text => file.Path.Contains(text, StringComparison.OrdinalIgnoreCase))).ToList();
        if (wanted.Count == 0 && only.Length > 0)
            throw new CliException($"No file of {baseModel} has {string.Join(" or ", only.Select(text => $"'{text}'"))} in its path. Its files: {string.Join(", ", manifest.Files.Select(file => file.Path))}.");
        var missing = wanted.Where(file => !pulled.Has(file.Path, file.Sha256)).ToList();
        return Shows.RunAsync(json, async show =>
        {
            Announce(show, manifest, missing, wanted.Count);
            if (!dryRun && missing.Count > 0)
            {
                RefuseIfDiskIsFull(missing);
                await PullAsync(missing, pulled, show, cancel);
            }
            show.Result(
                new JsonObject
                {
                    ["base"] = baseModel,
                    ["files"] = wanted.Count,
                    ["downloaded"] = dryRun ? 0 : missing.Count,
                    ["seconds"] = Math.Round(watch.Elapsed.TotalSeconds, 1),
                },
                dryRun ? $"{missing.Count} of {wanted.Count} files would be downloaded." : $"{baseModel} is there: {wanted.Count} files, {missing.Count} of them downloaded in {Shows.Duration(watch.Elapsed.TotalSeconds)}.");
            return CommandRunner.Succeeded;
        });
    }

    private static void Announce(IShow show, BaseManifest manifest, List<BaseFile> missing, int wanted)
    {
        if (missing.Count == 0)
        {
            show.Note($"{manifest.Name}: all {wanted} files are there");
            return;
        }
        var unknown = missing.Count(file => file.Bytes is null);
        show.Note($"{manifest.Name}: {missing.Count} of {wanted} files are missing, {Size(missing.Sum(file => file.Bytes ?? 0))} on disk{(unknown > 0 ? $" and {unknown} files of unknown size" : "")} in {Places.Models}");
        foreach (var licence in missing.GroupBy(file => (file.Repository, file.Licence)))
            show.Note($"licence {licence.Key.Licence}: {licence.Key.Repository}");
    }

    private static void RefuseIfDiskIsFull(List<BaseFile> missing)
    {
        Directory.CreateDirectory(Places.Models);
        // What a broken-off download has brought is on the disk already.
        var needed = missing.Sum(file => Math.Max(0, (file.Bytes ?? 0) - (new FileInfo(Path.Combine(Places.Models, file.Path + ".part")) is { Exists: true } part ? part.Length : 0)));
        var free = new DriveInfo(Path.GetFullPath(Places.Models)).AvailableFreeSpace;
        if (needed > free)
            throw new CliException($"{Size(needed)} are needed in {Places.Models} and {Size(free)} are free. Make room, or set SDXL_MODELS to a folder on a larger disk.");
    }

    private static async Task PullAsync(List<BaseFile> missing, PulledFiles pulled, IShow show, CancellationToken cancel)
    {
        using var source = ModelSource.FromEnvironment();
        var download = new ModelDownload(source, TimeProvider.System);
        foreach (var file in missing)
        {
            var path = Path.GetFullPath(Path.Combine(Places.Models, file.Path));
            if (!path.StartsWith(Path.GetFullPath(Places.Models) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
                throw new CliException($"The manifest's path '{file.Path}' leads out of {Places.Models}. Nothing was downloaded for it.");
            show.Stage("pull", file.Path);
            // A file that was put there by hand counts if its hash is the manifest's.
            if (file.Sha256 is { } sha && File.Exists(path) && await ContentHash.Sha256Async(path, cancel) == sha.ToLowerInvariant())
            {
                pulled.Add(file.Path, sha.ToLowerInvariant());
                continue;
            }
            var shown = -1L;
            var hash = await download.FetchAsync(file, path, Show, cancel);
            pulled.Add(file.Path, hash.Hex);

            void Show(long bytes, long total)
            {
                if (bytes / Mebi == shown)
                    return;
                shown = bytes / Mebi;
                show.Parts((int)shown, (int)(Math.Max(total, bytes) / Mebi));
            }
        }
    }

    private static string Size(long bytes) => bytes >= 1L << 30
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.0} GiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)Mebi:0.0} MiB");
}
