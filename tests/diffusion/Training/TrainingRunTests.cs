using System.Text.Json.Nodes;
using Sdxl.Core.Bases;
using Sdxl.Core.Trainings;
using Sdxl.Diffusion.Adapters;
using Sdxl.Diffusion.Export;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Schedulers;
using Sdxl.Diffusion.Tests.Models;
using Sdxl.Diffusion.Training;
using Sdxl.Tests;
using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Training;

/// <summary>Whole runs on the goldens' tiny model: from a data set's folder to files.</summary>
[Collection("Training runs")]
public sealed class TrainingRunTests : IDisposable
{
    private const int Steps = TinyRuns.Steps;
    private readonly TinyRuns runs = new();

    public void Dispose() => runs.Dispose();

    [Theory]
    [InlineData(true, 1)]
    [InlineData(true, 3)]
    [InlineData(true, 5)]
    [InlineData(false, 1)]
    [InlineData(false, 3)]
    [InlineData(false, 5)]
    public void A_training_stopped_after_any_step_and_resumed_ends_with_the_same_bytes(bool lora, int stopAfter)
    {
        var straight = runs.Start("straight", TinyRuns.Given(lora));
        Assert.IsType<TrainingOutcome.Completed>(straight.Outcome);

        using var stop = new CancellationTokenSource();
        var stopped = runs.Start(
            "resumed",
            TinyRuns.Given(lora),
            new TinyRuns.Recorder
            {
                OnStep = m =>
                {
                    if (m.Step == stopAfter)
                        stop.Cancel();
                },
            },
            stop.Token
        );
        Assert.Equal(new TrainingOutcome.Stopped(stopAfter), stopped.Outcome);
        var resumed = runs.Start("resumed", TinyRuns.Given(lora));
        Assert.Equal(stopAfter, resumed.Observer.ResumedAt);
        Assert.IsType<TrainingOutcome.Completed>(resumed.Outcome);

        TinyRuns.AssertSameFiles(straight.Plan, resumed.Plan);
        Assert.Equal(
            Enumerable.Range(1, Steps),
            MetricsLog.Read(Path.Combine(resumed.Plan.WorkFolder, MetricsLog.FileName)).Select(m => m.Step)
        );
    }

    [Fact]
    public void The_file_of_numbers_ends_at_the_step_that_a_resumed_training_says_it_begins_at()
    {
        var plan = runs.StopAfter(3, "resumed", TinyRuns.Given());
        var file = Path.Combine(plan.WorkFolder, MetricsLog.FileName);
        // As a worker leaves it that was killed behind its checkpoint.
        File.AppendAllText(file, File.ReadLines(file).Last().Replace("\"step\":3,", "\"step\":4,", StringComparison.Ordinal) + "\n");
        Assert.Equal(4, MetricsLog.Read(file).Last().Step);

        List<int> atStart = [];
        runs.Start("resumed", TinyRuns.Given(), new TinyRuns.Recorder
        {
            OnStarted = () => atStart.AddRange(MetricsLog.Read(file).Select(m => m.Step)),
        });
        Assert.Equal([1, 2, 3], atStart);
    }

    [Theory]
    [InlineData("adamw")]
    [InlineData("prodigy")]
    [InlineData("adafactor")]
    [InlineData("lion")]
    public void Every_optimizer_with_every_option_resumes_to_the_same_bytes(string optimizer)
    {
        var given = TinyRuns.Given(true);
        given["optimizer"] = optimizer;
        given["use_dora"] = true;
        given["lora_targets"] = "linear";
        given["lora_alpha"] = 2;
        given["snr_gamma"] = 5;
        given["noise_offset"] = 0.1;
        given["gradient_accumulation_steps"] = 2;
        given["lr_scheduler"] = "cosine";
        var straight = runs.Start("straight", given);
        using var stop = new CancellationTokenSource();
        runs.Start("resumed", given, new TinyRuns.Recorder { OnStep = m => { if (m.Step == 4) stop.Cancel(); } }, stop.Token);
        var resumed = runs.Start("resumed", given);
        TinyRuns.AssertSameFiles(straight.Plan, resumed.Plan);
        Assert.Contains(
            straight.Observer.Lines,
            l =>
                l.Contains("DoRA", StringComparison.Ordinal)
                && l.Contains("gizmo-kohya.safetensors", StringComparison.Ordinal)
                && l.Contains("A1111", StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("prodigy", 1e-4, true)]
    [InlineData("prodigy", 1.0, false)]
    [InlineData("adamw", 1e-4, false)]
    public void Prodigy_at_a_rate_meant_for_AdamW_is_said_to_learn_hardly_anything(string optimizer, double rate, bool said)
    {
        var given = TinyRuns.Given(true);
        given["max_train_steps"] = 1;
        given["optimizer"] = optimizer;
        given["lora_lr"] = rate;
        given["ti_lr"] = rate;
        var run = runs.Start("rates", given);
        Assert.Equal(said, run.Observer.Lines.Any(l => l.Contains("Set both to 1", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_torn_checkpoint_is_noticed_and_the_one_before_is_used()
    {
        var straight = runs.Start("straight", TinyRuns.Given(true));
        using var stop = new CancellationTokenSource();
        var given = TinyRuns.Given(true);
        runs.Start(
            "torn",
            given,
            new TinyRuns.Recorder
            {
                OnStep = m =>
                {
                    if (m.Step == 5)
                        stop.Cancel();
                },
            },
            stop.Token
        );
        var checkpoints = Directory
            .GetDirectories(Path.Combine(runs.Folder, "torn", "work", "checkpoints"))
            .Order(StringComparer.Ordinal)
            .ToList();
        Assert.Equal(["step-00000004", "step-00000005"], checkpoints.Select(Path.GetFileName));
        using (var state = new FileStream(Path.Combine(checkpoints[^1], CheckpointStore.StateName), FileMode.Open, FileAccess.ReadWrite))
            state.SetLength(state.Length - 100);

        var resumed = runs.Start("torn", given);

        Assert.Equal(4, resumed.Observer.ResumedAt);
        Assert.Contains(resumed.Observer.Lines, l => l.Contains("step-00000005 is not whole", StringComparison.Ordinal));
        TinyRuns.AssertSameFiles(straight.Plan, resumed.Plan);
    }

    [Theory]
    [InlineData(CheckpointStore.StateName)]
    [InlineData(CheckpointStore.InfoName)]
    public void One_flipped_bit_in_a_checkpoint_is_noticed_and_the_one_before_is_used(string file)
    {
        var plan = runs.StopAfter(5, "flipped", TinyRuns.Given());
        var path = Path.Combine(Path.GetDirectoryName(TinyRuns.NewestState(plan))!, file);
        var bytes = File.ReadAllBytes(path);
        var at = file == CheckpointStore.StateName ? bytes.Length - 5 : bytes.AsSpan().IndexOf("\"step\""u8);
        bytes[at] ^= 1;
        File.WriteAllBytes(path, bytes);

        var resumed = runs.Start("flipped", TinyRuns.Given());

        Assert.Equal(4, resumed.Observer.ResumedAt);
        Assert.Contains(resumed.Observer.Lines, l => l.Contains("step-00000005 is not whole", StringComparison.Ordinal));
    }

    [Fact]
    public void Only_the_newest_two_checkpoints_are_kept_and_other_settings_do_not_resume_from_them()
    {
        runs.Start("one", TinyRuns.Given(true));
        Assert.Equal(2, Directory.GetDirectories(Path.Combine(runs.Folder, "one", "work", "checkpoints")).Length);
        var other = TinyRuns.Given(true);
        other["lora_lr"] = 0.02;
        var again = runs.Start("one", other);
        Assert.Equal(0, again.Observer.ResumedAt);
        Assert.Contains(again.Observer.Lines, l => l.Contains("belongs to other settings", StringComparison.Ordinal));
    }

    [Fact]
    public void Later_checkpoints_of_other_settings_do_not_push_out_the_runs_own()
    {
        runs.Start("reused", TinyRuns.Given(true)); // leaves its last two
        var other = TinyRuns.Given(true);
        other["lora_lr"] = 0.02;
        using var stop = new CancellationTokenSource();
        runs.Start("reused", other, new TinyRuns.Recorder { OnStep = m => { if (m.Step == 3) stop.Cancel(); } }, stop.Token);
        Assert.Equal(3, runs.Start("reused", other).Observer.ResumedAt);
    }

    [Fact]
    public void A_loss_that_is_not_finite_goes_back_three_times_at_half_the_rate_then_fails_clearly()
    {
        var given = TinyRuns.Given(false);
        given["unet_learning_rate"] = 1;
        given["optimizer"] = "lion"; // every weight moves by 1 a step: the net overflows at once
        given["max_train_steps"] = 60;
        given["max_grad_norm"] = 0;
        var recorder = new TinyRuns.Recorder();
        var error = Assert.Throws<TrainingException>(() => runs.Start("diverging", given, recorder));
        Assert.Contains("unet_learning_rate", error.Message, StringComparison.Ordinal);
        Assert.Equal(3, recorder.Lines.Count(l => l.Contains("at half the rate", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("attention", false)]
    [InlineData("linear", false)]
    [InlineData("linear", true)]
    public void Every_LoRA_file_loads_back_to_the_same_weight_change(string targets, bool dora)
    {
        using var scope = NewDisposeScope();
        var given = TinyRuns.Given(true);
        given["lora_targets"] = targets;
        given["lora_alpha"] = 2;
        given["use_dora"] = dora;
        var run = runs.Start("files", given);
        var output = run.Plan.OutputFolder;
        var layers = Layers(run.Plan);
        Assert.NotEmpty(layers);

        var tar = Path.Combine(runs.Folder, "tar");
        Directory.CreateDirectory(tar);
        System.Formats.Tar.TarFile.ExtractToDirectory(Path.Combine(output, TrainedModelTar.FileName), tar, overwriteFiles: true);
        Assert.Equal(
            ["embeddings.pti", "lora.safetensors", "special_params.json"],
            Directory.GetFiles(tar).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        Assert.Equal("""{"TOK":"<s0><s1>"}""", File.ReadAllText(Path.Combine(tar, TrainedModelTar.SpecialParamsName)));

        using var model = SdxlModel.Load(run.Plan.Base.ModelPath, DiffusionDevice.Cpu);
        var names = SdxlModel.NamesFor(model.UNet.Config, model.Vae.Config);
        var modules = model.UNet.named_modules().Where(m => m.module is Sdxl.Diffusion.Nets.Linear).Select(m => m.name).ToList();
        var known = new LoraTargets(new Dictionary<string, IReadOnlyList<string>> { ["unet"] = modules }, names);
        foreach (var (path, marks) in new[]
        {
            (Path.Combine(tar, TrainedModelTar.LoraName), "processor.to_q_lora.down.weight"),
            (Path.Combine(output, "gizmo-kohya.safetensors"), "to_q.lora_down.weight"),
            (Path.Combine(output, "gizmo-peft.safetensors"), "to_q.lora_A.weight"),
        })
        {
            using var file = SafetensorsFile.Open(path);
            Assert.Contains(file.Entries.Keys, name => name.EndsWith(marks, StringComparison.Ordinal));
            var read = LoraFile.Read(file, known);
            var format = Path.GetFileName(path);
            Assert.Equal(
                layers.Select(l => l.Module).Order(StringComparer.Ordinal),
                read.Select(l => l.Module).Order(StringComparer.Ordinal)
            );
            foreach (var layer in layers)
            {
                var same = read.Single(r => r.Module == layer.Module);
                Assert.Equal(1.0, same.Scale);
                Close.To(layer.Delta(), same.Delta(), 1e-6, $"{format}: {layer.Module}");
                Assert.Equal(layer.Magnitude is null, same.Magnitude is null);
                if (layer.Magnitude is not null)
                    Close.To(layer.Magnitude, same.Magnitude!, 1e-6, $"{format}: magnitude of {layer.Module}");
            }
        }

        var (rows1, rows2) = EmbeddingFile.Read(Path.Combine(output, "TOK.safetensors"));
        var (cog1, cog2) = EmbeddingFile.Read(Path.Combine(tar, TrainedModelTar.EmbeddingsName));
        Assert.True(rows1.bytes.SequenceEqual(cog1.bytes) && rows2.bytes.SequenceEqual(cog2.bytes));
        Assert.Equal(2, rows1.shape[0]);
    }

    [Fact]
    public void The_kohya_file_has_alpha_equal_to_rank_and_the_header_that_user_interfaces_read()
    {
        using var scope = NewDisposeScope();
        var given = TinyRuns.Given(true);
        given["lora_alpha"] = 2;
        var run = runs.Start("header", given);
        using var file = SafetensorsFile.Open(Path.Combine(run.Plan.OutputFolder, "gizmo-kohya.safetensors"));
        Assert.All(
            file.Entries.Keys.Where(k => k.EndsWith(".alpha", StringComparison.Ordinal)),
            k => Assert.Equal(4, file.Read(k).AsSingle())
        );
        Assert.Equal(
            ("4", "4", "networks.lora", "sdxl_base_v1-0", "gizmo"),
            (
                file.Metadata["ss_network_dim"],
                file.Metadata["ss_network_alpha"],
                file.Metadata["ss_network_module"],
                file.Metadata["ss_base_model_version"],
                file.Metadata["ss_output_name"]
            )
        );
        Assert.Equal("stable-diffusion-xl-v1-base/lora", file.Metadata["modelspec.architecture"]);
        Assert.Matches("^[0-9a-f]{64}$", file.Metadata["sshs_model_hash"]);
        Assert.Matches("^[0-9a-f]{8}$", file.Metadata["sshs_legacy_hash"]);
        // Both say whose vectors are missing beside them
        foreach (var name in new[] { "gizmo-kohya.safetensors", "gizmo-peft.safetensors" })
        {
            using var tune = Sdxl.Diffusion.Pipelines.FineTune.Load(Path.Combine(run.Plan.OutputFolder, name));
            Assert.Equal([run.Plan.Inputs.TokenString], tune.WordsWithoutVectors);
        }
    }

    [Fact]
    public void A_full_fine_tune_ends_in_a_complete_single_file_that_loads_to_the_trained_weights()
    {
        using var scope = NewDisposeScope();
        var run = runs.Start("full", TinyRuns.Given(false));
        var single = Path.Combine(run.Plan.OutputFolder, "gizmo.safetensors");
        using var model = SdxlModel.LoadSingleFile(single, run.Plan.Base.ModelPath, DiffusionDevice.Cpu);
        using var original = SdxlModel.Load(run.Plan.Base.ModelPath, DiffusionDevice.Cpu);
        using var state = SafetensorsFile.Open(TinyRuns.NewestState(run.Plan));
        var moved = 0;
        var before = original.UNet.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        foreach (var (name, parameter) in model.UNet.named_parameters())
        {
            Assert.True(state.Read("net." + name).bytes.SequenceEqual(parameter.bytes), $"{name} differs from the trained weight");
            moved += before[name].bytes.SequenceEqual(parameter.bytes) ? 0 : 1;
        }
        Assert.Equal(before.Count, moved);
        foreach (
            var (net, other) in new (nn.Module, nn.Module)[]
            {
                (model.Vae, original.Vae),
                (model.TextEncoder!, original.TextEncoder!),
                (model.TextEncoder2, original.TextEncoder2),
            }
        )
        {
            foreach (var ((name, a), (_, b)) in net.named_parameters().Zip(other.named_parameters()))
                Assert.True(a.bytes.SequenceEqual(b.bytes), $"{name} of a net that does not train changed");
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_training_from_a_single_file_writes_the_weights_of_one_from_its_folder(bool lora)
    {
        var ofFolder = runs.Start("folder", TinyRuns.Given(lora));
        using var fromFile = new TinyRuns { Model = SingleFiles.WithConfigs(runs.Folder, runs.Model) };
        var ofFile = fromFile.Start("file", TinyRuns.Given(lora));
        var weights = Directory.GetFiles(ofFolder.Plan.OutputFolder, "*.safetensors").Select(f => Path.GetFileName(f)!).ToList();
        Assert.NotEmpty(weights);
        foreach (var name in weights)
        {
            using var expected = SafetensorsFile.Open(Path.Combine(ofFolder.Plan.OutputFolder, name));
            using var found = SafetensorsFile.Open(Path.Combine(ofFile.Plan.OutputFolder, name));
            Assert.Equal(expected.Entries.Keys.Order(StringComparer.Ordinal), found.Entries.Keys.Order(StringComparer.Ordinal));
            using var scope = NewDisposeScope();
            Assert.All(
                expected.Entries.Keys,
                key =>
                    Assert.True(
                        expected
                            .Read(key)
                            .to_type(ScalarType.Float32)
                            .bytes.SequenceEqual(found.Read(key).to_type(ScalarType.Float32).bytes),
                        $"{name}: {key}"
                    )
            );
        }
    }

    [Fact]
    public void A_training_from_a_single_file_goes_along_the_schedule_that_the_file_names()
    {
        using var scope = NewDisposeScope();
        var path = SingleFiles.WithConfigs(runs.Folder, runs.Model);
        using (var plain = SafetensorsFile.Open(path))
            SafetensorsWriter.Write(
                path + ".new",
                plain.Entries.Keys.ToDictionary(k => k, k => plain.Read(k)),
                new TrainedSchedule(true, false).Metadata
            );
        File.Move(path + ".new", path, overwrite: true);
        using var fromFile = new TinyRuns { Model = path };
        var run = fromFile.Start("velocity", TinyRuns.Given(false));
        using var written = SafetensorsFile.Open(Path.Combine(run.Plan.OutputFolder, "gizmo.safetensors"));
        Assert.Equal(new TrainedSchedule(true, false), TrainedSchedule.Read(written));
    }

    [Fact]
    public void Samples_are_drawn_from_the_untrained_model_on_and_the_report_stands_alone()
    {
        var given = TinyRuns.Given(true);
        given["sample_prompts"] = "a photo of TOK | TOK <b>in the snow</b>";
        given["sample_every_steps"] = 3;
        var run = runs.Start("samples", given);
        Assert.Equal([0, 0, 3, 3, 6, 6], run.Observer.Samples.Select(s => s.Step));
        Assert.All(run.Observer.Samples, s => Assert.True(File.Exists(s.File)));
        var report = File.ReadAllText(Path.Combine(run.Plan.OutputFolder, TrainingExport.ReportName));
        Assert.DoesNotContain("://", report, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>in the snow", report, StringComparison.Ordinal);
        Assert.Equal(6 + 4, report.Split("data:image/png").Length - 1);
        Assert.True(File.Exists(Path.Combine(run.Plan.OutputFolder, TrainingExport.SheetName)));
    }

    [Fact]
    public void A_VAE_that_shrinks_by_another_factor_trains_samples_and_decodes_by_its_own_config()
    {
        using var scope = NewDisposeScope();
        // The same model with one block less in its VAE, so that a latent pixel is half as wide; its weights are random.
        var model = Path.Combine(runs.Folder, "models", "half");
        foreach (
            var file in Directory
                .GetFiles(runs.Model, "*", SearchOption.AllDirectories)
                .Where(f => !Path.GetRelativePath(runs.Model, f).StartsWith("vae", StringComparison.Ordinal))
        )
        {
            var copy = Path.Combine(model, Path.GetRelativePath(runs.Model, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(runs.Model, "vae", "config.json")))!.AsObject();
        foreach (var list in new[] { "block_out_channels", "down_block_types", "up_block_types" })
            config[list]!.AsArray().RemoveAt(0);
        Directory.CreateDirectory(Path.Combine(model, "vae"));
        File.WriteAllText(Path.Combine(model, "vae", "config.json"), config.ToJsonString());
        using (no_grad())
        using (
            var vae = new Sdxl.Diffusion.Nets.AutoencoderKL(
                Sdxl.Diffusion.Nets.VaeConfig.Load(Path.Combine(model, "vae", "config.json")),
                Sdxl.Diffusion.Nets.Placement.CpuFloat
            )
        )
        {
            foreach (var (_, parameter) in vae.named_parameters())
                parameter.normal_(0, 0.05);
            SafetensorsWriter.Write(
                Path.Combine(model, "vae", "diffusion_pytorch_model.safetensors"),
                vae.named_parameters().Select(p => KeyValuePair.Create(p.name, (Tensor)p.parameter))
            );
        }
        using var half = new TinyRuns { Model = model };
        var given = TinyRuns.Given();
        given["max_train_steps"] = 1;
        given["sample_prompts"] = "a photo of TOK";

        var run = half.Start("half", given);

        using var latent = SafetensorsFile.Open(Directory.GetFiles(Path.Combine(run.Plan.WorkFolder, "cache"), "latent-*")[0]);
        var side = 64 / Factor(runs.Model) * 2;
        Assert.Equal([1, 4, side, side], latent.Entries["mean"].Shape);
        var picture = SixLabors.ImageSharp.Image.Identify(run.Observer.Samples[0].File);
        Assert.Equal((64, 64), (picture.Width, picture.Height));

        static int Factor(string folder) => Sdxl.Diffusion.Nets.VaeConfig.Load(Path.Combine(folder, "vae", "config.json")).Downscale;
    }

    [Fact]
    public void A_parameter_without_effect_is_named_in_the_log()
    {
        var given = TinyRuns.Given(true);
        given["unet_learning_rate"] = 1e-5;
        var run = runs.Start("idle", given);
        Assert.Contains(run.Observer.Lines, l => l.Contains("'unet_learning_rate' has no effect", StringComparison.Ordinal));
    }

    [Fact]
    public void Zero_terminal_snr_on_a_model_that_predicts_noise_is_refused_with_the_way_out()
    {
        var given = TinyRuns.Given(true);
        given["zero_terminal_snr"] = true;
        var error = Assert.Throws<TrainingException>(() => runs.Start("zero", given));
        Assert.Contains("v_prediction", error.Message, StringComparison.Ordinal);
    }

    /// <summary>The layers as trained, from the last checkpoint.</summary>
    private static List<LoraLayer> Layers(TrainingPlan plan)
    {
        using var state = SafetensorsFile.Open(TinyRuns.NewestState(plan));
        const string a = ".lora_A.weight",
            prefix = "net.";
        Tensor? Magnitude(string module) =>
            state.Entries.ContainsKey(prefix + module + ".lora_magnitude_vector")
                ? state.Read(prefix + module + ".lora_magnitude_vector")
                : null;
        var scale = (plan.Inputs.LoraAlpha ?? plan.Inputs.LoraRank) / plan.Inputs.LoraRank;
        return
        [
            .. state
                .Entries.Keys.Where(k => k.StartsWith(prefix, StringComparison.Ordinal) && k.EndsWith(a, StringComparison.Ordinal))
                .Select(k => k[prefix.Length..^a.Length])
                .Select(m => new LoraLayer(
                    "unet",
                    m,
                    state.Read(prefix + m + a),
                    state.Read(prefix + m + ".lora_B.weight"),
                    scale,
                    Magnitude(m)
                )),
        ];
    }
}
