using Sdxl.Diffusion.Adapters;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Nets;
using Sdxl.Diffusion.Pipelines;
using Sdxl.Diffusion.Randomness;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Adapters;

/// <summary>LoRA files as others write them: names, alphas and shapes that this product's own exports do not have.</summary>
public sealed class LoraFileTests : IDisposable
{
    private const int Rank = 4;
    private readonly string folder = Directory.CreateTempSubdirectory("sdxl-lora-").FullName;
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();
    private readonly SdxlPipeline pipeline = SdxlPipeline.Load(Golden.BaseFolder, null, DiffusionDevice.Cpu);

    public void Dispose()
    {
        pipeline.Dispose();
        scope.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private SingleFileNames Names => SdxlModel.NamesFor(pipeline.Model.UNet.Config, pipeline.Model.Vae.Config);

    /// <summary>A layer of each net: U-Net, both text encoders.</summary>
    private IEnumerable<(string Net, string Module, Linear Layer)> Layers() =>
        pipeline
            .Model.Nets.Where(n => n.Key != "vae")
            .Select(n =>
                (
                    n.Key,
                    n.Value.named_modules()
                        .Where(m =>
                            m.module is Linear && m.name.EndsWith(n.Key == "unet" ? "attn2.to_k" : "q_proj", StringComparison.Ordinal)
                        )
                        .First()
                )
            )
            .Select(n => (n.Key, n.Item2.name, (Linear)n.Item2.module));

    private static (Tensor Down, Tensor Up) Factors(Linear layer, long index) => (
        CounterRandom.Normal(5, RandomPurpose.InitialWeights, 0, 2 * index, Rank, layer.Weight.shape[1]),
        CounterRandom.Normal(5, RandomPurpose.InitialWeights, 0, 2 * index + 1, layer.Weight.shape[0], Rank));

    /// <summary>Applies a file and compares the change of each layer's weight with scale · up · down.</summary>
    private void AssertChanges(string path, double scale, double strength = 1)
    {
        using var guard = no_grad();
        static Tensor Transposed(Linear layer) => layer.call(eye(layer.Weight.shape[1])); // W'ᵀ + bias, as the layer works
        var before = Layers().Select(l => Transposed(l.Layer)).ToList();
        using (var tune = FineTune.Load(path))
            pipeline.Apply(tune, strength);
        foreach (var (index, (net, module, layer)) in Layers().Index())
        {
            var (down, up) = Factors(layer, index);
            Golden.Close((up.matmul(down) * Num(scale * strength)).t(), Transposed(layer) - before[index], Golden.Pass, $"{net}.{module}");
        }
        pipeline.Apply(null, 1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_foreign_kohya_file_is_applied_with_its_alpha_to_the_U_Net_and_both_text_encoders(bool sgmNames)
    {
        var tensors = new Dictionary<string, Tensor>();
        var index = 0;
        foreach (var (net, module, layer) in Layers())
        {
            var (down, up) = Factors(layer, index++);
            var prefix = net switch { "unet" => "lora_unet_", "text_encoder" => "lora_te1_", _ => "lora_te2_" };
            var stem = sgmNames ? LoraFile.KohyaName(net, module, Names) : prefix + module.Replace('.', '_');
            tensors.Add(stem + ".lora_down.weight", down);
            tensors.Add(stem + ".lora_up.weight", up);
            tensors.Add(stem + ".alpha", Num(1f).AsTensor(ScalarType.Float32)); // kohya's usual: not the rank
        }
        var path = Path.Combine(folder, "kohya.safetensors");
        SafetensorsWriter.Write(path, tensors);
        AssertChanges(path, 1.0 / Rank);
        AssertChanges(path, 1.0 / Rank, strength: 0.5);
    }

    [Theory]
    [InlineData("{\"unet.lora_alpha\": 2}", 0.5)]
    [InlineData("{\"lora_alpha\": 2, \"use_rslora\": true}", 1.0)]
    [InlineData("{\"lora_alpha\": 8, \"alpha_pattern\": {\"attn2.to_k\": 2, \"q_proj\": 2}}", 0.5)]
    public void The_alpha_in_a_PEFT_header_counts(string configuration, double scale)
    {
        var path = Path.Combine(folder, "peft.safetensors");
        SafetensorsWriter.Write(
            path,
            PeftTensors("", net => net + "."),
            new Dictionary<string, string> { ["lora_adapter_metadata"] = configuration }
        );
        AssertChanges(path, scale);
    }

    [Fact]
    public void What_PEFT_itself_saves_is_applied_with_the_alpha_of_its_configuration()
    {
        var path = Path.Combine(folder, "adapter_model.safetensors");
        SafetensorsWriter.Write(path, PeftTensors("base_model.model.", net => net == "unet" ? "" : net + "."));
        AssertChanges(path, 1); // nothing says otherwise: alpha = rank
        File.WriteAllText(
            Path.Combine(folder, "adapter_config.json"),
            "{\"peft_type\": \"LORA\", \"r\": 4, \"lora_alpha\": 12, \"alpha_pattern\": {}}"
        );
        AssertChanges(path, 3);
        AssertChanges(folder, 3);
        File.WriteAllText(Path.Combine(folder, "adapter_config.json"), "{\"lora_alpha\": \"twelve\"}");
        Assert.Contains("adapter_config.json) cannot be read", Assert.Throws<SafetensorsException>(() => AssertChanges(path, 3)).Message);
    }

    private Dictionary<string, Tensor> PeftTensors(string prefix, Func<string, string> netName)
    {
        var tensors = new Dictionary<string, Tensor>();
        var index = 0;
        foreach (var (net, module, layer) in Layers())
        {
            var (down, up) = Factors(layer, index++);
            tensors.Add($"{prefix}{netName(net)}{module}.lora_A.weight", down);
            tensors.Add($"{prefix}{netName(net)}{module}.lora_B.weight", up);
        }
        return tensors;
    }

    public static TheoryData<string> GoldenFiles => new(Golden.With("facts.files", "output_without").SelectMany(golden =>
    {
        using var given = Golden.Open(golden);
        return given.Texts("files").Select(file => Path.Combine(Path.GetDirectoryName(TestPaths.Golden(golden))!, file)).Where(IsPeft);
    }));

    private static bool IsPeft(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return file.Entries.Keys.Any(name => name.EndsWith(".lora_A.weight", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(GoldenFiles))]
    public void A_golden_PEFT_file_under_PEFTs_own_names_changes_the_same_layers(string golden)
    {
        var path = Path.Combine(folder, "adapter_model.safetensors");
        using (var from = SafetensorsFile.Open(golden))
            SafetensorsWriter.Write(
                path,
                from.Entries.Keys.Select(k =>
                    KeyValuePair.Create("base_model.model." + (k.StartsWith("unet.", StringComparison.Ordinal) ? k[5..] : k), from.Read(k))
                )
            );
        var targets = LoraTargets.Of(pipeline.Model);
        using var one = SafetensorsFile.Open(golden);
        using var two = SafetensorsFile.Open(path);
        var (expected, found) = (LoraFile.Read(one, targets), LoraFile.Read(two, targets));
        Assert.Equal(expected.Select(l => (l.Net, l.Module, l.Scale)), found.Select(l => (l.Net, l.Module, l.Scale)));
        Assert.All(
            expected.Zip(found),
            pair => Assert.True(pair.First.Delta().equal(pair.Second.Delta()).all().item<bool>(), pair.First.Module)
        );
    }

    public static TheoryData<string, long[], bool> Magnitudes => new()
    {
        // "out" and "in" stand for the layer's sides
        { "[out]", [-1], true },
        { "[out, 1]", [-1, 1], true },
        { "[out, 1, 1, 1]", [-1, 1, 1, 1], true },
        { "[1, in]", [1, -2], false },
        { "[1, 1]", [1, 1], false },
        { "[1, out]", [1, -1], false },
        { "[]", [], false },
    };

    [Theory]
    [MemberData(nameof(Magnitudes))]
    public void A_DoRA_magnitude_has_one_length_an_output_row_and_any_other_shape_is_refused(string name, long[] shape, bool fits)
    {
        // a square layer (in = out), where a flattened [1, in] would pass
        foreach (var suffix in new[] { "attn1.to_q", "attn2.to_k" })
        {
            var (module, layer) = pipeline
                .Model.UNet.named_modules()
                .Where(m => m.module is Linear && m.name.EndsWith(suffix, StringComparison.Ordinal))
                .Select(m => (m.name, (Linear)m.module))
                .First();
            var (down, up) = Factors(layer, 0);
            var stem = LoraFile.KohyaName("unet", module, Names);
            var path = Path.Combine(folder, "dora.safetensors");
            SafetensorsWriter.Write(
                path,
                new Dictionary<string, Tensor>
                {
                    [stem + ".lora_down.weight"] = down,
                    [stem + ".lora_up.weight"] = up,
                    [stem + ".alpha"] = Num((float)Rank).AsTensor(ScalarType.Float32),
                    [stem + ".dora_scale"] =
                        ones([
                            .. shape.Select(s =>
                                s == -1 ? layer.Weight.shape[0]
                                : s == -2 ? layer.Weight.shape[1]
                                : s
                            ),
                        ]) * Num(2),
                }
            );
            using var tune = FineTune.Load(path);
            if (fits)
            {
                pipeline.Apply(tune, 1);
                // Every row of W' has the length that the file says.
                using var guard = no_grad();
                var rows = (layer.call(eye(layer.Weight.shape[1])) - layer.call(zeros(1, layer.Weight.shape[1]))).t();
                Golden.Close(ones(layer.Weight.shape[0]) * Num(2), rows.Squared().sum(1).sqrt(), Golden.Pass, name);
                pipeline.Apply(null, 1);
                continue;
            }
            var error = Assert.Throws<SafetensorsException>(() => pipeline.Apply(tune, 1)).Message;
            Assert.Contains($"'{stem}.dora_scale' is [", error);
            Assert.Equal(
                name == "[1, in]" || name == "[1, out]" && layer.Weight.shape[0] == layer.Weight.shape[1],
                error.Contains("wd_on_out=false", StringComparison.Ordinal)
            );
        }
    }
}
