using System.Security.Cryptography;
using Sdxl.Diffusion.Adapters;
using Sdxl.Diffusion.Export;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Pipelines;
using Sdxl.Diffusion.Randomness;
using Sdxl.Diffusion.Tests.Training;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Export;

/// <summary>What other programs read of a file before they load it.</summary>
[Collection("Training runs")]
public sealed class ExportHeaderTests : IDisposable
{
    private readonly TinyRuns runs = new();
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();

    public void Dispose()
    {
        scope.Dispose();
        runs.Dispose();
    }

    [Fact]
    public void The_kohya_header_tells_how_the_LoRA_was_trained_entry_by_entry()
    {
        var given = TinyRuns.Given();
        given["resolution"] = 72;
        given["max_train_steps"] = 2;
        given["gradient_accumulation_steps"] = 3;
        given["lr_scheduler"] = "cosine";
        given["optimizer"] = "lion";
        given["snr_gamma"] = 5;
        given["noise_offset"] = 0.0357;
        var run = runs.Start("header", given);
        using var file = SafetensorsFile.Open(Path.Combine(run.Plan.OutputFolder, "gizmo-kohya.safetensors"));

        var expected = new Dictionary<string, string>
        {
            ["modelspec.sai_model_spec"] = "1.0.0",
            ["modelspec.architecture"] = "stable-diffusion-xl-v1-base/lora",
            ["modelspec.title"] = "me/gizmo",
            ["modelspec.implementation"] = "https://github.com/Stability-AI/generative-models",
            ["modelspec.resolution"] = "72x72",
            ["modelspec.prediction_type"] = "epsilon",
            ["modelspec.trigger_phrase"] = "TOK",
            ["ss_base_model_version"] = "sdxl_base_v1-0",
            ["ss_sd_model_name"] = "tiny",
            ["ss_output_name"] = "gizmo",
            ["ss_resolution"] = "(72, 72)",
            ["ss_num_train_images"] = "4",
            ["ss_max_train_steps"] = "2",
            ["ss_batch_size_per_device"] = "2",
            ["ss_gradient_accumulation_steps"] = "3",
            ["ss_learning_rate"] = "0.01",
            ["ss_unet_lr"] = "0.01",
            ["ss_lr_scheduler"] = "cosine",
            ["ss_lr_warmup_steps"] = "1",
            ["ss_optimizer"] = "lion",
            ["ss_seed"] = "11",
            ["ss_min_snr_gamma"] = "5",
            ["ss_noise_offset"] = "0.0357",
            ["ss_v2"] = "False",
            ["ss_network_module"] = "networks.lora",
            ["ss_network_dim"] = "4",
            ["ss_network_alpha"] = "4",
        };
        foreach (var (key, value) in expected)
            Assert.Equal((key, value), (key, file.Metadata.GetValueOrDefault(key)));
        Assert.Contains("\"gizmo\":{", file.Metadata["ss_tag_frequency"], StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_fine_tunes_checkpoint_says_what_it_is_and_every_delivered_file_of_it_can_be_applied()
    {
        var given = TinyRuns.Given(lora: false);
        given["max_train_steps"] = 2;
        given["unet_learning_rate"] = 1e-3;
        var run = runs.Start("full", given);
        var single = Path.Combine(run.Plan.OutputFolder, "gizmo.safetensors");
        using (var file = SafetensorsFile.Open(single))
        {
            Assert.Equal(
                ("stable-diffusion-xl-v1-base", "me/gizmo", "64x64", "epsilon", "TOK"),
                (
                    file.Metadata["modelspec.architecture"],
                    file.Metadata["modelspec.title"],
                    file.Metadata["modelspec.resolution"],
                    file.Metadata["modelspec.prediction_type"],
                    file.Metadata["modelspec.trigger_phrase"]
                )
            );
            Assert.Equal("(64, 64)", file.Metadata["ss_resolution"]);
        }
        using var pipeline = SdxlPipeline.Load(run.Plan.Base.ModelPath, null, DiffusionDevice.Cpu);
        var before = pipeline.Model.UNet.named_parameters().ToDictionary(p => p.name, p => p.parameter.clone());
        Tensor Change()
        {
            using var guard = no_grad();
            return cat([.. pipeline.Model.UNet.named_parameters().Select(p => (p.parameter - before[p.name]).flatten())]);
        }
        void Apply(string path)
        {
            using var tune = FineTune.Load(path);
            pipeline.Apply(tune, 1);
        }
        Apply(Path.Combine(run.Plan.OutputFolder, TrainedModelTar.FileName));
        var trained = Change();
        Assert.True(trained.abs().max().item<float>() > 0);
        Apply(single);
        Assert.True(trained.equal(Change()).all().item<bool>(), "the single file changes the U-Net otherwise than the tar");
        pipeline.Apply(null, 1);
        Assert.Equal(0f, Change().abs().max().item<float>());
    }

    [Fact]
    public void The_hashes_that_user_interfaces_look_for_are_those_of_sd_scripts()
    {
        // Larger than 1 MiB: the old hash reads 64 KiB from there on.
        const string module = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q";
        var layer = new LoraLayer(
            "unet",
            module,
            CounterRandom.Normal(1, RandomPurpose.InitialWeights, 0, 0, 64, 4096),
            CounterRandom.Normal(1, RandomPurpose.InitialWeights, 0, 1, 4096, 64),
            1
        );
        var names = new SingleFileNames([2, 2, 2], [true, true, false], 4);
        Directory.CreateDirectory(runs.Folder);
        var (path, plain) = (Path.Combine(runs.Folder, "kohya.safetensors"), Path.Combine(runs.Folder, "plain.safetensors"));
        LoraExport.WriteKohya(
            path,
            [layer],
            names,
            new Dictionary<string, string> { ["ss_seed"] = "7", ["modelspec.title"] = "a title that must not count" }
        );

        using var file = SafetensorsFile.Open(path);
        var bytes = File.ReadAllBytes(path);
        var data = bytes.AsSpan(8 + (int)BitConverter.ToInt64(bytes));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(data)), file.Metadata["sshs_model_hash"]);
        // precalculate_safetensors_hashes: the file as it would be with the training's own metadata only.
        SafetensorsWriter.Write(plain, file.Entries.Keys.Select(k => KeyValuePair.Create(k, file.Read(k))),
            file.Metadata.Where(m => m.Key.StartsWith("ss_", StringComparison.Ordinal)).ToDictionary());
        var part = File.ReadAllBytes(plain).AsSpan(0x100000, 0x10000);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(part))[..8], file.Metadata["sshs_legacy_hash"]);
    }
}
