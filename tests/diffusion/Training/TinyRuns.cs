using System.Text.Json;
using System.Text.Json.Nodes;
using Sdxl.Core.Bases;
using Sdxl.Core.Datasets;
using Sdxl.Core.Json;
using Sdxl.Core.Trainings;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Training;

namespace Sdxl.Diffusion.Tests.Training;

/// <summary>
/// Whole trainings of the goldens' tiny model on four of the fixture's pictures, each in a folder of its own name; deleted at the end.
/// </summary>
internal sealed class TinyRuns : IDisposable
{
    /// <summary>Steps of a run unless its inputs say otherwise.</summary>
    public const int Steps = 6;

    public string Folder { get; } = Directory.CreateTempSubdirectory("sdxl-training-").FullName;

    /// <summary>What the base model's manifest says of predictions.</summary>
    public JsonObject PredictionDefaults { get; init; } = new() { ["num_inference_steps"] = 2.0 };

    /// <summary>The base model's folder; the goldens' tiny one.</summary>
    public string Model { get; init; } = Golden.BaseFolder;

    public int Resolution { get; init; } = 64;

    /// <summary>The data set all runs share; made when first needed.</summary>
    public string Dataset
    {
        get
        {
            var folder = Path.Combine(Folder, "dataset");
            if (!Directory.Exists(folder))
                GizmoDataset.Make(TestPaths.Fixtures, folder, Resolution, 4);
            return folder;
        }
    }

    public static JsonObject Given(bool lora = true) => new()
    {
        ["seed"] = 11, ["resolution"] = 64, ["train_batch_size"] = 2, ["max_train_steps"] = Steps, ["is_lora"] = lora, ["lora_rank"] = 4,
        ["lora_lr"] = 0.01, ["ti_lr"] = 0.01, ["lr_warmup_steps"] = 1, ["checkpointing_steps"] = 2,
    };

    /// <summary>The data set's manifest, read, changed and written again.</summary>
    public void ChangeManifest(Func<DatasetManifest, DatasetManifest> change)
    {
        var file = Path.Combine(Dataset, "manifest.json");
        File.WriteAllText(file, SdxlJson.Serialize(change(SdxlJson.Deserialize<DatasetManifest>(File.ReadAllText(file)))));
    }

    public TrainingPlan Plan(string name, JsonObject given, int threads = 1)
    {
        var basis = new BaseManifest("tiny", "the goldens' tiny model", Path.GetFileName(Model), null, ".", [], PredictionDefaults, [])
        {
            ModelsFolder = Path.GetDirectoryName(Model)!,
        };
        return new TrainingPlan
        {
            Base = basis,
            DatasetFolder = Dataset,
            Inputs = TrainingInputs.Read(given, basis, "a"),
            Given = given,
            ModelName = "me/gizmo",
            WorkFolder = Path.Combine(Folder, name, "work"),
            OutputFolder = Path.Combine(Folder, name, "output"),
            Device = new TrainingDevice(false, threads),
        };
    }

    public (TrainingPlan Plan, TrainingOutcome Outcome, Recorder Observer) Start(
        string name, JsonObject given, Recorder? recorder = null, CancellationToken stop = default, int threads = 1)
    {
        recorder ??= new Recorder();
        var plan = Plan(name, given, threads);
        return (plan, TrainingRun.Run(plan, recorder, stop), recorder);
    }

    /// <summary>Starts a run and stops it after a step.</summary>
    public TrainingPlan StopAfter(int step, string name, JsonObject given, int threads = 1)
    {
        using var stop = new CancellationTokenSource();
        var (plan, outcome, _) = Start(
            name,
            given,
            new Recorder
            {
                OnStep = m =>
                {
                    if (m.Step == step)
                        stop.Cancel();
                },
            },
            stop.Token,
            threads
        );
        Assert.Equal(new TrainingOutcome.Stopped(step), outcome);
        return plan;
    }

    public static string NewestState(TrainingPlan plan) =>
        Path.Combine(
            Directory.GetDirectories(Path.Combine(plan.WorkFolder, "checkpoints")).Max(StringComparer.Ordinal)!,
            CheckpointStore.StateName
        );

    public static void AssertSameState(TrainingPlan expected, TrainingPlan found) =>
        Assert.True(
            File.ReadAllBytes(NewestState(expected)).AsSpan().SequenceEqual(File.ReadAllBytes(NewestState(found))),
            "the last checkpoints differ"
        );

    /// <summary>The trained values alone: the optimizer's memory and the files' headers know the rates.</summary>
    public static void AssertSameWeights(TrainingPlan expected, TrainingPlan found)
    {
        using var one = SafetensorsFile.Open(NewestState(expected));
        using var two = SafetensorsFile.Open(NewestState(found));
        foreach (var name in one.Entries.Keys.Where(k => !k.StartsWith("optimizer.", StringComparison.Ordinal)))
            Assert.True(one.ReadBytes(name).AsSpan().SequenceEqual(two.ReadBytes(name)), $"{name} differs");
    }

    public static void AssertSameFiles(TrainingPlan expected, TrainingPlan found)
    {
        AssertSameFolder(expected.OutputFolder, found.OutputFolder);
        AssertSameState(expected, found);
    }

    public static void AssertSameFolder(string expected, string found)
    {
        var names = Directory.GetFiles(expected).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(names, Directory.GetFiles(found).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal));
        foreach (var name in names)
            Assert.True(
                File.ReadAllBytes(Path.Combine(expected, name)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(found, name))),
                $"{name} differs"
            );
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>Hears and remembers what a run says.</summary>
    public sealed class Recorder : ITrainingObserver
    {
        public Action? OnStarted { get; init; }
        public Action<StepMetrics>? OnStep { get; init; }
        public int ResumedAt { get; private set; } = -1;
        public List<int> Starts { get; } = [];
        public List<StepMetrics> Steps { get; } = [];
        public List<string> Lines { get; } = [];
        public List<(string File, int Step)> Samples { get; } = [];
        public List<int> AskedSamples { get; } = [];
        public List<(string Folder, int Step)> Kept { get; } = [];

        public void Started(string device, int resumedAtStep, int totalSteps)
        {
            ResumedAt = resumedAtStep;
            Starts.Add(resumedAtStep);
            OnStarted?.Invoke();
        }

        public void Stepped(StepMetrics metrics)
        {
            Steps.Add(metrics);
            OnStep?.Invoke(metrics);
        }

        public void CheckpointWritten(string folder, int step) { }
        public void CheckpointKept(string folder, int step) => Kept.Add((folder, step));
        public void SampleDrawn(string file, string prompt, int step) => Samples.Add((file, step));
        public void AskedSamplesDrawn(int step) => AskedSamples.Add(step);
        public void Log(string line) => Lines.Add(line);
    }
}
