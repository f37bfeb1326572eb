using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Sdxl.Core.Datasets;
using Sdxl.Core.Json;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;

namespace Sdxl.Diffusion.Tests.Training;

/// <summary>
/// A prepared data set made from the pictures of a fixture archive with their true captions, as preprocessing would leave it.
/// </summary>
internal static class GizmoDataset
{
    /// <param name="fixtures">Folder that holds datasets.json and datasets/gizmo.zip.</param>
    /// <param name="pictures">How many of the pictures to take.</param>
    public static void Make(string fixtures, string folder, int resolution, int pictures = int.MaxValue)
    {
        Directory.CreateDirectory(Path.Combine(folder, "pictures"));
        Directory.CreateDirectory(Path.Combine(folder, "masks"));
        var captions = JsonSerializer
            .Deserialize<JsonElement>(File.ReadAllText(Path.Combine(fixtures, "datasets.json")))
            .GetProperty("gizmo.zip")
            .GetProperty("true_captions");
        using var zip = ZipFile.OpenRead(Path.Combine(fixtures, "datasets", "gizmo.zip"));
        var rows = new List<DatasetPicture>();
        foreach (
            var entry in zip
                .Entries.Where(e => captions.TryGetProperty(e.Name, out _))
                .OrderBy(e => e.Name, StringComparer.Ordinal)
                .Take(pictures)
        )
        {
            using var stream = new MemoryStream();
            using (var content = entry.Open())
                content.CopyTo(stream);
            stream.Position = 0;
            using var image = Image.Load<Rgb24>(stream);
            image.Mutate(i => i.AutoOrient());
            var (width, height) = (image.Width, image.Height);
            var side = Math.Min(width, height);
            image.Mutate(i => i.Crop(new Rectangle((width - side) / 2, (height - side) / 2, side, side)).Resize(resolution, resolution));
            var (file, mask) = ($"pictures/{rows.Count:D3}.png", $"masks/{rows.Count:D3}.png");
            image.SaveAsPng(Path.Combine(folder, file));
            using var white = new Image<L8>(resolution, resolution, new L8(255));
            white.SaveAsPng(Path.Combine(folder, mask));
            var hash = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(folder, file))));
            rows.Add(new DatasetPicture(
                entry.Name, file, mask, "a photo of " + captions.GetProperty(entry.Name).GetString(), width, height,
                (width - side) / 2 * resolution / side, (height - side) / 2 * resolution / side, hash));
        }
        File.WriteAllText(Path.Combine(folder, "manifest.json"), SdxlJson.Serialize(new DatasetManifest(resolution, "TOK", rows)));
    }
}
