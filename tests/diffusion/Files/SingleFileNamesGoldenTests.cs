using Sdxl.Tests;
using System.Text.Json;
using Sdxl.Diffusion.Adapters;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Nets;

namespace Sdxl.Diffusion.Tests.Files;

public sealed class SingleFileNamesGoldenTests
{
    /// <summary>For the depths that the goldens' own configurations say.</summary>
    private static readonly SingleFileNames s_sdxl = SdxlModel.NamesFor(
        UNetConfig.Parse(Config("unet"), "sdxl-unet.json"),
        VaeConfig.Parse(Config("vae"), "sdxl-vae.json")
    );

    private static JsonElement Config(string net) =>
        JsonSerializer.Deserialize<JsonElement>(File.ReadAllBytes(TestPaths.Golden("keys", $"sdxl-{net}.json"))).GetProperty("config");

    [Fact]
    public void Every_tensor_of_SDXL_has_its_name_and_its_change_in_the_single_file()
    {
        var wrong = new List<string>();
        foreach (
            var (name, expected) in JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(
                File.ReadAllText(TestPaths.Golden("keys", "single-file-names.json"))
            )!
        )
        {
            var slash = name.IndexOf('/');
            var found = s_sdxl.Of(name[..slash], name[(slash + 1)..]);
            var how = expected.TryGetProperty("how", out var h) ? h.GetString() : null;
            var change = found.Change switch
            {
                TensorChange.Transposed => "transposed",
                TensorChange.QueryThird => "q third",
                TensorChange.KeyThird => "k third",
                TensorChange.ValueThird => "v third",
                _ => null, // the VAE's 1x1 convolutions are not marked in the golden
            };
            if (found.Name != expected.GetProperty("name").GetString() || change != how)
                wrong.Add($"{name}: expected {expected}, found {found}");
        }
        Assert.True(wrong.Count == 0, string.Join("\n", wrong.Take(5)));
    }

    [Fact]
    public void Every_linear_layer_of_SDXL_has_its_kohya_name()
    {
        foreach (
            var net in JsonSerializer.Deserialize<Dictionary<string, Dictionary<string, string>>>(
                File.ReadAllText(TestPaths.Golden("keys", "kohya-lora-names.json"))
            )!
        )
        {
            foreach (var (module, expected) in net.Value)
                Assert.Equal(expected, LoraFile.KohyaName(net.Key, module, s_sdxl));
        }
    }

    [Fact]
    public void A_name_that_SDXL_does_not_have_is_refused()
    {
        Assert.Throws<ArgumentException>(() => s_sdxl.Of("unet", "side_blocks.0.weight"));
        Assert.Throws<ArgumentException>(() => s_sdxl.Of("text_encoder_3", "x"));
    }
}
