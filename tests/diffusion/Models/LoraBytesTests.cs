using System.Text.Json.Nodes;
using Sdxl.Core.Bases;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Training;

namespace Sdxl.Diffusion.Tests.Models;

/// <summary>What the manifests say of a LoRA's size, against the nets' own shapes.</summary>
public sealed class LoraBytesTests
{
    [Theory]
    [InlineData("attention")]
    [InlineData("linear")]
    public void The_manifest_of_real_SDXL_says_what_its_layers_take(string targets)
    {
        var file = Path.Combine(TestPaths.Root, "tests", "fixtures", "goldens", "keys", "sdxl-unet.json");
        var shapes = JsonNode.Parse(File.ReadAllText(file))!["shapes"]!;
        Assert.Equal(
            BytesPerRank(targets, shapes.AsObject().Select(p => (p.Key, p.Value!.AsArray().Select(n => n!.GetValue<long>()).ToArray()))),
            Manifest("sdxl").LoraBytesPerRank[targets]
        );
    }

    [Theory]
    [InlineData("attention")]
    [InlineData("linear")]
    public void The_toys_manifest_says_what_its_layers_take(string targets)
    {
        var toy = Manifest("toy");
        using var weights = SafetensorsFile.Open(Directory.GetFiles(Path.Combine(toy.ModelPath, "unet"), "*.safetensors").Single());
        Assert.Equal(BytesPerRank(targets, weights.Entries.Select(e => (e.Key, e.Value.Shape.ToArray()))), toy.LoraBytesPerRank[targets]);
    }

    /// <summary>Two matrices of floats a layer, in x rank and rank x out.</summary>
    private static long BytesPerRank(string targets, IEnumerable<(string Name, long[] Shape)> weights)
    {
        var layers = LoraSettings.Targets(targets).Select(t => $".{t}.weight").ToList();
        return weights
            .Where(w => layers.Exists(layer => w.Name.EndsWith(layer, StringComparison.Ordinal)))
            .Sum(w => (w.Shape[0] + w.Shape[1]) * sizeof(float));
    }

    private static BaseManifest Manifest(string name) => BaseManifest.Load(Path.Combine(TestPaths.Root, "models"), name);
}
