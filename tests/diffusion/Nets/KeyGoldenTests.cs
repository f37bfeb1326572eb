using System.Text.Json;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Nets;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Nets;

/// <summary>Full-size SDXL without its weights: the nets are built on the meta device, which stores nothing.</summary>
public sealed class KeyGoldenTests
{
    public static TheoryData<string> Files =>
        new(Directory.GetFiles(TestPaths.Golden("keys"), "sdxl-*.json").Select(f => Path.GetFileName(f)!));

    [Theory]
    [MemberData(nameof(Files))]
    public void Full_size_nets_have_exactly_the_golden_names_and_shapes(string file)
    {
        var golden = JsonSerializer.Deserialize<JsonElement>(File.ReadAllBytes(TestPaths.Golden("keys", file)));
        var config = golden.GetProperty("config");
        using nn.Module net = Path.GetFileNameWithoutExtension(file)["sdxl-".Length..] switch
        {
            "unet" => new UNet2DConditionModel(UNetConfig.Parse(config, file), Placement.ShapesOnly),
            "vae" => new AutoencoderKL(VaeConfig.Parse(config, file), Placement.ShapesOnly),
            "text_encoder" => new ClipTextModel(ClipTextConfig.Parse(config, file, projects: false), Placement.ShapesOnly),
            "text_encoder_2" => new ClipTextModel(ClipTextConfig.Parse(config, file, projects: true), Placement.ShapesOnly),
            var other => throw new InvalidDataException($"'{other}' is no net of SDXL."),
        };

        var expected = golden
            .GetProperty("shapes")
            .EnumerateObject()
            .Select(s => $"{s.Name} [{string.Join(", ", s.Value.EnumerateArray().Select(n => n.GetInt64()))}]");
        var actual = NetLoader.Shapes(net).Select(s => $"{s.Key} [{string.Join(", ", s.Value)}]");
        Assert.Equal(expected.Order(StringComparer.Ordinal), actual.Order(StringComparer.Ordinal));
        Assert.Equal(golden.GetProperty("parameters").GetInt64(), net.parameters().Sum(p => p.numel()));
    }
}
