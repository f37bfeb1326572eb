using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Sdxl.Core.Captions;
using Sdxl.Core.Datasets;
using Sdxl.Core.Json;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Schedulers;
using Sdxl.Diffusion.Training;
using SixLabors.ImageSharp;
using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Export;

/// <summary>
/// Writes all files of a finished training. None holds a clock or a path, so the same pictures, settings and seed give the same bytes.
/// </summary>
/// <remarks>
/// LoRA: trained_model.tar, {name}-kohya.safetensors, {name}-peft.safetensors. Full fine-tune: trained_model.tar (unet.safetensors),
/// {name}.safetensors (complete single-file checkpoint). Both: {trigger}.safetensors (A1111/ComfyUI embedding), config.json, metrics.jsonl
/// (without timings), samples.png where samples were drawn, report.html.
/// </remarks>
public sealed class TrainingExport
{
    public const string ConfigName = "config.json";
    public const string SheetName = "samples.png";
    public const string ReportName = "report.html";

    /// <summary>The header's entry by which a file says what its subject is called.</summary>
    public const string TriggerKey = "modelspec.trigger_phrase";

    /// <summary>Ends an embedding's name where the trigger word alone would be the checkpoint's.</summary>
    internal const string EmbeddingSuffix = "-embedding";

    private readonly TrainingPlan plan;
    private readonly TrainingSettings settings;
    private readonly DatasetManifest dataset;
    private readonly SdxlModel model;
    private readonly Trainer trainer;
    private readonly TrainingSamples samples;
    private readonly List<string> written = [];

    public TrainingExport(
        TrainingPlan plan,
        TrainingSettings settings,
        DatasetManifest dataset,
        SdxlModel model,
        Trainer trainer,
        TrainingSamples samples
    ) =>
        (this.plan, this.settings, this.dataset, this.model, this.trainer, this.samples) = (
            plan,
            settings,
            dataset,
            model,
            trainer,
            samples
        );

    /// <summary>File name for a LoRA in kohya's form.</summary>
    public static string KohyaName(string modelName) => $"{ShortName(modelName)}-kohya.safetensors";

    /// <summary>File name for a LoRA in PEFT's form.</summary>
    public static string PeftName(string modelName) => $"{ShortName(modelName)}-peft.safetensors";

    /// <summary>File name of a full fine-tune's single-file checkpoint.</summary>
    public static string CheckpointName(string modelName) => $"{ShortName(modelName)}.safetensors";

    /// <summary>File name of the embedding: in A1111 the name is what triggers it.</summary>
    public static string EmbeddingName(string trigger) => $"{Safe(trigger)}.safetensors";

    /// <param name="steps">All steps' numbers, in order.</param>
    /// <returns>Names of the files, in the order written.</returns>
    public IReadOnlyList<string> Write(IReadOnlyList<StepMetrics> steps)
    {
        WriteWeights();
        WriteText(ConfigName, Config().ToJsonString(SdxlJson.Indented) + "\n");
        WriteText(MetricsLog.FileName, string.Concat(steps.Select(s => SdxlJson.Serialize(MetricsOf(s)) + "\n")));
        using (var sheet = samples.Sheet())
        {
            if (sheet is not null)
            {
                using var stream = new MemoryStream();
                sheet.SaveAsPng(stream);
                CheckpointStore.WriteDurably(Named(SheetName), stream.ToArray());
            }
        }
        WriteText(ReportName, TrainingReport.Render(plan, settings, dataset, steps, samples));
        return written;
    }

    /// <summary>What is the same in every run: no times, no memory.</summary>
    private static JsonObject MetricsOf(StepMetrics step)
    {
        var metrics = JsonSerializer.SerializeToNode(
            new { step.Step, step.Loss, step.LossByTimestep, step.GradientNorm, step.Rate, step.TokenRate }, SdxlJson.Options)!.AsObject();
        if (step.HeldOut is { } heldOut)
            metrics["held_out"] = heldOut;
        return metrics;
    }

    /// <summary>What a version of this step's weights needs: the weights' files, and config.json, which says the step.</summary>
    /// <remarks>The weights' files are those that a training ended at this step writes, to the byte.</remarks>
    public void WriteCheckpoint(int step)
    {
        WriteWeights();
        var config = Config();
        config["step"] = step;
        WriteText(ConfigName, config.ToJsonString(SdxlJson.Indented) + "\n");
    }

    private void WriteWeights()
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        Directory.CreateDirectory(plan.OutputFolder);
        var (rows1, rows2) = (trainer.Rows["rows_1"], trainer.Rows["rows_2"]);
        var layers = trainer.LoraLayers();
        WriteTar(layers, rows1, rows2);
        if (layers.Count > 0)
        {
            LoraExport.WriteKohya(Named(KohyaName(plan.ModelName)), layers, Names, Header("lora"));
            LoraExport.WritePeft(
                Named(PeftName(plan.ModelName)),
                layers,
                new Dictionary<string, string>(Schedule?.Metadata ?? new Dictionary<string, string>())
                {
                    [TriggerKey] = string.Join(", ", Words.All),
                }
            );
        }
        else
        {
            SingleFileExport.Write(
                Named(CheckpointName(plan.ModelName)),
                plan.Base.ModelPath,
                Names,
                trainer.Net.Tensors,
                Header(null),
                new TrainedSchedule(Trained.PredictsVelocity, Trained.ZeroTerminalSnr)
            );
        }
        for (var word = 0; word < Words.All.Count; word++)
        {
            var (from, count) = (word * settings.TokenVectors, settings.TokenVectors);
            EmbeddingFile.WriteWebUi(
                Named(FreeEmbeddingName(Words.All[word])),
                rows1.narrow(0, from, count).contiguous(),
                rows2.narrow(0, from, count).contiguous()
            );
        }
    }

    private TriggerWords Words => new(dataset.Trigger);

    /// <summary>
    /// A trigger word spelled like the model, or like another word but for letters that files cannot have, must not overwrite its file.
    /// </summary>
    private string FreeEmbeddingName(string word)
    {
        var stem = Safe(word);
        while (written.Contains(stem + ".safetensors", StringComparer.OrdinalIgnoreCase))
            stem += EmbeddingSuffix;
        return stem + ".safetensors";
    }

    private SchedulerConfig Trained => settings.ScheduleFrom(model.Schedule);

    private TrainedSchedule? Schedule => TrainedSchedule.Of(Trained, model.Schedule);

    private SingleFileNames Names => SdxlModel.NamesFor(model.UNet.Config, model.Vae.Config);

    private void WriteTar(IReadOnlyList<Adapters.LoraLayer> layers, Tensor rows1, Tensor rows2)
    {
        var parts = Path.Combine(plan.WorkFolder, "tar");
        Directory.CreateDirectory(parts);
        string Part(string name) => Path.Combine(parts, name);
        var weights = layers.Count > 0 ? TrainedModelTar.LoraName : TrainedModelTar.UNetName;
        if (layers.Count > 0)
            LoraExport.WriteCog(Part(weights), layers, Schedule?.Metadata);
        else
            SafetensorsWriter.Write(Part(weights), trainer.Net.Tensors, Schedule?.Metadata);
        EmbeddingFile.WriteCog(Part(TrainedModelTar.EmbeddingsName), rows1, rows2);
        File.WriteAllBytes(Part(TrainedModelTar.SpecialParamsName), TrainedModelTar.SpecialParams(dataset.Trigger, settings.TokenVectors));
        TrainedModelTar.Write(
            Named(TrainedModelTar.FileName),
            [.. new[] { weights, TrainedModelTar.EmbeddingsName, TrainedModelTar.SpecialParamsName }.Select(n => (n, Part(n)))]);
        Directory.Delete(parts, recursive: true);
    }

    /// <summary>config.json: the effective inputs, what was worked out from them, the captions.</summary>
    private JsonObject Config()
    {
        var config = new JsonObject { ["base"] = plan.Base.Name, ["model"] = plan.ModelName, ["trigger"] = dataset.Trigger };
        if (plan.Parent is { } parent)
            config["parent"] = parent.Version;
        config["inputs"] = JsonSerializer.SerializeToNode(plan.Inputs, SdxlJson.Options);
        config["effective"] = JsonSerializer.SerializeToNode(settings, SdxlJson.Options);
        config["pictures"] = new JsonArray([
            .. dataset.Pictures.Select(p =>
                (JsonNode)
                    new JsonObject
                    {
                        ["name"] = p.Name,
                        ["caption"] = p.Caption,
                        ["sha256"] = p.Sha256,
                    }
            ),
        ]);
        return config;
    }

    /// <summary>
    /// ss_* for A1111, Forge and kohya's tools; modelspec.* as Stability specifies it (no date: the bytes depend on the content alone).
    /// </summary>
    private Dictionary<string, string> Header(string? kind)
    {
        string Text(double value) => value.ToString(CultureInfo.InvariantCulture);
        var side = plan.Inputs.Resolution;
        var unseen = HeldOutPictures.Of(dataset, plan.Inputs.HeldOutPictures);
        var trained = dataset.Pictures.Where(p => !unseen.Contains(p.File)).ToList();
        var words = trained
            .SelectMany(p => p.Caption.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            .GroupBy(t => t, StringComparer.Ordinal)
            .OrderBy(g => g.Key, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.Count());
        var header = new Dictionary<string, string>
        {
            ["modelspec.sai_model_spec"] = "1.0.0",
            ["modelspec.architecture"] = kind is null ? "stable-diffusion-xl-v1-base" : $"stable-diffusion-xl-v1-base/{kind}",
            ["modelspec.implementation"] = "https://github.com/Stability-AI/generative-models",
            ["modelspec.title"] = plan.ModelName,
            ["modelspec.resolution"] = $"{side}x{side}",
            ["modelspec.prediction_type"] = settings.VelocityPrediction ? "v" : "epsilon",
            [TriggerKey] = string.Join(", ", Words.All),
            ["ss_base_model_version"] = "sdxl_base_v1-0",
            ["ss_sd_model_name"] = plan.Base.Name,
            ["ss_output_name"] = ShortName(plan.ModelName),
            ["ss_resolution"] = $"({side}, {side})",
            ["ss_tag_frequency"] = SdxlJson.Serialize(
                new Dictionary<string, Dictionary<string, int>> { [ShortName(plan.ModelName)] = words }
            ),
            ["ss_num_train_images"] = Text(trained.Count),
            ["ss_max_train_steps"] = Text(settings.Steps),
            ["ss_batch_size_per_device"] = Text(plan.Inputs.TrainBatchSize),
            ["ss_gradient_accumulation_steps"] = Text(settings.Accumulate),
            ["ss_learning_rate"] = Text(settings.Rate),
            ["ss_unet_lr"] = Text(settings.Rate),
            ["ss_lr_scheduler"] = settings.Schedule.Kind,
            ["ss_lr_warmup_steps"] = Text(settings.Schedule.WarmupSteps),
            ["ss_optimizer"] = settings.Optimizer,
            ["ss_seed"] = settings.Seed.ToString(CultureInfo.InvariantCulture),
            ["ss_min_snr_gamma"] = settings.SnrGamma is { } gamma ? Text(gamma) : "None",
            ["ss_noise_offset"] = settings.NoiseOffset > 0 ? Text(settings.NoiseOffset) : "None",
            ["ss_v2"] = "False",
            ["ss_zero_terminal_snr"] = Trained.ZeroTerminalSnr ? "True" : "False",
        };
        foreach (var (key, value) in Schedule?.Metadata ?? new Dictionary<string, string>())
            header.Add(key, value);
        return header;
    }

    private string Named(string name)
    {
        written.Add(name);
        return Path.Combine(plan.OutputFolder, name);
    }

    private void WriteText(string name, string text)
    {
        var file = Named(name);
        CheckpointStore.WriteDurably(file + ".tmp", System.Text.Encoding.UTF8.GetBytes(text));
        File.Move(file + ".tmp", file, overwrite: true);
    }

    /// <summary>owner/name -> name, letters that every file system takes.</summary>
    private static string ShortName(string modelName) => Safe(modelName[(modelName.LastIndexOf('/') + 1)..]);

    private static string Safe(string name)
    {
        var kept = string.Concat(name.Select(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '_')).Trim('.');
        return kept.Length == 0 ? "model" : kept;
    }
}
