using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Sdxl.Core.Json;
using Sdxl.Core.Text;

namespace Sdxl.Core.Bases;

/// <summary>
/// A base model that trainings start from: models/{name}.json. Its defaults apply to inputs that the user leaves out, because what suits
/// SDXL does not suit a toy.
/// </summary>
/// <param name="Name">What users say: --base toy, base=sdxl.</param>
/// <param name="Description">One sentence for lists.</param>
/// <param name="Model">The base model, relative to the models folder: a folder in diffusers' layout, or a single-file checkpoint
/// (NAME.safetensors) with the configs and tokenizers of such a folder in NAME/.</param>
/// <param name="Refiner">The refiner likewise, or null.</param>
/// <param name="Vision">Folder that holds blip/, clipseg/, swin2sr/ and yunet/, relative to the models folder ("." for the models folder
/// itself).</param>
/// <param name="TrainingDefaults">Training inputs by name, in place of the general defaults.</param>
/// <param name="PredictionDefaults">Prediction inputs by name, likewise.</param>
/// <param name="Sources">The repositories that its files come from; empty for models that lie in the repository.</param>
public sealed record BaseManifest(
    string Name,
    string Description,
    string Model,
    string? Refiner,
    string Vision,
    JsonObject TrainingDefaults,
    JsonObject PredictionDefaults,
    IReadOnlyList<BaseSource> Sources)
{
    private const string SafetyFolder = "safety_checker"; // beside the model; a base may have none
    private const int FilesNamed = 6; // in a sentence; the rest is counted

    /// <summary>Files that are made on this machine from downloaded ones.</summary>
    public IReadOnlyList<MadeFile> Made { get; init; } = [];

    /// <summary>false: nobody offers a checker of drawn pictures for this model, so that none is missed.</summary>
    public bool HasSafetyChecker { get; init; } = true;

    /// <summary>
    /// Bytes of a LoRA's file for each of its ranks, by 'lora_targets': what a kept checkpoint takes can be said before a net is loaded.
    /// Empty: not known.
    /// </summary>
    public IReadOnlyDictionary<string, long> LoraBytesPerRank { get; init; } = new Dictionary<string, long>();

    /// <summary>The models folder that the manifest was read from. Not part of the file.</summary>
    [JsonIgnore]
    public string ModelsFolder { get; init; } = "";

    [JsonIgnore]
    public string ModelPath => Path.Combine(ModelsFolder, Model);

    [JsonIgnore]
    public string? RefinerPath => Refiner is null ? null : Path.Combine(ModelsFolder, Refiner);

    [JsonIgnore]
    public string VisionFolder => Path.GetFullPath(Path.Combine(ModelsFolder, Vision));

    /// <summary>Every file that is downloaded, in the manifest's order.</summary>
    [JsonIgnore]
    public IReadOnlyList<BaseFile> Files => [.. Sources.SelectMany(source => source.ToFiles())];

    /// <exception cref="BaseNotFoundException">There is no such manifest; the message lists those that are there.</exception>
    /// <exception cref="InvalidDataException">The manifest is not of this form, or pins nothing; the message says where.</exception>
    public static BaseManifest Load(string modelsFolder, string name)
    {
        var file = Path.Combine(modelsFolder, name + ".json");
        if (name.Any(c => !(char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')) || name.Contains("..", StringComparison.Ordinal)
            || !File.Exists(file))
        {
            var known = Directory.Exists(modelsFolder)
                ? Directory.GetFiles(modelsFolder, "*.json").Select(Path.GetFileNameWithoutExtension).Order().ToArray() : [];
            throw new BaseNotFoundException($"There is no base model called '{name}' in {modelsFolder}. Known: "
                + $"{(known.Length == 0 ? "none" : string.Join(", ", known))}.");
        }
        try
        {
            var manifest = SdxlJson.Deserialize<BaseManifest>(File.ReadAllText(file));
            foreach (var source in manifest.Sources)
                source.Validate();
            var folder = Path.GetFullPath(modelsFolder);
            return manifest with
            {
                ModelsFolder = modelsFolder,
                Made = [.. manifest.Made.Select(made =>
                    made with { Command = made.Command.Replace(MadeFile.ModelsFolder, folder, StringComparison.Ordinal) })],
            };
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            throw new InvalidDataException($"{file} is not a base model's manifest: {e.Message}", e);
        }
    }

    /// <summary>Refuses to go on without the files that a job needs: the one check of worker, functions and command line.</summary>
    /// <exception cref="BaseIncompleteException">Files are missing; the message names them and the command that brings them.</exception>
    public void Require(BaseParts parts)
    {
        string?[] folders =
        [
            parts.HasFlag(BaseParts.Nets) ? Model : null,
            parts.HasFlag(BaseParts.Refiner) ? Refiner : null,
            parts.HasFlag(BaseParts.SafetyChecker) ? $"{Path.GetDirectoryName(Model)}/{SafetyFolder}".TrimStart('/') : null,
            parts.HasFlag(BaseParts.Captioner) ? OfVision("blip") : null,
            parts.HasFlag(BaseParts.WordMasks) ? OfVision("clipseg") : null,
            parts.HasFlag(BaseParts.FaceMasks) ? OfVision("yunet") : null,
        ];
        List<string> missing = [.. folders.OfType<string>().SelectMany(Missing)];
        // A manifest of the user's own names no files to download.
        if (missing.Count == 0)
            missing.AddRange(folders.OfType<string>().Where(path =>
                Path.GetFileName(path) != SafetyFolder && !IsThere(path) && !Directory.Exists(Path.Combine(ModelsFolder, path))));
        if (missing.Count > 0)
            throw new BaseIncompleteException(Explain(missing));

        string OfVision(string model) => Vision is "." ? model : $"{Vision.TrimEnd('/')}/{model}";
    }

    /// <summary>The files below a folder of the models folder that are not on this machine.</summary>
    public IReadOnlyList<string> Missing(string folder) =>
        [.. Files.Where(IsNeeded).Select(file => file.Path).Concat(Made.Select(made => made.Path))
            .Where(path => path.StartsWith(folder.TrimEnd('/') + "/", StringComparison.Ordinal) && !IsThere(path))];

    /// <summary>False for what only serves to make files that are made already.</summary>
    public bool IsNeeded(BaseFile file)
    {
        var products = Made.Where(made => made.Needs.Contains(file.Path)).ToList();
        return products.Count == 0 || products.Exists(made => !IsThere(made.Path));
    }

    /// <summary>What the user reads when files are missing: which, and the commands that bring or make them.</summary>
    /// <param name="missing">Paths relative to the models folder.</param>
    public string Explain(IReadOnlyList<string> missing)
    {
        var named = string.Join(", ", missing.Take(FilesNamed))
            + (missing.Count > FilesNamed ? $" and {missing.Count - FilesNamed} more" : "");
        var made = Made.Where(file => missing.Contains(file.Path)).ToList();
        var download = Sources.Count > 0
            && (missing.Any(path => made.TrueForAll(file => file.Path != path))
                || made.Exists(file => file.Needs.Any(path => !IsThere(path))));
        var ways = new List<string>();
        if (download)
            ways.Add($"Download what is missing with: ./sdxl models pull {Name}");
        ways.AddRange(made.Select(file => file.Command).Distinct().Select(command =>
            $"{(download ? "then make" : "Make")} "
            + $"{string.Join(", ", made.Where(f => f.Command == command).Select(f => f.Path))} with: {command}"));
        if (ways.Count == 0)
            ways.Add("Copy the files there, or set SDXL_MODELS to the folder that holds them");
        return $"Base model '{Name}' is not complete: {Path.GetFullPath(ModelsFolder)} lacks "
            + $"{(missing.Count == 1 ? "" : $"{Plural.Of(missing.Count, "file")}: ")}{named}. {string.Join("; ", ways)}.";
    }

    private bool IsThere(string path) => File.Exists(Path.Combine(ModelsFolder, path));
}

/// <summary>A base model was named that is not there.</summary>
public sealed class BaseNotFoundException(string message) : Exception(message);

/// <summary>Files of a base model are not on this machine; the message says which and how to get them.</summary>
public sealed class BaseIncompleteException(string message) : Exception(message);
