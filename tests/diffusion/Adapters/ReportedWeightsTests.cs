using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Pipelines;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Adapters;

/// <summary>
/// Weights after public bug reports of people who draw with others' files (fixtures/reports): each with what must come of it.
/// </summary>
public sealed class ReportedWeightsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("sdxl-weights-").FullName;
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();
    private readonly SdxlPipeline pipeline = SdxlPipeline.Load(Path.Combine(TestPaths.Models, "toy-sdxl"), null, DiffusionDevice.Cpu);

    public void Dispose()
    {
        pipeline.Dispose();
        scope.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private byte[] Draw(string? path, double strength = 1, string prompt = "a photo of a purple circle on the grass")
    {
        using var tune = path is null ? null : FineTune.Load(path);
        pipeline.Apply(tune, strength);
        var settings = new GenerationSettings { Prompt = prompt, Width = 64, Height = 64, Steps = 2, Seed = 3, ApplyWatermark = false,
            CheckSafety = false };
        return pipeline.Generate(settings, null, CancellationToken.None)[0].Rgb;
    }

    private static string Reported(string name) => TestPaths.Fixture("reports", name);

    private static string Reference => Reported("w00-reference-peft.safetensors");

    /// <summary>The reference with its tensors changed.</summary>
    private string Changed(string name, Func<string, Tensor, IEnumerable<(string, Tensor)>> change, string? of = null)
    {
        using var file = SafetensorsFile.Open(of ?? Reference);
        var path = Path.Combine(folder, name + ".safetensors");
        SafetensorsWriter.Write(path, file.Entries.Keys.SelectMany(key => change(key, file.Read(key)))
            .Select(t => KeyValuePair.Create(t.Item1, t.Item2)));
        return path;
    }

    [Theory]
    [InlineData("w01-peft-adapter-name.safetensors")]
    [InlineData("w02-torch-compile-prefix.safetensors")]
    [InlineData("w03-onetrainer-dotted.safetensors")]
    public void The_same_numbers_in_another_spelling_draw_the_same_picture(string name)
    {
        var expected = Draw(Reference);
        Assert.NotEqual(Draw(null), expected);
        Assert.Equal(expected, Draw(Reported(name)));
    }

    private static readonly string[] s_projections = ["to_q", "to_k", "to_v", "to_out.0"];

    public static TheoryData<string> Spellings => new(
        "diffusers", "diffusers, former", "diffusers, former, no prefix", "diffusers, processor in front", "PEFT itself", "kohya",
            "kohya, diffusers' blocks", "ComfyUI", "ComfyUI, PEFT's ends",
        "OneTrainer", "LyCORIS", "a checkpoint's", "compiled inside", "adapter's name in kohya's end", "DistributedDataParallel");

    [Theory]
    [MemberData(nameof(Spellings))]
    public void Every_spelling_of_the_reference_draws_its_picture(string spelling)
    {
        var names = SdxlModel.NamesFor(pipeline.Model.UNet.Config, pipeline.Model.Vae.Config);
        string Spell(string module, bool down)
        {
            var projection = Array.Find(s_projections, p => module.EndsWith('.' + p))!;
            var (attention, former) = (module[..^(projection.Length + 1)], projection == "to_out.0" ? "to_out" : projection);
            var (end, peft) = (down ? "down.weight" : "up.weight", down ? "lora_A" : "lora_B");
            string Folded(string name) => name.Replace('.', '_');
            return spelling switch
            {
                "diffusers" => $"unet.{module}.lora.{end}",
                "diffusers, former" => $"unet.{attention}.processor.{former}_lora.{end}",
                "diffusers, former, no prefix" => $"{attention}.{former}_lora.{end}",
                "diffusers, processor in front" => $"{attention}.processor.{former}_lora.{end}",
                "PEFT itself" => $"base_model.model.{module}.{peft}.weight",
                "kohya" => $"lora_unet_{Folded(names.UNet(module))}.lora_{end}",
                "kohya, diffusers' blocks" => $"lora_unet_{Folded(module)}.lora_{end}",
                "ComfyUI" => $"diffusion_model.{names.UNet(module)}.lora_{end}",
                "ComfyUI, PEFT's ends" => $"diffusion_model.{names.UNet(module)}.{peft}.weight",
                "OneTrainer" => $"unet.{names.UNet(module)}.lora_{end}",
                "LyCORIS" => $"lycoris_{Folded(module)}.lora_{end}",
                "a checkpoint's" => $"model.diffusion_model.{names.UNet(module)}.lora_{end}",
                "compiled inside" => $"unet.{module.Replace(".attn", "._orig_mod.attn", StringComparison.Ordinal)}.{peft}.weight",
                "adapter's name in kohya's end" => $"lora_unet_{Folded(module)}.lora_{(down ? "down" : "up")}.my-style.weight",
                _ => $"module.{module}.{peft}.weight",
            };
        }
        var path = Changed("spelled", (key, tensor) =>
            [(Spell(key["unet.".Length..key.IndexOf(".lora_", StringComparison.Ordinal)],
            key.Contains("lora_A", StringComparison.Ordinal)), tensor)]);
        Assert.Equal(Draw(Reference), Draw(path));
    }

    [Fact]
    public void Two_adapters_in_one_file_are_named()
    {
        var path = Changed("two", (key, tensor) =>
            [(key.Replace(".weight", ".one.weight", StringComparison.Ordinal), tensor),
                (key.Replace(".weight", ".two.weight", StringComparison.Ordinal), tensor)]);
        Assert.Contains("several adapters (one, two)", Assert.Throws<SafetensorsException>(() => Draw(path)).Message);
    }

    [Fact]
    public void W05_a_LoCon_is_applied_with_its_convolution()
    {
        var path = Reported("w05-locon.safetensors");
        var drawn = Draw(path);
        Assert.NotEqual(Draw(Reference), drawn);
        var linear = Changed("linear", (key, tensor) => tensor.shape.Length == 4 || key.Contains("in_layers", StringComparison.Ordinal)
            ? [] : [(key, tensor)], path);
        Assert.Equal(Draw(Reference), Draw(linear));
        var plain = Draw(null);
        Draw(path);
        Assert.Equal(plain, Draw(null)); // nothing stays
        Assert.Equal(plain, Draw(path, strength: 0));
    }

    [Fact]
    public void W06_a_LoKr_is_applied()
    {
        var path = Reported("w06-lokr.safetensors");
        var drawn = Draw(path);
        Assert.NotEqual(Draw(null), drawn);
        // The same change as one low-rank product that spans it: W = I · W.
        var whole = Changed("whole", (key, tensor) =>
        {
            if (!key.EndsWith("lokr_w1", StringComparison.Ordinal))
                return [];
            using var file = SafetensorsFile.Open(path);
            var stem = key[..^".lokr_w1".Length].Replace("lycoris_", "lora_unet_", StringComparison.Ordinal);
            var delta = kron(tensor, file.Read(key[..^1] + "2"));
            return [(stem + ".lora_up.weight", eye(delta.shape[0])), (stem + ".lora_down.weight", delta)];
        }, path);
        Assert.Equal(Draw(whole), drawn);
    }

    [Fact]
    public void W06_IA3_is_named() =>
        Assert.Contains("holds IA3", Assert.Throws<SafetensorsException>(() => Draw(Reported("w06-ia3.safetensors"))).Message);

    [Theory]
    [InlineData("lora_unet_input_blocks_1_0_in_layers_2.diff", "full-rank difference")]
    [InlineData("lora_unet_input_blocks_1_0_in_layers_2.oft_blocks", "OFT")]
    [InlineData("lora_unet_input_blocks_1_0_in_layers_0.w_norm", "trained norms")]
    [InlineData("unet.down_blocks.1.attentions.0.proj_in.lora_B.bias", "trained biases")]
    [InlineData("unet.down_blocks.1.attentions.0.proj_in.ia3_l", "IA3")]
    [InlineData("unet.down_blocks.1.attentions.0.proj_in.vera_lambda_b", "VeRA")]
    [InlineData("lora_unet_input_blocks_4_1_proj_in.a1.weight", "GLoRA")]
    public void Kinds_that_are_not_applied_are_named_alone_and_beside_a_LoRA(string tensor, string kind)
    {
        var alone = Path.Combine(folder, "alone.safetensors");
        SafetensorsWriter.Write(alone, new Dictionary<string, Tensor> { [tensor] = ones(4) });
        var beside = Changed("beside", (key, value) =>
            key.Contains("down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.lora_A", StringComparison.Ordinal)
            ? [(key, value), (tensor, ones(4))] : [(key, value)]);
        foreach (var path in new[] { alone, beside })
            Assert.Matches($"holds .*{kind}.*'{System.Text.RegularExpressions.Regex.Escape(tensor)}'",
                Assert.Throws<SafetensorsException>(() => Draw(path)).Message);
    }

    [Fact]
    public void W07_numbers_of_8_bits_are_read()
    {
        using var file = SafetensorsFile.Open(Reported("w07-fp8.safetensors"));
        var path = Path.Combine(folder, "wide.safetensors");
        SafetensorsWriter.Write(path, file.Entries.Keys.Select(key => KeyValuePair.Create(key, file.Read(key))));
        var drawn = Draw(Reported("w07-fp8.safetensors"));
        Assert.Equal(Draw(path), drawn);
        Assert.NotEqual(Draw(null), drawn);
    }

    [Fact]
    public void W09_a_LoRA_and_a_trigger_word_in_one_file_are_both_applied()
    {
        var path = Reported("w09-lora-with-clip-keys.safetensors");
        var word = Path.GetFileNameWithoutExtension(path);
        using (var tune = FineTune.Load(path))
            Assert.Equal(new Dictionary<string, string> { [word] = "<s0><s1>" }, tune.SpecialParams);
        var prompt = $"a photo of {word} on the grass";
        var lora = Changed("lora", (key, tensor) => key.StartsWith("clip_", StringComparison.Ordinal) ? [] : [(key, tensor)], path);
        var beside = Directory.CreateDirectory(Path.Combine(folder, "beside")).FullName;
        File.Move(lora, Path.Combine(beside, "style.safetensors"));
        File.Move(Changed("rows", (key, tensor) => key.StartsWith("clip_", StringComparison.Ordinal) ? [(key, tensor)] : [], path),
            Path.Combine(beside, word + ".safetensors"));
        var drawn = Draw(path, prompt: prompt);
        Assert.Equal(Draw(beside, prompt: prompt), drawn);
        Assert.NotEqual(Draw(Path.Combine(beside, "style.safetensors"), prompt: prompt), drawn);
        Assert.NotEqual(Draw(Path.Combine(beside, word + ".safetensors"), prompt: prompt), drawn);
    }

    [Fact]
    public void W12_weights_with_NaN_are_refused_by_the_tensors_name()
    {
        using var file = SafetensorsFile.Open(Reported("w12-nan.safetensors"));
        var bad = file.Entries.Keys.Single(key => file.Read(key).isnan().any().item<bool>());
        var error = Assert.Throws<SafetensorsException>(() => Draw(Reported("w12-nan.safetensors"))).Message;
        Assert.Contains($"tensor '{bad}' holds NaN (1 of ", error);
        Assert.Contains("lower learning rate", error);
    }

    [Theory]
    [InlineData(float.NaN, "holds NaN (1 of ")]
    [InlineData(float.PositiveInfinity, "holds infinity (1 of ")]
    public void Whole_nets_and_embeddings_with_such_numbers_are_refused_too(float bad, string says)
    {
        var model = pipeline.Model;
        var plain = Draw(null);
        Tensor Spoilt(Tensor weight)
        {
            var copy = weight.detach().clone();
            copy.flatten()[0] = tensor(bad);
            return copy;
        }
        var unet = Path.Combine(folder, "unet.safetensors");
        SafetensorsWriter.Write(unet, model.UNet.named_parameters()
            .Select(p => KeyValuePair.Create(p.name, p.name == "mid_block.resnets.0.conv1.bias" ? Spoilt(p.parameter) : p.parameter)));
        Assert.Contains($"'mid_block.resnets.0.conv1.bias' {says}", Assert.Throws<SafetensorsException>(() => Draw(unet)).Message);
        var checkpoint = Path.Combine(folder, "checkpoint.safetensors");
        Models.SingleFiles.Write(checkpoint, model, (name, weight) => name == "unet.mid_block.resnets.0.conv1.bias" ? Spoilt(weight)
            : weight, "unet");
        Assert.Contains($"'model.diffusion_model.middle_block.0.in_layers.2.bias' {says}",
            Assert.Throws<SafetensorsException>(() => Draw(checkpoint)).Message);
        var rows = Path.Combine(folder, "TOK.safetensors");
        Sdxl.Diffusion.Export.EmbeddingFile.WriteWebUi(rows, ones(2, model.TextEncoder!.Config.HiddenSize),
            Spoilt(ones(2, model.TextEncoder2.Config.HiddenSize)));
        Assert.Contains($"'clip_g' {says}", Assert.Throws<SafetensorsException>(() => Draw(rows)).Message);
        Assert.Equal(plain, Draw(null));
    }

    [Fact]
    public void Weights_that_are_finite_and_far_too_large_fail_with_a_sentence_and_no_picture()
    {
        var plain = Draw(null);
        // Each product is finite, their change is not.
        var overflowing = Changed("overflowing", (key, tensor) => [(key, tensor * Num(1e30))]);
        Assert.Contains("infinite in Float32", Assert.Throws<SafetensorsException>(() => Draw(overflowing)).Message);
        // The changed weights are finite, what the net computes with them is not.
        var large = Changed("large", (key, tensor) =>
            [(key, key.Contains("lora_B", StringComparison.Ordinal) ? tensor * Num(1e35) : tensor)]);
        var error = Assert.Throws<DrawingFailedException>(() => Draw(large)).Message;
        Assert.Contains("Picture 1 of 1 (seed 3) cannot be drawn", error);
        Assert.Equal(plain, Draw(null));
    }

    public static TheoryData<string, string, string> TextEncoderSpellings => new()
    {
        { "kohya", "lora_te1_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight",
            "lora_te2_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight" },
        { "PEFT", "text_encoder.text_model.encoder.layers.0.self_attn.q_proj.lora_A.weight",
            "text_encoder_2.text_model.encoder.layers.0.self_attn.q_proj.lora_A.weight" },
        { "diffusers", "text_encoder.text_model.encoder.layers.0.self_attn.q_proj.lora_linear_layer.down.weight",
            "text_encoder_2.text_model.encoder.layers.0.self_attn.q_proj.lora_linear_layer.down.weight" },
        { "diffusers, former", "text_encoder.text_model.encoder.layers.0.self_attn.to_q_lora.down.weight",
            "text_encoder_2.text_model.encoder.layers.0.self_attn.to_q_lora.down.weight" },
        { "OneTrainer", "clip_l.text_model.encoder.layers.0.self_attn.q_proj.lora_down.weight",
            "clip_g.text_model.encoder.layers.0.self_attn.q_proj.lora_down.weight" },
        { "ComfyUI", "text_encoders.clip_l.transformer.text_model.encoder.layers.0.self_attn.q_proj.lora_down.weight",
            "text_encoders.clip_g.transformer.text_model.encoder.layers.0.self_attn.q_proj.lora_down.weight" },
    };

    [Theory]
    [MemberData(nameof(TextEncoderSpellings))]
    public void Both_text_encoders_are_changed_under_every_name(string program, string first, string second)
    {
        _ = program;
        var (width1, width2) = (pipeline.Model.TextEncoder!.Config.HiddenSize, pipeline.Model.TextEncoder2.Config.HiddenSize);
        string File(string name, string down1, string down2, int which)
        {
            string Up(string down) => down.Replace("lora_A", "lora_B", StringComparison.Ordinal).Replace("down.weight", "up.weight",
                StringComparison.Ordinal);
            var path = Path.Combine(folder, name + ".safetensors");
            var tensors = new Dictionary<string, Tensor>();
            if (which != 2)
                (tensors[down1], tensors[Up(down1)]) = (eye(2, width1), ones(width1, 2));
            if (which != 1)
                (tensors[down2], tensors[Up(down2)]) = (eye(3, width2), ones(width2, 3) * Num(-1));
            SafetensorsWriter.Write(path, tensors);
            return path;
        }
        var (kohya1, kohya2) = ((string)TextEncoderSpellings.First()[1], (string)TextEncoderSpellings.First()[2]);
        var pictures = new[] { 0, 1, 2 }.Select(which => Draw(File("te", first, second, which))).ToList();
        for (var which = 0; which < 3; which++)
            Assert.Equal(Draw(File("kohya", kohya1, kohya2, which)), pictures[which]);
        Assert.Equal(4, pictures.Append(Draw(null)).Select(Convert.ToHexString).Distinct().Count());
    }
}
