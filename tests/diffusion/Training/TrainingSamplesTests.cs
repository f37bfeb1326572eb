using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Sdxl.Diffusion.Export;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Pipelines;
using Sdxl.Diffusion.Training;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Diffusion.Tests.Training;

/// <summary>Pictures drawn during a training, compared with what the pipeline draws.</summary>
[Collection("Training runs")]
public sealed class TrainingSamplesTests : IDisposable
{
    private const int Side = 96, DrawSteps = 3;
    private const double Guidance = 5;
    private const string Prompt = "a photo of a house on the grass";

    private readonly TinyRuns runs = new()
    {
        Resolution = Side,
        PredictionDefaults = new JsonObject { ["num_inference_steps"] = (double)DrawSteps, ["guidance_scale"] = Guidance },
    };

    public void Dispose() => runs.Dispose();

    /// <summary>A run in which nothing moves: every sample shows the base model.</summary>
    private static JsonObject Idle(bool lora = true) =>
        new()
        {
            ["seed"] = 5,
            ["resolution"] = Side,
            ["train_batch_size"] = 1,
            ["max_train_steps"] = 2,
            ["is_lora"] = lora,
            ["lora_rank"] = 2,
            ["lora_lr"] = 0,
            ["unet_learning_rate"] = 0,
            ["ti_fraction"] = 0,
            ["checkpointing_steps"] = 1,
            ["sample_prompts"] = $"{Prompt}|{Prompt}",
            ["sample_every_steps"] = 1,
        };

    [Fact]
    public void A_sample_is_what_the_pipeline_draws_with_the_base_models_guidance_steps_and_the_trainings_size()
    {
        var run = runs.Start("idle", Idle());
        using var pipeline = SdxlPipeline.Load(runs.Model, null, DiffusionDevice.Cpu);
        AssertSamePicture(Drawn(pipeline), Pixels(run.Plan, 0));
    }

    [Fact]
    public void Each_set_is_drawn_from_the_same_noise_and_each_prompt_from_its_own()
    {
        var run = runs.Start("idle", Idle());
        Assert.Equal(Pixels(run.Plan, 0), Pixels(run.Plan, 1));
        Assert.Equal(Pixels(run.Plan, 0), Pixels(run.Plan, 2));
        Assert.NotEqual(Pixels(run.Plan, 0), Pixels(run.Plan, 0, prompt: 1));
    }

    [Fact]
    public void Samples_of_other_prompts_in_the_same_folder_are_not_taken_for_this_runs()
    {
        var given = Idle();
        given["max_train_steps"] = 3;
        runs.StopAfter(1, "idle", given);
        var before = Pixels(runs.Plan("idle", given), 0);
        given["sample_prompts"] = "a red star";
        var resumed = runs.Start("idle", given);
        Assert.Equal(1, resumed.Observer.ResumedAt);
        Assert.Equal([1, 2, 3], resumed.Observer.Samples.Select(s => s.Step));
        Assert.NotEqual(before, Pixels(resumed.Plan, 1));
        Assert.Equal(3, Directory.GetFiles(Path.Combine(resumed.Plan.WorkFolder, "samples")).Length);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_schedule_that_an_input_changed_is_that_of_the_samples_and_of_every_file_that_is_drawn_with_later(bool lora)
    {
        var given = Idle(lora);
        given["max_train_steps"] = 1;
        var plain = runs.Start("plain", given);
        given["prediction_type"] = "v_prediction";
        var velocity = runs.Start("velocity", given);
        given["zero_terminal_snr"] = true;
        var zero = runs.Start("zero", given);
        Assert.NotEqual(Pixels(plain.Plan, 0), Pixels(velocity.Plan, 0));
        Assert.NotEqual(Pixels(velocity.Plan, 0), Pixels(zero.Plan, 0));

        using var pipeline = SdxlPipeline.Load(runs.Model, null, DiffusionDevice.Cpu);
        var files = lora
            ? new[] { TrainedModelTar.FileName, "gizmo-kohya.safetensors", "gizmo-peft.safetensors" }
            : [TrainedModelTar.FileName];
        foreach (
            var (run, wanted) in new[]
            {
                (plain, Pixels(plain.Plan, 0)),
                (velocity, Pixels(velocity.Plan, 0)),
                (zero, Pixels(zero.Plan, 0)),
            }
        )
        {
            foreach (var file in files)
            {
                using var fineTune = FineTune.Load(Path.Combine(run.Plan.OutputFolder, file));
                pipeline.Apply(fineTune, 1);
                AssertSamePicture(wanted, Drawn(pipeline));
            }
            if (!lora)
            {
                using var single = new SdxlPipeline(
                    SdxlModel.LoadSingleFile(Path.Combine(run.Plan.OutputFolder, "gizmo.safetensors"), runs.Model, DiffusionDevice.Cpu)
                );
                AssertSamePicture(wanted, Drawn(single));
            }
        }
        pipeline.Apply(null, 1);
        AssertSamePicture(Pixels(plain.Plan, 0), Drawn(pipeline)); // nothing of it stays
        if (lora)
        {
            using var fineTune = FineTune.Load(Path.Combine(velocity.Plan.OutputFolder, "gizmo-peft.safetensors"));
            pipeline.Apply(fineTune, 0);
            AssertSamePicture(Pixels(plain.Plan, 0), Drawn(pipeline)); // at strength 0 it is the base model, which predicts noise
        }
    }

    [Fact]
    public void Of_very_many_sets_an_even_choice_is_shown_so_that_a_long_run_still_ends_with_a_page_that_opens()
    {
        var given = Idle();
        given["resolution"] = 64;
        given["max_train_steps"] = 47;
        given["checkpointing_steps"] = 47;
        given["sample_prompts"] = Prompt;
        using var small = new TinyRuns
        {
            Resolution = 64,
            PredictionDefaults = new JsonObject { ["num_inference_steps"] = 1.0, ["guidance_scale"] = 1.0 },
        };
        var run = small.Start("many", given);
        Assert.Equal(48, Directory.GetFiles(Path.Combine(run.Plan.WorkFolder, "samples")).Length);
        using var sheet = Image.Load<Rgb24>(Path.Combine(run.Plan.OutputFolder, TrainingExport.SheetName));
        Assert.Equal((24 * 64, 64), (sheet.Width, sheet.Height));
        var shown = Regex
            .Matches(File.ReadAllText(Path.Combine(run.Plan.OutputFolder, TrainingExport.ReportName)), "alt=\"step ([0-9]+)\"")
            .Select(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture))
            .ToList();
        Assert.Equal(24, shown.Count);
        Assert.Equal((0, 47), (shown[0], shown[^1]));
        Assert.All(shown.Zip(shown.Skip(1)), pair => Assert.InRange(pair.Second - pair.First, 2, 3));
    }

    [Fact]
    public void Large_pictures_are_shrunk_in_the_report_and_on_the_sheet()
    {
        const int large = 528;
        var given = Idle();
        given["resolution"] = large;
        given["max_train_steps"] = 1;
        given["sample_prompts"] = Prompt;
        using var few = new TinyRuns
        {
            Resolution = large,
            PredictionDefaults = new JsonObject { ["num_inference_steps"] = 1.0, ["guidance_scale"] = 1.0 },
        };
        var run = few.Start("large", given);
        using var sheet = Image.Load<Rgb24>(Path.Combine(run.Plan.OutputFolder, TrainingExport.SheetName));
        Assert.Equal((2 * 512, 512), (sheet.Width, sheet.Height));
        var embedded = Regex
            .Matches(File.ReadAllText(Path.Combine(run.Plan.OutputFolder, TrainingExport.ReportName)), "data:image/png;base64,([^\"]+)")
            .Select(m => Image.Identify(Convert.FromBase64String(m.Groups[1].Value)))
            .ToList();
        Assert.Equal(2 + 4, embedded.Count); // samples, data set
        Assert.All(embedded, picture => Assert.Equal((264, 264), (picture.Width, picture.Height)));
    }

    /// <summary>Up to one level of 255, which the last bits of a float may decide.</summary>
    private static void AssertSamePicture(byte[] expected, byte[] found) =>
        Assert.True(expected.Zip(found).Max(p => Math.Abs(p.First - p.Second)) <= 1, "another picture");

    private static byte[] Drawn(SdxlPipeline pipeline)
    {
        var settings = new GenerationSettings
        {
            Prompt = Prompt,
            NegativePrompt = "",
            Width = Side,
            Height = Side,
            NumOutputs = 1,
            Scheduler = "K_EULER",
            Steps = DrawSteps,
            GuidanceScale = Guidance,
            ApplyWatermark = false,
            CheckSafety = false,
            Seed = 5,
        };
        return pipeline.Generate(settings, null, CancellationToken.None)[0].Rgb;
    }

    private static byte[] Pixels(TrainingPlan plan, int step, int prompt = 0)
    {
        using var image = Image.Load<Rgb24>(Path.Combine(plan.WorkFolder, "samples", $"step-{step:D6}-{prompt}.png"));
        Assert.Equal((Side, Side), (image.Width, image.Height));
        var pixels = new byte[Side * Side * 3];
        image.CopyPixelDataTo(pixels);
        return pixels;
    }
}
