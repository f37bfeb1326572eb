using Sdxl.Tests;
using System.Text.Json;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Optimizers;
using Sdxl.Diffusion.Schedulers;
using Sdxl.Diffusion.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Training;

/// <summary>
/// Some steps of training with all random inputs given: losses, gradient norms, rates and final weights are the reference's.
/// </summary>
public sealed class TrainingGoldenTests
{
    /// <summary>Each case, with everything kept for the backward pass and with blocks computed again in it.</summary>
    public static TheoryData<string, bool> Cases
    {
        get
        {
            var cases = new TheoryData<string, bool>();
            foreach (var name in Names)
            {
                foreach (var checkpointing in new[] { false, true })
                    cases.Add(name, checkpointing);
            }
            return cases;
        }
    }

    private static IEnumerable<string> Names =>
        Directory
            .GetFiles(TestPaths.Golden("training"), "*.json")
            .Select(f => Path.GetFileNameWithoutExtension(f))
            .Order(StringComparer.Ordinal);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Losses_gradient_norms_rates_and_final_weights_are_the_references(string name, bool checkpointing)
    {
        using var scope = NewDisposeScope();
        var json = JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(TestPaths.Golden("training", name + ".json")));
        using var file = SafetensorsFile.Open(TestPaths.Golden("training", name + ".safetensors"));
        using var model = SdxlModel.Load(Golden.BaseFor(json, file, "start.rows_1", "start.rows_2"), DiffusionDevice.Cpu);
        var settings = Settings(json, file, model.Schedule) with { GradientCheckpointing = checkpointing };
        var scaling = json.GetProperty("scaling_factor").GetDouble();
        var data = new TrainingData(
            file.Read("latent_mean") * Num(scaling),
            file.Read("latent_std") * Num(scaling),
            file.Read("mask"),
            file.Read("time_ids"),
            file.Read("ids_1"),
            file.Read("ids_2")
        );
        var nets = new TrainedNets(
            model.UNet,
            model.TextEncoder!,
            model.TextEncoder2,
            model.Tokenizer!.EndOfText,
            model.Tokenizer2.EndOfText
        );
        using var trainer = new Trainer(
            settings,
            nets,
            data,
            new GivenNoise(file),
            settings.ScheduleFrom(model.Schedule).Noise(),
            ScalarType.Float32
        );
        Assert.Equal(settings.GradientCheckpointing, model.UNet.Checkpointing);
        using (no_grad())
        {
            foreach (var start in file.Entries.Keys.Where(k => k.StartsWith("start.", StringComparison.Ordinal)))
                Trained(trainer, start["start.".Length..]).copy_(file.Read(start));
        }

        var losses = Numbers(json, "loss");
        var norms = Numbers(json, "grad_norm_before_clipping");
        var rates = json.GetProperty("learning_rates").EnumerateArray().ToList();
        for (var step = 0; step < settings.Steps; step++)
        {
            using var result = trainer.Step(step);
            Close.To(norms[step], result.GradientNorm.AsDouble(), Close.Trajectory, $"{name}: gradient norm of update {step}");
            using (var means = result.Losses.mean([1]))
            {
                for (var part = 0; part < settings.Accumulate; part++)
                    Close.To(
                        losses[step * settings.Accumulate + part],
                        means[part].AsDouble(),
                        Close.Trajectory,
                        $"{name}: loss {part} of update {step}"
                    );
            }
            Close.To(rates[step][0].GetDouble(), result.Rate, 1e-9, $"{name}: rate of update {step}");
            if (step < settings.Pivot)
                Close.To(rates[step][1].GetDouble(), result.TokenRate, 1e-9, $"{name}: token rate of update {step}");
            if (step == 0)
                Compare(file, trainer, "after_first_update.", name);
        }
        Compare(file, trainer, "end.", name);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void A_step_leaves_no_tensor_behind(bool full, bool checkpointing)
    {
        var name = Names.First(n =>
            full == IsFull(JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(TestPaths.Golden("training", n + ".json"))))
        );
        using var scope = NewDisposeScope();
        var json = JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(TestPaths.Golden("training", name + ".json")));
        using var file = SafetensorsFile.Open(TestPaths.Golden("training", name + ".safetensors"));
        using var model = SdxlModel.Load(Golden.BaseFor(json, file, "start.rows_1", "start.rows_2"), DiffusionDevice.Cpu);
        var settings = Settings(json, file, model.Schedule) with { Pivot = 2, Steps = 6, GradientCheckpointing = checkpointing };
        var data = new TrainingData(
            file.Read("latent_mean"),
            file.Read("latent_std"),
            file.Read("mask"),
            file.Read("time_ids"),
            file.Read("ids_1"),
            file.Read("ids_2")
        );
        var nets = new TrainedNets(
            model.UNet,
            model.TextEncoder!,
            model.TextEncoder2,
            model.Tokenizer!.EndOfText,
            model.Tokenizer2.EndOfText
        );
        using var trainer = new Trainer(
            settings,
            nets,
            data,
            new CounterNoise(1, data.Pictures, 2, model.Schedule.TrainTimesteps),
            settings.ScheduleFrom(model.Schedule).Noise(),
            ScalarType.Float32
        );
        long LiveAfter(int step)
        {
            using (trainer.Step(step)) { }
            return DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        }
        LiveAfter(0);
        Assert.Equal(LiveAfter(1), LiveAfter(1));
        LiveAfter(2); // the pivot caches the text states
        Assert.Equal(LiveAfter(3), LiveAfter(4));
    }

    private static void Compare(SafetensorsFile file, Trainer trainer, string prefix, string name)
    {
        foreach (var key in file.Entries.Keys.Where(k => k.StartsWith(prefix, StringComparison.Ordinal)))
            Close.To(file.Read(key), Trained(trainer, key[prefix.Length..]), Close.Trajectory, $"{name}: {key}");
    }

    private static Tensor Trained(Trainer trainer, string name) =>
        name.StartsWith("rows_", StringComparison.Ordinal) ? trainer.Rows[name] : trainer.Net[name];

    private static bool IsFull(JsonElement json) => json.GetProperty("case").TryGetProperty("full", out var full) && full.GetBoolean();

    private static TrainingSettings Settings(JsonElement json, SafetensorsFile file, SchedulerConfig ofModel)
    {
        var given = json.GetProperty("case");
        bool Has(string field) => given.TryGetProperty(field, out var v) && v.ValueKind is not (JsonValueKind.Null or JsonValueKind.False);
        var adam = json.GetProperty("adam");
        var updates = json.GetProperty("updates").GetInt32();
        return new TrainingSettings
        {
            Steps = updates,
            Accumulate = json.GetProperty("gradient_accumulation").GetInt32(),
            Lora = IsFull(json)
                ? null
                : new LoraSettings(
                    given.GetProperty("rank").GetInt32(),
                    given.GetProperty("alpha").GetDouble(),
                    [.. given.GetProperty("targets").EnumerateArray().Select(t => t.GetString()!)],
                    Has("dora")
                ),
            Rate = json.GetProperty("learning_rate").GetDouble(),
            WeightDecay = json.GetProperty("weight_decay").GetDouble(),
            TokenRate = json.GetProperty("ti_learning_rate").GetDouble(),
            TokenWeightDecay = json.GetProperty("ti_weight_decay").GetDouble(),
            Pivot = json.GetProperty("pivot_update").GetInt32(),
            Schedule = new LearningRateSchedule(
                json.GetProperty("lr_scheduler").GetString()!,
                json.GetProperty("warmup_updates").GetInt32(),
                updates
            ),
            AdamW = new AdamWSettings(
                adam.GetProperty("beta1").GetDouble(),
                adam.GetProperty("beta2").GetDouble(),
                adam.GetProperty("eps").GetDouble()
            ),
            MaxGradientNorm = json.GetProperty("max_grad_norm").GetDouble(),
            SnrGamma = Has("min_snr_gamma") ? given.GetProperty("min_snr_gamma").GetDouble() : null,
            NoiseOffset = Has("noise_offset") ? given.GetProperty("noise_offset").GetDouble() : 0,
            VelocityPrediction = Has("prediction_type")
                ? given.GetProperty("prediction_type").GetString() == "v_prediction"
                : ofModel.PredictsVelocity,
            ZeroTerminalSnr = Has("zero_terminal_snr") || Has("rescale_betas_zero_snr"),
            TokenVectors = (int)file.Entries["start.rows_1"].Shape[0],
        };
    }

    private static double[] Numbers(JsonElement json, string name) =>
        [.. json.GetProperty(name).EnumerateArray().Select(v => v.GetDouble())];

    /// <summary>The golden's own random inputs.</summary>
    private sealed class GivenNoise(SafetensorsFile file) : ITrainingNoise
    {
        public int[] Pictures(int batch) => Integers("index", batch);

        public int[] Timesteps(int batch) => Integers("timestep", batch);

        public Tensor Noise(int batch, long[] shape) => file.Read("noise")[batch];

        public Tensor Posterior(int batch, long[] shape) => file.Read("vae_noise")[batch];

        public Tensor Offset(int batch, long[] shape) => file.Read("offset_noise")[batch];

        private int[] Integers(string name, int batch) => [.. file.Read(name)[batch].data<long>().Select(v => (int)v)];
    }
}
