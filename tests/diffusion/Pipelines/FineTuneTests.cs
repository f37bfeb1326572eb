using System.Formats.Tar;
using Sdxl.Diffusion.Adapters;
using Sdxl.Diffusion.Export;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Nets;
using Sdxl.Diffusion.Pipelines;
using Sdxl.Diffusion.Randomness;
using Sdxl.Diffusion.Tests.Models;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Pipelines;

/// <summary>Every file that a training leaves (and others offer) can be applied; what a file is, is told by its content.</summary>
public sealed class FineTuneTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("sdxl-finetune-").FullName;
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();
    private readonly SdxlPipeline pipeline = SdxlPipeline.Load(Golden.BaseFolder, null, DiffusionDevice.Cpu);

    public void Dispose()
    {
        pipeline.Dispose();
        scope.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private static readonly GenerationSettings s_settings = new()
    {
        Prompt = "a photo of TOK on the grass",
        Width = 64,
        Height = 64,
        Steps = 2,
        Seed = 3,
        ApplyWatermark = false,
    };

    private byte[] Draw(string? path, string? prompt = null)
    {
        using var tune = path is null ? null : FineTune.Load(path);
        pipeline.Apply(tune, 1);
        return pipeline.Generate(s_settings with { Prompt = prompt ?? s_settings.Prompt }, null, CancellationToken.None)[0].Rgb;
    }

    private string At(params string[] parts)
    {
        var path = Path.Combine([folder, .. parts]);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    private Tensor Random(long index, params long[] shape) => CounterRandom.Normal(9, RandomPurpose.InitialWeights, 0, index, shape);

    private (Tensor Rows1, Tensor Rows2) Rows(long index, int vectors) =>
        (
            Random(index, vectors, pipeline.Model.TextEncoder!.Config.HiddenSize),
            Random(index + 1, vectors, pipeline.Model.TextEncoder2.Config.HiddenSize)
        );

    private List<LoraLayer> Lora() =>
        [
            .. pipeline
                .Model.UNet.named_modules()
                .Where(m => m.module is Linear && m.name.Contains(".attn2.to_", StringComparison.Ordinal))
                .Select(
                    (m, i) =>
                        new LoraLayer(
                            "unet",
                            m.name,
                            Random(2 * i, 4, ((Linear)m.module).Weight.shape[1]),
                            Random(2 * i + 1, ((Linear)m.module).Weight.shape[0], 4),
                            1
                        )
                ),
        ];

    [Theory]
    [InlineData("""{"": "<s0><s1>"}""", "empty trigger word")]
    [InlineData("""{"TOK": "<s0>", "tok": "<s1>"}""", "'TOK' and 'tok'")]
    public void Trigger_words_that_no_prompt_can_name_are_refused(string special, string said)
    {
        var (rows1, rows2) = Rows(900, 2);
        LoraExport.WriteCog(At("words", TrainedModelTar.LoraName), Lora());
        EmbeddingFile.WriteCog(At("words", TrainedModelTar.EmbeddingsName), rows1, rows2);
        File.WriteAllText(At("words", TrainedModelTar.SpecialParamsName), special);
        var error = Assert.Throws<InvalidDataException>(() => FineTune.Load(Path.Combine(folder, "words")));
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_LoRA_that_names_a_trigger_word_without_holding_its_vectors_says_so()
    {
        var names = SdxlModel.NamesFor(pipeline.Model.UNet.Config, pipeline.Model.Vae.Config);
        LoraExport.WriteKohya(
            At("alone", "gizmo-kohya.safetensors"),
            Lora(),
            names,
            new Dictionary<string, string> { ["modelspec.trigger_phrase"] = "TOK, CAT" }
        );
        using (var alone = FineTune.Load(At("alone", "gizmo-kohya.safetensors")))
            Assert.Equal(["TOK", "CAT"], alone.WordsWithoutVectors);
        var (rows1, rows2) = Rows(900, 2);
        EmbeddingFile.WriteWebUi(At("alone", "TOK.safetensors"), rows1, rows2);
        using (var beside = FineTune.Load(Path.Combine(folder, "alone")))
            Assert.Equal(["CAT"], beside.WordsWithoutVectors);
    }

    [Fact]
    public void A_text_encoders_change_alone_is_told_for_a_LoRA()
    {
        const string layer = "text_encoder.text_model.encoder.layers.0.self_attn.q_proj.lora_linear_layer.";
        var width = pipeline.Model.TextEncoder!.Config.HiddenSize;
        SafetensorsWriter.Write(
            At("te.safetensors"),
            new Dictionary<string, Tensor> { [layer + "down.weight"] = Random(1, 4, width), [layer + "up.weight"] = Random(2, width, 4) }
        );
        Assert.NotEqual(Draw(null), Draw(At("te.safetensors")));
    }

    [Fact]
    public void A_folder_of_LoRA_files_and_embeddings_draws_what_the_tar_of_the_same_training_draws()
    {
        var (lora, (rows1, rows2)) = (Lora(), Rows(900, 2));
        var names = SdxlModel.NamesFor(pipeline.Model.UNet.Config, pipeline.Model.Vae.Config);
        LoraExport.WriteCog(At("tar", TrainedModelTar.LoraName), lora);
        EmbeddingFile.WriteCog(At("tar", TrainedModelTar.EmbeddingsName), rows1, rows2);
        File.WriteAllBytes(At("tar", TrainedModelTar.SpecialParamsName), TrainedModelTar.SpecialParams("TOK", 2));
        var tar = At("out", TrainedModelTar.FileName);
        TrainedModelTar.Write(tar, [.. Directory.GetFiles(At("tar", "x")[..^2]).Select(f => (Path.GetFileName(f), f))]);
        var expected = Draw(tar);

        LoraExport.WriteKohya(At("web", "gizmo-kohya.safetensors"), lora, names, new Dictionary<string, string>());
        EmbeddingFile.WriteWebUi(At("web", "TOK.safetensors"), rows1, rows2);
        Assert.Equal(expected, Draw(At("web", "x")[..^2]));
        // The same LoRA in another format is no second one; config.json and the like are passed over.
        LoraExport.WritePeft(At("web", "gizmo-peft.safetensors"), lora);
        File.WriteAllText(At("web", "config.json"), "{}");
        Assert.Equal(expected, Draw(At("web", "x")[..^2]));
        // A tar of these files, under any name, and a training's whole output folder.
        var packed = At("packed.bin2");
        TarFile.CreateFromDirectory(At("web", "x")[..^2], packed, includeBaseDirectory: false);
        Assert.Equal(expected, Draw(packed));
        File.Copy(At("web", "TOK.safetensors"), At("out", "TOK.safetensors"));
        Assert.Equal(expected, Draw(At("out", "x")[..^2]));
        // One file alone, whatever its name.
        File.Copy(At("web", "gizmo-peft.safetensors"), At("weights"));
        Assert.Equal(Draw(At("web", "gizmo-kohya.safetensors")), Draw(At("weights")));
    }

    [Fact]
    public void Embeddings_are_triggered_by_their_files_names_several_at_once()
    {
        var ((a1, a2), (b1, b2)) = (Rows(100, 2), Rows(200, 3));
        EmbeddingFile.WriteWebUi(At("one", "CAT.safetensors"), a1, a2);
        EmbeddingFile.WriteWebUi(At("two", "CAT.safetensors"), a1, a2);
        EmbeddingFile.WriteWebUi(At("two", "DOG.safetensors"), b1, b2);
        EmbeddingFile.WriteWebUi(At("dog", "DOG-embedding.safetensors"), b1, b2);

        using (var tune = FineTune.Load(At("two", "x")[..^2]))
        {
            Assert.Equal(new Dictionary<string, string> { ["CAT"] = "<s0><s1>", ["DOG"] = "<s2><s3><s4>" }, tune.SpecialParams);
            Assert.Equal((5, 5), (tune.Rows1!.shape[0], tune.Rows2!.shape[0]));
        }
        const string cat = "a photo of CAT", dog = "a photo of dog";
        Assert.Equal(Draw(At("one", "CAT.safetensors"), cat), Draw(At("two", "x")[..^2], cat));
        Assert.Equal(Draw(At("dog", "DOG-embedding.safetensors"), dog), Draw(At("two", "x")[..^2], dog));
        Assert.NotEqual(Draw(null, cat), Draw(At("one", "CAT.safetensors"), cat));
        Assert.Equal(Draw(null, dog), Draw(At("one", "CAT.safetensors"), dog));
    }

    [Fact]
    public void An_embedding_bundled_into_a_LoRAs_file_draws_what_it_draws_beside_it()
    {
        var (lora, (rows1, rows2)) = (Lora(), Rows(900, 2));
        LoraExport.WriteKohya(
            At("beside", "gizmo.safetensors"),
            lora,
            SdxlModel.NamesFor(pipeline.Model.UNet.Config, pipeline.Model.Vae.Config),
            new Dictionary<string, string>()
        );
        EmbeddingFile.WriteWebUi(At("beside", "TOK.safetensors"), rows1, rows2);
        using (var file = SafetensorsFile.Open(At("beside", "gizmo.safetensors")))
        {
            var whole = file.Entries.Keys.ToDictionary(k => k, k => file.Read(k));
            (whole["bundle_emb.TOK.clip_l"], whole["bundle_emb.TOK.clip_g"]) = (rows1, rows2);
            SafetensorsWriter.Write(At("bundled.safetensors"), whole);
            whole.Remove("bundle_emb.TOK.clip_g");
            SafetensorsWriter.Write(At("half.safetensors"), whole);
        }
        Assert.Equal(Draw(At("beside", "x")[..^2]), Draw(At("bundled.safetensors")));
        Assert.NotEqual(Draw(At("beside", "gizmo.safetensors")), Draw(At("bundled.safetensors")));
        Assert.Contains("'TOK' without", Assert.Throws<SafetensorsException>(() => FineTune.Load(At("half.safetensors"))).Message);
    }

    [Fact]
    public void A_single_file_checkpoint_replaces_the_nets_it_holds_and_leaves_nothing_behind()
    {
        var plain = Draw(null);
        var whole = At("full", "gizmo.safetensors");
        SingleFiles.Write(
            whole,
            pipeline.Model,
            (name, weight) => name.StartsWith("unet.", StringComparison.Ordinal) ? weight * Num(1.1) : weight
        );
        SingleFiles.Write(At("unet.safetensors"), pipeline.Model, (_, weight) => weight * Num(1.1), "unet");
        SafetensorsWriter.Write(
            At("diffusers.safetensors"),
            pipeline.Model.UNet.named_parameters().Select(p => KeyValuePair.Create(p.name, p.parameter.detach() * Num(1.1)))
        );
        SingleFiles.Write(
            At("other.safetensors"),
            pipeline.Model,
            (name, weight) => name.StartsWith("text_encoder_2.", StringComparison.Ordinal) ? weight * Num(0.9) : weight
        );

        var drawn = Draw(whole);
        Assert.NotEqual(plain, drawn);
        Assert.Equal(plain, Draw(null));
        Assert.Equal(drawn, Draw(At("unet.safetensors")));
        Assert.Equal(drawn, Draw(At("diffusers.safetensors")));
        Assert.NotEqual(plain, Draw(At("other.safetensors")));
        Assert.Equal(plain, Draw(null));
        // With the trigger word's rows beside it, as a full fine-tune leaves them.
        var (rows1, rows2) = Rows(900, 2);
        EmbeddingFile.WriteWebUi(At("full", "TOK.safetensors"), rows1, rows2);
        Assert.NotEqual(drawn, Draw(At("full", "x")[..^2]));
    }

    [Fact]
    public void Files_that_are_nothing_or_too_much_are_refused_by_one_clear_error()
    {
        void Refused<T>(string path, string says)
            where T : Exception => Assert.Contains(says, Assert.Throws<T>(() => FineTune.Load(path)).Message);
        var lora = Lora();
        LoraExport.WritePeft(At("two", "a.safetensors"), lora);
        LoraExport.WritePeft(At("two", "b.safetensors"), lora);
        Refused<InvalidDataException>(At("two", "x")[..^2], "holds both 'a.safetensors' and 'b.safetensors'");
        SafetensorsWriter.Write(At("other.safetensors"), new Dictionary<string, Tensor> { ["encoder.layer.0.weight"] = ones(2) });
        Refused<SafetensorsException>(
            At("other.safetensors"),
            "neither a LoRA, an SDXL embedding (clip_l and clip_g), a U-Net nor a checkpoint"
        );
        Directory.CreateDirectory(At("empty", "x")[..^2]);
        Refused<InvalidDataException>(At("empty", "x")[..^2], "holds nothing to apply");
        File.WriteAllBytes(At("pickle", "pytorch_lora_weights.bin"), [1, 2]);
        Refused<SafetensorsException>(At("pickle", "x")[..^2], "never read");
        Refused<SafetensorsException>(At("pickle", "pytorch_lora_weights.bin"), "never read");
        File.WriteAllBytes(At("packed.tar.gz"), [0x1F, 0x8B, 8, 0, 1]);
        Refused<InvalidDataException>(At("packed.tar.gz"), "compressed by gzip");
        EmbeddingFile.WriteCog(At("bad", TrainedModelTar.EmbeddingsName), ones(1, 4), ones(1, 4));
        File.WriteAllText(At("bad", TrainedModelTar.SpecialParamsName), "{\"TOK\": 1}");
        Refused<InvalidDataException>(At("bad", "x")[..^2], "special_params.json is not an object of texts");
        Refused<FileNotFoundException>(At("none"), "There is no fine-tune");
    }
}
