using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Sdxl.Core.Json;

namespace Sdxl.Core.Bases;

/// <summary>
/// A base model that trainings start from: models/{name}.json. Its defaults apply to inputs that the user leaves out, because what suits SDXL does not suit a toy.
/// </summary>
/// <param name="Name">What users say: --base toy, base=sdxl.</param>
/// <param name="Description">One sentence for lists.</param>
/// <param name="Model">Folder of the base model (diffusers layout), relative to the models folder.</param>
/// <param name="Refiner">Folder of the refiner, or null.</param>
/// <param name="Vision">Folder that holds blip/, clipseg/, swin2sr/ and yunet/, relative to the models folder ("." for the models folder itself).</param>
/// <param name="TrainingDefaults">Training inputs by name, in place of the general defaults.</param>
/// <param name="PredictionDefaults">Prediction inputs by name, likewise.</param>
/// <param name="Files">Where each file comes from; empty for models that lie in the repository.</param>
public sealed record BaseManifest(
    string Name,
    string Description,
    string Model,
    string? Refiner,
    string Vision,
    JsonObject TrainingDefaults,
    JsonObject PredictionDefaults,
    IReadOnlyList<BaseFile> Files)
{
    /// <summary>The models folder that the manifest was read from. Not part of the file.</summary>
    [JsonIgnore]
    public string ModelsFolder { get; init; } = "";

    [JsonIgnore]
    public string ModelFolder => Path.Combine(ModelsFolder, Model);

    [JsonIgnore]
    public string? RefinerFolder => Refiner is null ? null : Path.Combine(ModelsFolder, Refiner);

    [JsonIgnore]
    public string VisionFolder => Path.GetFullPath(Path.Combine(ModelsFolder, Vision));

    /// <exception cref="BaseNotFoundException">There is no such manifest; the message lists those that are there.</exception>
    public static BaseManifest Load(string modelsFolder, string name)
    {
        var file = Path.Combine(modelsFolder, name + ".json");
        if (name.Any(c => !(char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')) || name.Contains("..", StringComparison.Ordinal) || !File.Exists(file))
        {
            var known = Directory.Exists(modelsFolder) ? Directory.GetFiles(modelsFolder, "*.json").Select(Path.GetFileNameWithoutExtension).Order().ToArray() : [];
            throw new BaseNotFoundException($"There is no base model called '{name}' in {modelsFolder}. Known: {(known.Length == 0 ? "none" : string.Join(", ", known))}.");
        }
        var manifest = JsonSerializer.Deserialize<BaseManifest>(File.ReadAllText(file), SdxlJson.Options)
            ?? throw new JsonException($"{file} holds null; expected a base model manifest.");
        return manifest with { ModelsFolder = modelsFolder };
    }
}

/// <summary>One file of a base model: where it comes from, what it must hash to, under which licence.</summary>
/// <param name="Path">Where it lies, relative to the models folder.</param>
/// <param name="Repository">Hugging Face repository, owner/name.</param>
/// <param name="Revision">Commit, 40 hex digits.</param>
/// <param name="File">Path inside the repository.</param>
/// <param name="Bytes">Size, if known beforehand.</param>
/// <param name="Sha256">Lower-case hex, or null when the server's LFS header is to be trusted.</param>
/// <param name="Licence">SPDX id or the licence's own name.</param>
public sealed record BaseFile(string Path, string Repository, string Revision, string File, long? Bytes, string? Sha256, string Licence);

/// <summary>A base model was named that is not there.</summary>
public sealed class BaseNotFoundException(string message) : Exception(message);
