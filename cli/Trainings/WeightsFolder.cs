using Sdxl.Cli.Api;
using Sdxl.Core.Identity;

namespace Sdxl.Cli.Trainings;

/// <summary>Brings a published version's files onto this machine.</summary>
internal static class WeightsFolder
{
    public const string DefaultParent = "output";

    /// <param name="training">Succeeded.</param>
    /// <param name="folder">Where to; null: output/{name}-{first letters of the version}.</param>
    /// <returns>The folder, and in it the file that is meant by "the weights": trained_model.tar.</returns>
    public static async Task<(string Folder, string Weights)> DownloadAsync(
        ApiClient api,
        TrainingView training,
        string? folder,
        CancellationToken cancel
    )
    {
        var id = training.Version!.Split(':')[^1];
        folder ??= Path.Combine(DefaultParent, $"{ModelName.Slug(training.Model.Split('/')[^1]).Name}-{id[..Math.Min(8, id.Length)]}");
        await DownloadAsync(api, training.Files, folder, cancel);
        var weights =
            training.Files.Keys.FirstOrDefault(name => name == "trained_model.tar")
            ?? training.Files.Keys.FirstOrDefault(name => name.EndsWith(".safetensors", StringComparison.Ordinal))
            ?? throw new CliException(
                $"Training {training.Id} succeeded, but its version lists no weights (files: {string.Join(", ", training.Files.Keys)})."
            );
        return (folder, Path.Combine(folder, weights));
    }

    /// <param name="files">Link by name.</param>
    public static async Task DownloadAsync(
        ApiClient api,
        IReadOnlyDictionary<string, string> files,
        string folder,
        CancellationToken cancel
    )
    {
        Directory.CreateDirectory(folder);
        foreach (var (name, link) in files)
        {
            // Names come over the network: only the last part, never a path.
            var path = Path.Combine(folder, Path.GetFileName(name));
            var bytes = await api.DownloadAsync(link, cancel);
            await File.WriteAllBytesAsync(path + ".part", bytes, cancel);
            File.Move(path + ".part", path, overwrite: true);
        }
    }
}
