using Sdxl.Diffusion.Export;
using Sdxl.Diffusion.Adapters;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Nets;
using Sdxl.Diffusion.Pipelines;
using Sdxl.Diffusion.Randomness;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;
using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Pipelines;

public sealed class PipelineTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("sdxl-pipeline-").FullName;
    private readonly SdxlPipeline pipeline = SdxlPipeline.Load(Golden.BaseFolder, Golden.RefinerFolders[0], DiffusionDevice.Cpu);

    private static readonly GenerationSettings s_settings = new()
    {
        Prompt = "a photo of TOK on the grass",
        NegativePrompt = "tok, blurry",
        Width = 64,
        Height = 48,
        Steps = 3,
        Seed = 11,
    };

    public void Dispose()
    {
        pipeline.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Output_k_is_repeated_alone_with_seed_plus_k()
    {
        var three = Draw(s_settings with { NumOutputs = 3 });
        Assert.Equal([11, 12, 13], three.Select(p => p.Seed));
        Assert.Equal(three[2].Rgb, Draw(s_settings with { Seed = 13 })[0].Rgb);
        Assert.NotEqual(three[0].Rgb, three[1].Rgb);
    }

    [Fact]
    public void Nothing_of_a_fine_tune_stays_when_it_is_swapped_or_taken_off()
    {
        var (first, second, full) = (LoraTar("a", 1), LoraTar("b", 2), FullFolder());
        var plain = Draw(s_settings)[0].Rgb;
        byte[] With(string? path, double scale = 1)
        {
            using var tune = path is null ? null : FineTune.Load(path);
            pipeline.Apply(tune, scale);
            return Draw(s_settings)[0].Rgb;
        }
        var (withFirst, withSecond, withFull) = (With(first), With(second), With(full));
        Assert.NotEqual(plain, withFirst);
        Assert.NotEqual(withFirst, withSecond);
        Assert.NotEqual(plain, withFull);
        Assert.NotEqual(withFirst, With(first, 0.5));

        Assert.Equal(withFirst, With(first));   // after the full one
        Assert.Equal(withSecond, With(second)); // after the first
        Assert.Equal(plain, With(null));        // the base model, to the bit
    }

    [Fact]
    public void The_trigger_word_counts_on_word_borders_in_any_case()
    {
        using var tune = FineTune.Load(LoraTar("words", 3));
        pipeline.Apply(tune, 1);
        var with = Draw(s_settings with { Prompt = "a photo of TOK" })[0].Rgb;
        Assert.Equal(with, Draw(s_settings with { Prompt = "a photo of tok" })[0].Rgb);
        Assert.Equal(with, Draw(s_settings with { Prompt = "a photo of <s0><s1>" })[0].Rgb);
        Assert.NotEqual(with, Draw(s_settings with { Prompt = "a photo of token" })[0].Rgb);
    }

    [Fact]
    public void Requests_leave_no_tensors_behind()
    {
        using var tune = FineTune.Load(LoraTar("leak", 4));
        long Once()
        {
            pipeline.Apply(tune, 1);
            Draw(s_settings with { Refine = RefineMode.ExpertEnsemble, Scheduler = "HeunDiscrete" });
            Draw(s_settings with { Refine = RefineMode.BaseImage, Scheduler = "PNDM" });
            pipeline.Apply(null, 1);
            return DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        }
        Once();
        Assert.Equal(Once(), Once());
    }

    [Theory]
    [InlineData("no_refiner")]
    [InlineData("expert_ensemble_refiner")]
    [InlineData("base_image_refiner")]
    public void A_picture_and_a_mask_keep_what_the_mask_keeps(string refine)
    {
        using var image = new Image<Rgb24>(64, 48, new Rgb24(200, 40, 60));
        using var mask = new Image<L8>(64, 48, new L8(0));
        using var painted = new Image<L8>(64, 48, new L8(255));
        var settings = s_settings with { Image = Png(image), Refine = refine, GuidanceScale = 2 };
        var kept = Draw(settings with { Mask = Png(mask) })[0].Rgb;
        var free = Draw(settings with { Mask = Png(painted) })[0].Rgb;
        Assert.NotEqual(kept, free);
        if (refine != RefineMode.None)
            return;
        // Nothing repainted: the picture goes through the VAE only.
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var latents = pipeline.Model.Vae.Scale(pipeline.Model.Vae.Encode(PictureTensors.Load(Png(image), 64, 48)).Mean);
        Assert.Equal(PictureTensors.ToRgb(pipeline.Decode(latents)), kept);
    }

    [Fact]
    public void A_refiner_is_read_when_asked_for_and_takes_from_the_base_model_what_its_folder_lacks()
    {
        var (small, whole) = (Path.Combine(folder, "small"), Path.Combine(folder, "whole"));
        foreach (var to in new[] { small, whole })
            CopyParts(Golden.RefinerFolders[0], to, "", "unet", "scheduler");
        CopyParts(Golden.BaseFolder, whole, "text_encoder_2", "tokenizer_2", "vae");
        var refined = s_settings with { Refine = RefineMode.BaseImage, RefineSteps = 10 }; // of which the last 3 are walked
        using var tune = FineTune.Load(LoraTar("refined", 5));
        byte[] With(string refiner)
        {
            using var one = SdxlPipeline.Load(Golden.BaseFolder, refiner, DiffusionDevice.Cpu);
            one.Apply(tune, 1);
            one.Generate(refined with { Refine = RefineMode.ExpertEnsemble, HighNoiseFrac = 0.4 }, null, default);
            return one.Generate(refined, null, default)[0].Rgb; // after the base model's parts were lent once
        }
        Assert.Equal(With(whole), With(small));

        // The files may come later: nothing of the refiner is read before it is asked for, and a failure is not remembered.
        using var late = SdxlPipeline.Load(Golden.BaseFolder, Path.Combine(folder, "late"), DiffusionDevice.Cpu);
        var plain = late.Generate(s_settings, null, default)[0].Rgb;
        Assert.Contains("late", Assert.Throws<InvalidDataException>(() => late.Generate(refined, null, default)).Message);
        Directory.Move(small, Path.Combine(folder, "late"));
        Assert.NotEqual(plain, late.Generate(refined, null, default)[0].Rgb);
        Assert.Equal(plain, late.Generate(s_settings, null, default)[0].Rgb);

        static void CopyParts(string from, string to, params string[] parts)
        {
            foreach (var part in parts)
            {
                Directory.CreateDirectory(Path.Combine(to, part));
                foreach (var file in Directory.GetFiles(Path.Combine(from, part)))
                    File.Copy(file, Path.Combine(to, part, Path.GetFileName(file)));
            }
        }
    }

    [Fact]
    public void Settings_out_of_range_are_refused_all_at_once()
    {
        var refused = Assert.Throws<ArgumentException>(() => Draw(s_settings with { Width = 63, Steps = 0, Scheduler = "EULER" }));
        Assert.Contains("Width is 63", refused.Message);
        Assert.Contains("Steps is 0", refused.Message);
        Assert.Contains("'EULER'", refused.Message);
        refused = Assert.Throws<ArgumentException>(() =>
            Draw(s_settings with { GuidanceScale = double.NaN, GuidanceRescale = 1.5, RefineSteps = 0 })
        );
        Assert.Contains("GuidanceScale is NaN", refused.Message);
        Assert.Contains("GuidanceRescale is", refused.Message);
        Assert.Contains("RefineSteps is 0", refused.Message);
    }

    [Fact]
    public void A_size_that_the_models_VAE_cannot_draw_is_refused_instead_of_drawn_smaller()
    {
        // The same model with one block more in its VAE, so that a latent pixel is twice as wide; its weights are random.
        var source = Golden.BaseFolder;
        var model = Path.Combine(folder, "deep");
        foreach (
            var file in Directory
                .GetFiles(source, "*", SearchOption.AllDirectories)
                .Where(f => !Path.GetRelativePath(source, f).StartsWith("vae", StringComparison.Ordinal))
        )
        {
            var copy = Path.Combine(model, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        var config = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(Path.Combine(source, "vae", "config.json")))!.AsObject();
        foreach (var list in new[] { "block_out_channels", "down_block_types", "up_block_types" })
            config[list]!.AsArray().Insert(0, config[list]![0]!.DeepClone());
        var configFile = Path.Combine(Directory.CreateDirectory(Path.Combine(model, "vae")).FullName, "config.json");
        File.WriteAllText(configFile, config.ToJsonString());
        using (no_grad())
        using (var vae = new AutoencoderKL(VaeConfig.Load(configFile), Placement.CpuFloat))
        {
            foreach (var parameter in vae.parameters())
                parameter.normal_(0, 0.05);
            SafetensorsWriter.Write(
                Path.Combine(model, "vae", "diffusion_pytorch_model.safetensors"),
                vae.named_parameters().Select(p => KeyValuePair.Create(p.name, (Tensor)p.parameter))
            );
        }
        using var pipeline = SdxlPipeline.Load(model, null, DiffusionDevice.Cpu);
        var settings = s_settings with { Width = 72, Height = 64, Image = null, Mask = null };
        Assert.Contains(
            "multiples of 16",
            Assert.Throws<ArgumentException>(() => pipeline.Generate(settings, null, default)).Message,
            StringComparison.Ordinal
        );
        Assert.Equal(64 * 64 * 3, pipeline.Generate(settings with { Width = 64 }, null, default)[0].Rgb.Length);
    }

    [Fact]
    public void A_large_picture_decoded_in_tiles_is_nearly_the_one_decoded_whole()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var model = SdxlModel.Load(Path.Combine(TestPaths.Models, "toy-sdxl"), DiffusionDevice.Cpu);
        using var sample = Image.Load<Rgb24>(Path.Combine(TestPaths.Models, "samples.png"));
        var picture = PictureTensors.Load(Png(sample), 384, 256);
        var latent = model.Vae.Encode(picture).Mean;
        var whole = TiledDecoder.Decode(model.Vae, latent, 1000);
        var tiled = TiledDecoder.Decode(model.Vae, latent, 24);
        Assert.Equal(whole.shape, tiled.shape);
        var apart = (whole - tiled).abs().mean().item<float>();
        var spread = whole.std().item<float>();
        Assert.True(apart < 0.1 * spread, $"tiles differ by {apart} on average; the picture's deviation is {spread}");
    }

    [Fact]
    public void A_fine_tune_of_another_base_model_is_refused_and_changes_nothing()
    {
        var plain = Draw(s_settings)[0].Rgb;
        var path = Path.Combine(folder, "other.safetensors");
        using (var scope = NewDisposeScope())
        {
            const string module = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora";
            SafetensorsWriter.Write(
                path,
                new Dictionary<string, Tensor> { [$"{module}.down.weight"] = ones(4, 640), [$"{module}.up.weight"] = ones(640, 4) }
            );
        }
        using var tune = FineTune.Load(path);
        Assert.Contains("another base model", Assert.Throws<SafetensorsException>(() => pipeline.Apply(tune, 1)).Message);
        Assert.Equal(plain, Draw(s_settings)[0].Rgb);
    }

    private IReadOnlyList<GeneratedPicture> Draw(GenerationSettings settings) => pipeline.Generate(settings, null, CancellationToken.None);

    /// <summary>A trained_model.tar with random weights.</summary>
    private string LoraTar(string name, long seed)
    {
        using var scope = NewDisposeScope();
        var (lora, rows, special, tar) = (
            Path.Combine(folder, $"{name}.safetensors"),
            Path.Combine(folder, $"{name}.pti"),
            Path.Combine(folder, $"{name}.json"),
            Path.Combine(folder, $"{name}.tar")
        );
        Tensor Random(long index, params long[] shape) => CounterRandom.Normal(seed, RandomPurpose.InitialWeights, 0, index, shape);
        var linears = pipeline
            .Model.UNet.named_modules()
            .Where(m => m.module is Sdxl.Diffusion.Nets.Linear && m.name.Contains(".attn2.to_"))
            .ToList();
        LoraExport.WriteCog(
            lora,
            [
                .. linears.Select(
                    (m, i) =>
                        new LoraLayer(
                            "unet",
                            m.name,
                            Random(2 * i, 4, ((Sdxl.Diffusion.Nets.Linear)m.module).Weight.shape[1]),
                            Random(2 * i + 1, ((Sdxl.Diffusion.Nets.Linear)m.module).Weight.shape[0], 4),
                            1
                        )
                ),
            ]
        );
        EmbeddingFile.WriteCog(
            rows,
            Random(900, 2, pipeline.Model.TextEncoder!.Config.HiddenSize),
            Random(901, 2, pipeline.Model.TextEncoder2.Config.HiddenSize)
        );
        File.WriteAllBytes(special, TrainedModelTar.SpecialParams("TOK", 2));
        TrainedModelTar.Write(
            tar,
            [(TrainedModelTar.LoraName, lora), (TrainedModelTar.EmbeddingsName, rows), (TrainedModelTar.SpecialParamsName, special)]
        );
        return tar;
    }

    /// <summary>A folder with a whole U-Net, a tenth louder than the base model's.</summary>
    private string FullFolder()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var path = Path.Combine(folder, "full");
        SafetensorsWriter.Write(
            Path.Combine(path, TrainedModelTar.UNetName),
            pipeline.Model.UNet.named_parameters().Select(p => KeyValuePair.Create(p.name, p.parameter * Num(1.1)))
        );
        return path;
    }

    private static byte[] Png(Image image)
    {
        using var stream = new MemoryStream();
        image.SaveAsPng(stream);
        return stream.ToArray();
    }
}
