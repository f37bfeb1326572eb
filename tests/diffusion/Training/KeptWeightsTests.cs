using System.Text.Json.Nodes;
using Sdxl.Diffusion.Export;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Training;

namespace Sdxl.Diffusion.Tests.Training;

/// <summary>Weights kept with the rows of sample pictures: what a training ended there leaves, while this one goes on as if nothing was.</summary>
[Collection("Training runs")]
public sealed class KeptWeightsTests : IDisposable
{
    private readonly TinyRuns runs = new();

    public void Dispose() => runs.Dispose();

    private static JsonObject Given(bool keep = true)
    {
        var given = TinyRuns.Given();
        given["sample_prompts"] = "a photo of TOK";
        given["sample_every_steps"] = 2;
        given["keep_checkpoints"] = keep;
        return given;
    }

    [Fact]
    public void Weights_of_a_row_are_those_of_a_training_that_ends_there_and_keeping_them_changes_no_weight_of_the_end()
    {
        var plain = runs.Start("plain", Given(keep: false));
        var keeping = runs.Start("keeping", Given());
        using var enough = new CancellationTokenSource();
        var ended = runs.Plan("ended", Given()) with { StopEarly = enough.Token };
        TrainingRun.Run(ended, new TinyRuns.Recorder { OnStep = m => { if (m.Step == 3) enough.Cancel(); } }, CancellationToken.None);

        Assert.Empty(plain.Observer.Kept);
        Assert.Equal([2, 4], keeping.Observer.Kept.Select(k => k.Step)); // not the untrained model's, and not the end's twice
        TinyRuns.AssertSameState(plain.Plan, keeping.Plan);
        AssertSame(plain.Plan.OutputFolder, keeping.Plan.OutputFolder, [.. s_weights, MetricsLog.FileName, TrainingExport.SheetName]);
        var kept = keeping.Observer.Kept[1].Folder;
        Assert.Equal([.. s_weights, TrainingExport.ConfigName], Directory.GetFiles(kept).Select(Path.GetFileName).Order(StringComparer.Ordinal)
            .OrderBy(name => name == TrainingExport.ConfigName));
        AssertSame(ended.OutputFolder, kept, s_weights);
        Assert.Equal(4, JsonNode.Parse(File.ReadAllText(Path.Combine(kept, TrainingExport.ConfigName)))!["step"]!.GetValue<int>());
        AssertDiffer(keeping.Observer.Kept[0].Folder, kept);
        AssertDiffer(kept, keeping.Plan.OutputFolder);
    }

    [Fact]
    public void A_row_that_was_asked_for_has_its_weights_too()
    {
        var done = 0;
        var observer = new TinyRuns.Recorder();
        TrainingRun.Run(runs.Plan("asked", Given()) with { SamplesAsked = () => ++done == 3 }, observer, CancellationToken.None);
        Assert.Equal([2, 3, 4], observer.Kept.Select(k => k.Step));
    }

    [Fact]
    public void A_resumed_training_tells_again_what_is_still_here_and_drops_what_comes_after_its_checkpoint()
    {
        var straight = runs.Start("straight", Given());
        var plan = runs.StopAfter(5, "resumed", Given());
        Directory.Delete(Path.GetDirectoryName(TinyRuns.NewestState(plan))!, recursive: true); // goes on from step 4
        var later = Path.Combine(plan.WorkFolder, "kept", "step-000005-0");
        Directory.CreateDirectory(later);

        var observer = new TinyRuns.Recorder();
        TrainingRun.Run(plan, observer, CancellationToken.None);

        Assert.Equal(4, observer.ResumedAt);
        Assert.Equal([2, 4], observer.Kept.Select(k => k.Step)); // 4: whole here, so not written again
        Assert.False(Directory.Exists(later));
        foreach (var (one, other) in straight.Observer.Kept.Zip(observer.Kept))
            TinyRuns.AssertSameFolder(one.Folder, other.Folder);
        TinyRuns.AssertSameFiles(straight.Plan, plan);
    }

    [Fact]
    public void What_was_stored_and_removed_is_written_again_where_the_training_resumes_at_it()
    {
        var plan = runs.StopAfter(4, "stored", Given());
        Directory.Delete(Path.Combine(plan.WorkFolder, "kept"), recursive: true);
        var observer = new TinyRuns.Recorder();
        TrainingRun.Run(plan, observer, CancellationToken.None);
        Assert.Equal([4], observer.Kept.Select(k => k.Step));
    }

    [Fact]
    public void A_full_fine_tune_and_a_training_without_samples_keep_none_and_say_so()
    {
        var whole = Given();
        whole["is_lora"] = false;
        var blind = Given();
        blind.Remove("sample_prompts");
        foreach (var (name, given) in new[] { ("whole", whole), ("blind", blind) })
        {
            var run = runs.Start(name, given);
            Assert.Empty(run.Observer.Kept);
            Assert.Contains(run.Observer.Lines, line => line.StartsWith("Input 'keep_checkpoints' has no effect", StringComparison.Ordinal));
        }
    }

    private static readonly string[] s_weights =
    [
        "TOK.safetensors",
        "gizmo-kohya.safetensors",
        "gizmo-peft.safetensors",
        TrainedModelTar.FileName,
    ];

    private static void AssertSame(string expected, string found, IEnumerable<string> names)
    {
        foreach (var name in names)
            Assert.True(Bytes(expected, name).AsSpan().SequenceEqual(Bytes(found, name)), $"{name} differs");
    }

    private static void AssertDiffer(string one, string other)
    {
        foreach (var name in s_weights.Where(name => name != "TOK.safetensors")) // its vectors are frozen from step 3 on
            Assert.False(Bytes(one, name).AsSpan().SequenceEqual(Bytes(other, name)), $"{name} is the same");
    }

    private static byte[] Bytes(string folder, string name) => File.ReadAllBytes(Path.Combine(folder, name));
}
