using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Sdxl.Cli.Models;
using Sdxl.Cli.Show;
using Sdxl.Core.Bases;
using Sdxl.Core.Text;

namespace Sdxl.Cli.Commands;

/// <summary>sdxl models pull: brings the files of base models that do not lie in the repository.</summary>
internal static class ModelsCommand
{
    private const long Mebi = 1 << 20;
    private const int ProgressReports = 500; // of one file, at most

    public static Command Create()
    {
        var models = new Command(
            "models",
            """
            Look after your trained models, and the files of base models.

            Examples:
              ./sdxl models list
              ./sdxl models download cat
              ./sdxl models pull
            """
        );
        models.Subcommands.Add(CreatePull());
        foreach (var command in OwnModels.Create())
            models.Subcommands.Add(command);
        return models;
    }

    private static Command CreatePull()
    {
        var command = new Command(
            "pull",
            """
            Download the files that a base model's manifest in models/ names: pinned commits, resumed where a download broke off, each
            verified by its hash. Says beforehand what it needs on disk and under which licences the files stand. What is there already is left alone.

            Examples:
              ./sdxl models pull                        everything of the real SDXL
              ./sdxl models pull sdxl --only base,clipseg
              ./sdxl models pull --dry-run              says what it would do

            HF_ENDPOINT names a mirror of huggingface.co; HF_TOKEN opens repositories whose licence must be accepted first.
            """
        );
        var name = new Argument<string?>("base")
        {
            Description = "Base model: the name of a manifest in models/. Default: sdxl.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var baseModel = new Option<string?>("--base")
        {
            Description = "The same as an option, as the other commands have it.",
            HelpName = "NAME",
        };
        var only = new Option<string[]>("--only")
        {
            Description = "Only files whose path contains one of these texts: unet,vae. May be given several times.",
            HelpName = "TEXT,…",
            AllowMultipleArgumentsPerToken = false,
        };
        var dryRun = new Option<bool>("--dry-run") { Description = "Say what would be downloaded, and stop." };
        var json = CommonOptions.Json();
        command.Arguments.Add(name);
        command.Options.Add(baseModel);
        command.Options.Add(only);
        command.Options.Add(dryRun);
        command.Options.Add(json);
        command.SetAction(
            (parsed, cancel) =>
                RunAsync(
                    parsed.GetValue(name) ?? parsed.GetValue(baseModel) ?? "sdxl",
                    [
                        .. (parsed.GetValue(only) ?? []).SelectMany(text =>
                            text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                        ),
                    ],
                    parsed.GetValue(dryRun),
                    parsed.GetValue(json),
                    cancel
                )
        );
        return command;
    }

    private static Task<int> RunAsync(string baseModel, string[] only, bool dryRun, bool json, CancellationToken cancel)
    {
        var watch = Stopwatch.StartNew();
        var manifest = BaseFiles.LoadOrPut(baseModel);
        var wanted = manifest
            .Files.Where(manifest.IsNeeded)
            .Where(file => only.Length == 0 || only.Any(text => file.Path.Contains(text, StringComparison.OrdinalIgnoreCase)))
            .ToList();
        if (wanted.Count == 0 && only.Length > 0)
            throw new CliException(
                $"No file of {baseModel} has {string.Join(" or ", only.Select(text => $"'{text}'"))} in its path. Its files: "
                    + $"{string.Join(", ", manifest.Files.Select(file => file.Path))}."
            );
        var locked = LockFile.Read(Places.Models, baseModel);
        var missing = wanted.Where(file => !locked.Has(file)).ToList();
        return Shows.RunAsync(
            json,
            async show =>
            {
                using var source = ModelSource.FromEnvironment();
                missing = await WithSizesAsync(missing, source, show, cancel);
                Announce(show, manifest, missing, wanted.Count);
                var downloaded = 0;
                if (!dryRun && missing.Count > 0)
                {
                    RefuseIfDiskIsFull(missing);
                    downloaded = await PullAsync(baseModel, missing, source, show, cancel);
                }
                var toMake = manifest.Missing(manifest.Vision).Intersect(manifest.Made.Select(made => made.Path)).ToList();
                show.Result(
                    new JsonObject
                    {
                        ["base"] = baseModel,
                        ["files"] = wanted.Count,
                        ["downloaded"] = downloaded,
                        ["to_make"] = new JsonArray([.. toMake.Select(path => (JsonNode)path)]),
                        ["seconds"] = Math.Round(watch.Elapsed.TotalSeconds, 1),
                    },
                    [
                        dryRun
                            ? $"{missing.Count} of {Plural.Of(wanted.Count, "file")} would be downloaded."
                            : $"{baseModel} is there: {Plural.Of(wanted.Count, "file")}, {downloaded} of them downloaded in "
                                + $"{Shows.Duration(watch.Elapsed.TotalSeconds)}.",
                        .. toMake.Count == 0
                            ? Array.Empty<string>()
                            :
                            [
                                $"{(dryRun ? "afterwards" : "still")} to be made on this machine: {string.Join(", ", toMake)}",
                                .. manifest.Made.Where(made => toMake.Contains(made.Path)).Select(made => $"  {made.Command}").Distinct(),
                            ],
                    ]
                );
                return CommandRunner.Succeeded;
            }
        );
    }

    /// <summary>
    /// Asks the server for the sizes that the manifest does not know, so that the need is told before anything is fetched.
    /// </summary>
    private static async Task<List<BaseFile>> WithSizesAsync(List<BaseFile> files, ModelSource source, IShow show, CancellationToken cancel)
    {
        var unknown = files.Count(file => file.Bytes is null);
        if (unknown == 0)
            return files;
        show.Stage("ask", $"{source.Server} for the size of {Plural.Of(unknown, "file")}");
        var sized = new List<BaseFile>();
        foreach (var (index, file) in files.Index())
        {
            try
            {
                sized.Add(file.Bytes is null ? file with { Bytes = await source.SizeAsync(file, cancel) } : file);
            }
            catch (Exception e) when (ModelSource.Trouble(e, ModelSource.SizePatience, cancel) is { } trouble)
            {
                // One that does not answer this will not answer the next; the download itself has more patience.
                show.Note($"{source.Server} does not answer: {trouble}. The need on disk is told without what it would have said.");
                return [.. sized, .. files.Skip(index)];
            }
        }
        return sized;
    }

    private static void Announce(IShow show, BaseManifest manifest, List<BaseFile> missing, int wanted)
    {
        if (missing.Count == 0)
        {
            show.Note($"{manifest.Name}: {(wanted == 1 ? "its only file is" : $"all {wanted} files are")} there");
            return;
        }
        var unknown = missing.Count(file => file.Bytes is null);
        show.Note(
            $"{manifest.Name}: {missing.Count} of {Plural.Of(wanted, "file")} {Plural.Verb(missing.Count, "is", "are")} missing, "
                + $"{Size(missing.Sum(file => file.Bytes ?? 0))} on disk"
                + $"{(unknown > 0 ? $" and {Plural.Of(unknown, "file")} of unknown size" : "")} in {Places.Models} ({Size(FreeBytes())} "
                + "free)"
        );
        foreach (var licence in missing.GroupBy(file => (file.Repository, file.Licence, file.LicenceUrl)))
            show.Note(
                $"licence {licence.Key.Licence}: {licence.Key.Repository} ({Size(licence.Sum(file => file.Bytes ?? 0))}), "
                    + $"{licence.Key.LicenceUrl}"
            );
    }

    private static void RefuseIfDiskIsFull(List<BaseFile> missing)
    {
        // What a broken-off download has brought is on the disk already.
        var needed = missing.Sum(file =>
            Math.Max(
                0,
                (file.Bytes ?? 0)
                    - (new FileInfo(Path.Combine(Places.Models, file.Path + ".part")) is { Exists: true } part ? part.Length : 0)
            )
        );
        if (needed > FreeBytes())
            throw new CliException(
                $"{Size(needed)} are needed in {Places.Models} and {Size(FreeBytes())} are free. Make room, or set SDXL_MODELS to a folder "
                    + "on a larger disk."
            );
    }

    private static long FreeBytes() => new DriveInfo(Directory.CreateDirectory(Places.Models).FullName).AvailableFreeSpace;

    /// <returns>How many were downloaded.</returns>
    private static async Task<int> PullAsync(
        string baseModel,
        List<BaseFile> missing,
        ModelSource source,
        IShow show,
        CancellationToken cancel
    )
    {
        using var alone = TakeAlone();
        var locked = LockFile.Read(Places.Models, baseModel); // again: another pull may have written it before this one was alone
        var download = new ModelDownload(source, TimeProvider.System);
        var downloaded = 0;
        foreach (var (index, file) in missing.Index())
        {
            var path = Path.GetFullPath(Path.Combine(Places.Models, file.Path));
            show.Stage("pull", string.Create(CultureInfo.InvariantCulture, $"{index + 1}/{missing.Count} {file.Path} (progress in MiB)"));
            var expected = locked.Expected(file);
            // A file that was put there by hand, or touched, counts if its hash is right.
            if (expected is not null && File.Exists(path) && await expected.OfFileAsync(path, cancel) == expected.Hex)
            {
                locked.Add(file, expected);
                continue;
            }
            var shown = -Mebi;
            locked.Add(file, await download.FetchAsync(file, path, expected, Show, show.Note, cancel));
            downloaded++;

            void Show(long bytes, long total)
            {
                if (bytes - shown < Math.Max(Mebi, total / ProgressReports) && bytes < total)
                    return;
                shown = bytes;
                show.Parts((int)(bytes / Mebi), (int)(Math.Max(total, bytes) / Mebi));
            }
        }
        return downloaded;
    }

    /// <summary>Two pulls would write the same parts, and the slower one begin again what the other has finished.</summary>
    private static FileStream TakeAlone()
    {
        var path = Path.Combine(Places.Models, ".pulling");
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException e) when (File.Exists(path))
        {
            throw new CliException($"Another ./sdxl models pull is at work in {Places.Models}. Let it finish, or stop it first.", e);
        }
    }

    private static string Size(long bytes) =>
        bytes >= 1L << 30
            ? string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.0} GiB")
            : string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)Mebi:0.0} MiB");
}
