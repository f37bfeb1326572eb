using System.Text.Json.Nodes;
using Sdxl.Core.Bases;
using Sdxl.Core.Trainings;
using Sdxl.Diffusion.Adapters;
using Sdxl.Diffusion.Export;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Training;
using Sdxl.Tests;
using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Training;

/// <summary>Whole runs on the goldens' tiny model: from a data set's folder to files.</summary>
[Collection("Training runs")]
public sealed class TrainingRunTests : IDisposable
{
    private const int Steps = 6;
    private readonly string folder = Directory.CreateTempSubdirectory("sdxl-training-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(true, 1)]
    [InlineData(true, 3)]
    [InlineData(true, 5)]
    [InlineData(false, 1)]
    [InlineData(false, 3)]
    [InlineData(false, 5)]
    public void A_training_stopped_after_any_step_and_resumed_ends_with_the_same_bytes(bool lora, int stopAfter)
    {
        var straight = Start("straight", Given(lora));
        Assert.IsType<TrainingOutcome.Completed>(straight.Outcome);

        using var stop = new CancellationTokenSource();
        var stopped = Start("resumed", Given(lora), new Recorder { OnStep = m => { if (m.Step == stopAfter) stop.Cancel(); } }, stop.Token);
        Assert.Equal(new TrainingOutcome.Stopped(stopAfter), stopped.Outcome);
        var resumed = Start("resumed", Given(lora));
        Assert.Equal(stopAfter, resumed.Observer.ResumedAt);
        Assert.IsType<TrainingOutcome.Completed>(resumed.Outcome);

        AssertSameFiles(straight.Plan, resumed.Plan);
        Assert.Equal(Enumerable.Range(1, Steps), MetricsLog.Read(Path.Combine(resumed.Plan.WorkFolder, MetricsLog.FileName)).Select(m => m.Step));
    }

    [Theory]
    [InlineData("adamw")]
    [InlineData("prodigy")]
    [InlineData("adafactor")]
    [InlineData("lion")]
    public void Every_optimizer_with_every_option_resumes_to_the_same_bytes(string optimizer)
    {
        var given = Given(true);
        given["optimizer"] = optimizer;
        given["use_dora"] = true;
        given["lora_targets"] = "linear";
        given["lora_alpha"] = 2;
        given["snr_gamma"] = 5;
        given["noise_offset"] = 0.1;
        given["gradient_accumulation_steps"] = 2;
        given["lr_scheduler"] = "cosine";
        var straight = Start("straight", given);
        using var stop = new CancellationTokenSource();
        Start("resumed", given, new Recorder { OnStep = m => { if (m.Step == 4) stop.Cancel(); } }, stop.Token);
        var resumed = Start("resumed", given);
        AssertSameFiles(straight.Plan, resumed.Plan);
    }

    [Fact]
    public void A_torn_checkpoint_is_noticed_and_the_one_before_is_used()
    {
        var straight = Start("straight", Given(true));
        using var stop = new CancellationTokenSource();
        var given = Given(true);
        Start("torn", given, new Recorder { OnStep = m => { if (m.Step == 5) stop.Cancel(); } }, stop.Token);
        var checkpoints = Directory.GetDirectories(Path.Combine(folder, "torn", "work", "checkpoints")).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(["step-00000004", "step-00000005"], checkpoints.Select(Path.GetFileName));
        using (var state = new FileStream(Path.Combine(checkpoints[^1], CheckpointStore.StateName), FileMode.Open, FileAccess.ReadWrite))
            state.SetLength(state.Length - 100);

        var resumed = Start("torn", given);

        Assert.Equal(4, resumed.Observer.ResumedAt);
        Assert.Contains(resumed.Observer.Lines, l => l.Contains("step-00000005 is not whole", StringComparison.Ordinal));
        AssertSameFiles(straight.Plan, resumed.Plan);
    }

    [Fact]
    public void Only_the_newest_two_checkpoints_are_kept_and_other_settings_do_not_resume_from_them()
    {
        Start("one", Given(true));
        Assert.Equal(2, Directory.GetDirectories(Path.Combine(folder, "one", "work", "checkpoints")).Length);
        var other = Given(true);
        other["lora_lr"] = 0.02;
        var again = Start("one", other);
        Assert.Equal(0, again.Observer.ResumedAt);
        Assert.Contains(again.Observer.Lines, l => l.Contains("belongs to other settings", StringComparison.Ordinal));
    }

    [Fact]
    public void A_loss_that_is_not_finite_goes_back_three_times_at_half_the_rate_then_fails_clearly()
    {
        var given = Given(false);
        given["unet_learning_rate"] = 1;
        given["optimizer"] = "lion"; // every weight moves by 1 a step: the net overflows at once
        given["max_train_steps"] = 60;
        given["max_grad_norm"] = 0;
        var recorder = new Recorder();
        var error = Assert.Throws<TrainingException>(() => Start("diverging", given, recorder));
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
        var given = Given(true);
        given["lora_targets"] = targets;
        given["lora_alpha"] = 2;
        given["use_dora"] = dora;
        var run = Start("files", given);
        var output = run.Plan.OutputFolder;
        var layers = Layers(run.Plan);
        Assert.NotEmpty(layers);

        var tar = Path.Combine(folder, "tar");
        Directory.CreateDirectory(tar);
        System.Formats.Tar.TarFile.ExtractToDirectory(Path.Combine(output, TrainedModelTar.FileName), tar, overwriteFiles: true);
        Assert.Equal(["embeddings.pti", "lora.safetensors", "special_params.json"], Directory.GetFiles(tar).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal("""{"TOK":"<s0><s1>"}""", File.ReadAllText(Path.Combine(tar, TrainedModelTar.SpecialParamsName)));

        using var model = SdxlModel.Load(run.Plan.Base.ModelFolder, DiffusionDevice.Cpu);
        var names = SdxlModel.NamesFor(model.UNet.Config, model.Vae.Config);
        var modules = model.UNet.named_modules().Where(m => m.module is Sdxl.Diffusion.Nets.Linear).Select(m => m.name).ToList();
        var known = new LoraTargets(new Dictionary<string, IReadOnlyList<string>> { ["unet"] = modules }, names);
        foreach (var (path, format) in new[]
        {
            (Path.Combine(tar, TrainedModelTar.LoraName), LoraFormat.Cog),
            (Path.Combine(output, "gizmo-kohya.safetensors"), LoraFormat.Kohya),
            (Path.Combine(output, "gizmo-peft.safetensors"), LoraFormat.Peft),
        })
        {
            using var file = SafetensorsFile.Open(path);
            var (found, read) = LoraFile.Read(file, known);
            Assert.Equal(format, found);
            Assert.Equal(layers.Select(l => l.Module).Order(StringComparer.Ordinal), read.Select(l => l.Module).Order(StringComparer.Ordinal));
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
        var given = Given(true);
        given["lora_alpha"] = 2;
        var run = Start("header", given);
        using var file = SafetensorsFile.Open(Path.Combine(run.Plan.OutputFolder, "gizmo-kohya.safetensors"));
        Assert.All(file.Entries.Keys.Where(k => k.EndsWith(".alpha", StringComparison.Ordinal)), k => Assert.Equal(4, file.Read(k).ToSingle()));
        Assert.Equal(("4", "4", "networks.lora", "sdxl_base_v1-0", "gizmo"), (
            file.Metadata["ss_network_dim"], file.Metadata["ss_network_alpha"], file.Metadata["ss_network_module"], file.Metadata["ss_base_model_version"], file.Metadata["ss_output_name"]));
        Assert.Equal("stable-diffusion-xl-v1-base/lora", file.Metadata["modelspec.architecture"]);
        Assert.Matches("^[0-9a-f]{64}$", file.Metadata["sshs_model_hash"]);
        Assert.Matches("^[0-9a-f]{8}$", file.Metadata["sshs_legacy_hash"]);
    }

    [Fact]
    public void A_full_fine_tune_ends_in_a_complete_single_file_that_loads_to_the_trained_weights()
    {
        using var scope = NewDisposeScope();
        var run = Start("full", Given(false));
        var single = Path.Combine(run.Plan.OutputFolder, "gizmo.safetensors");
        using var model = SdxlModel.LoadSingleFile(single, run.Plan.Base.ModelFolder, DiffusionDevice.Cpu);
        using var original = SdxlModel.Load(run.Plan.Base.ModelFolder, DiffusionDevice.Cpu);
        using var state = SafetensorsFile.Open(NewestState(run.Plan));
        var moved = 0;
        var before = original.UNet.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        foreach (var (name, parameter) in model.UNet.named_parameters())
        {
            Assert.True(state.Read("net." + name).bytes.SequenceEqual(parameter.bytes), $"{name} differs from the trained weight");
            moved += before[name].bytes.SequenceEqual(parameter.bytes) ? 0 : 1;
        }
        Assert.Equal(before.Count, moved);
        foreach (var (net, other) in new (nn.Module, nn.Module)[] { (model.Vae, original.Vae), (model.TextEncoder!, original.TextEncoder!), (model.TextEncoder2, original.TextEncoder2) })
        {
            foreach (var ((name, a), (_, b)) in net.named_parameters().Zip(other.named_parameters()))
                Assert.True(a.bytes.SequenceEqual(b.bytes), $"{name} of a net that does not train changed");
        }
    }

    [Fact]
    public void Samples_are_drawn_from_the_untrained_model_on_and_the_report_stands_alone()
    {
        var given = Given(true);
        given["sample_prompts"] = "a photo of TOK | TOK <b>in the snow</b>";
        given["sample_every_steps"] = 3;
        var run = Start("samples", given);
        Assert.Equal([0, 0, 3, 3, 6, 6], run.Observer.Samples.Select(s => s.Step));
        Assert.All(run.Observer.Samples, s => Assert.True(File.Exists(s.File)));
        var report = File.ReadAllText(Path.Combine(run.Plan.OutputFolder, TrainingExport.ReportName));
        Assert.DoesNotContain("http", report, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>in the snow", report, StringComparison.Ordinal);
        Assert.Equal(6 + 4, report.Split("data:image/png").Length - 1);
        Assert.True(File.Exists(Path.Combine(run.Plan.OutputFolder, TrainingExport.SheetName)));
    }

    [Fact]
    public void A_parameter_without_effect_is_named_in_the_log()
    {
        var given = Given(true);
        given["unet_learning_rate"] = 1e-5;
        var run = Start("idle", given);
        Assert.Contains(run.Observer.Lines, l => l.Contains("'unet_learning_rate' has no effect", StringComparison.Ordinal));
    }

    [Fact]
    public void Zero_terminal_snr_on_a_model_that_predicts_noise_is_refused_with_the_way_out()
    {
        var given = Given(true);
        given["zero_terminal_snr"] = true;
        var error = Assert.Throws<TrainingException>(() => Start("zero", given));
        Assert.Contains("v_prediction", error.Message, StringComparison.Ordinal);
    }

    private static JsonObject Given(bool lora) => new()
    {
        ["seed"] = 11, ["resolution"] = 64, ["train_batch_size"] = 2, ["max_train_steps"] = Steps, ["is_lora"] = lora, ["lora_rank"] = 4,
        ["lora_lr"] = 0.01, ["ti_lr"] = 0.01, ["lr_warmup_steps"] = 1, ["checkpointing_steps"] = 2,
    };

    private (TrainingPlan Plan, TrainingOutcome Outcome, Recorder Observer) Start(string name, JsonObject given, Recorder? recorder = null, CancellationToken stop = default)
    {
        var dataset = Path.Combine(folder, "dataset");
        if (!Directory.Exists(dataset))
            GizmoDataset.Make(TestPaths.Fixtures, dataset, 64, 4);
        var basis = new BaseManifest("tiny", "the goldens' tiny model", "tiny-sdxl", null, ".", [], new JsonObject { ["num_inference_steps"] = 2.0 }, []) { ModelsFolder = TestPaths.Goldens };
        recorder ??= new Recorder();
        var plan = new TrainingPlan
        {
            Base = basis, DatasetFolder = dataset, Inputs = TrainingInputs.Read(given, basis, "a"), Given = given, ModelName = "me/gizmo",
            WorkFolder = Path.Combine(folder, name, "work"), OutputFolder = Path.Combine(folder, name, "output"), Device = new TrainingDevice(false, 1),
        };
        return (plan, TrainingRun.Run(plan, recorder, stop), recorder);
    }

    private static void AssertSameFiles(TrainingPlan expected, TrainingPlan found)
    {
        var names = Directory.GetFiles(expected.OutputFolder).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(names, Directory.GetFiles(found.OutputFolder).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal));
        foreach (var name in names)
            Assert.True(File.ReadAllBytes(Path.Combine(expected.OutputFolder, name)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(found.OutputFolder, name))), $"{name} differs");
        Assert.True(File.ReadAllBytes(NewestState(expected)).AsSpan().SequenceEqual(File.ReadAllBytes(NewestState(found))), "the last checkpoints differ");
    }

    private static string NewestState(TrainingPlan plan) =>
        Path.Combine(Directory.GetDirectories(Path.Combine(plan.WorkFolder, "checkpoints")).Max(StringComparer.Ordinal)!, CheckpointStore.StateName);

    /// <summary>The layers as trained, from the last checkpoint.</summary>
    private static List<LoraLayer> Layers(TrainingPlan plan)
    {
        using var state = SafetensorsFile.Open(NewestState(plan));
        const string a = ".lora_A.weight", prefix = "net.";
        Tensor? Magnitude(string module) => state.Entries.ContainsKey(prefix + module + ".lora_magnitude_vector") ? state.Read(prefix + module + ".lora_magnitude_vector") : null;
        var scale = (plan.Inputs.LoraAlpha ?? plan.Inputs.LoraRank) / plan.Inputs.LoraRank;
        return [.. state.Entries.Keys.Where(k => k.StartsWith(prefix, StringComparison.Ordinal) && k.EndsWith(a, StringComparison.Ordinal)).Select(k => k[prefix.Length..^a.Length])
            .Select(m => new LoraLayer("unet", m, state.Read(prefix + m + a), state.Read(prefix + m + ".lora_B.weight"), scale, Magnitude(m)))];
    }

    private sealed class Recorder : ITrainingObserver
    {
        public Action<StepMetrics>? OnStep { get; init; }
        public int ResumedAt { get; private set; } = -1;
        public List<string> Lines { get; } = [];
        public List<(string File, int Step)> Samples { get; } = [];

        public void Started(string device, int resumedAtStep, int totalSteps) => ResumedAt = resumedAtStep;
        public void Stepped(StepMetrics metrics) => OnStep?.Invoke(metrics);
        public void CheckpointWritten(string folder, int step) { }
        public void SampleDrawn(string file, string prompt, int step) => Samples.Add((file, step));
        public void Log(string line) => Lines.Add(line);
    }
}
