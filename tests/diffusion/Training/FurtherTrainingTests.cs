using System.Text.Json.Nodes;
using Sdxl.Diffusion.Export;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Training;

namespace Sdxl.Diffusion.Tests.Training;

/// <summary>Trainings that go on from a published version.</summary>
public sealed class FurtherTrainingTests : IDisposable
{
    private readonly TinyRuns runs = new();

    public void Dispose() => runs.Dispose();

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)] // DoRA
    [InlineData(false, false)] // the whole U-Net
    public void It_draws_before_its_first_step_what_the_version_drew_after_its_last(bool lora, bool dora)
    {
        var given = TinyRuns.Given(lora);
        given["use_dora"] = dora;
        given["unet_learning_rate"] = 1e-4;
        given["sample_prompts"] = "a photo of TOK";
        given["sample_every_steps"] = 100;
        var first = runs.Start("first", given);
        var untrained = Sample(first.Plan, 0);
        var trained = Sample(first.Plan, TinyRuns.Steps);
        Assert.False(untrained.SequenceEqual(trained), "The training changed nothing, so that this test would show nothing.");

        var (plan, observer) = Further("further", first.Plan, given);

        Assert.True(trained.SequenceEqual(Sample(plan, 0)), "The first picture is not the version's last.");
        Assert.False(trained.SequenceEqual(Sample(plan, TinyRuns.Steps)), "It trained nothing.");
        Assert.Contains(
            observer.Lines,
            line => line == "Goes on from me/gizmo:first: its weights and its trigger word's vectors; the optimizer begins anew."
        );
        Assert.Equal(
            "me/gizmo:first",
            JsonNode.Parse(File.ReadAllText(Path.Combine(plan.OutputFolder, TrainingExport.ConfigName)))!["parent"]!.ToString()
        );
    }

    [Fact]
    public void Its_optimizer_remembers_the_versions_values_as_its_start_to_the_bit()
    {
        var given = TinyRuns.Given();
        var first = runs.Start("first", given).Plan;
        given["optimizer"] = "prodigy"; // it keeps its start in the checkpoint
        var plan = runs.Plan("further", given) with { Parent = Version(first) };
        TrainingRun.Run(plan with { StopEarly = new CancellationToken(canceled: true) }, new TinyRuns.Recorder(), CancellationToken.None);

        using var ended = SafetensorsFile.Open(TinyRuns.NewestState(first));
        using var begun = SafetensorsFile.Open(TinyRuns.NewestState(plan));
        foreach (var group in new[] { "net", "text" })
        {
            // The order is the one in which the names are trained, which both have alike.
            var start = begun.ReadBytes($"optimizer.{group}.p0");
            var values = ended
                .Entries.Keys.Where(name => name.StartsWith(group + ".", StringComparison.Ordinal))
                .ToDictionary(name => name, ended.ReadBytes);
            Assert.Equal(values.Values.Sum(bytes => bytes.Length), start.Length);
            foreach (var (name, bytes) in values)
                Assert.True(start.AsSpan().IndexOf(bytes) >= 0, $"{name} is not what it began with.");
        }
    }

    [Fact]
    public void Killed_and_gone_on_with_it_ends_with_the_same_bytes_also_where_the_version_is_gone_by_then()
    {
        var given = TinyRuns.Given();
        var parent = Version(runs.Start("first", given).Plan);
        var straight = Further("straight", parent, given).Plan;
        using var stop = new CancellationTokenSource();
        var plan = runs.Plan("resumed", given) with { Parent = parent };
        Assert.IsType<TrainingOutcome.Stopped>(
            TrainingRun.Run(
                plan,
                new TinyRuns.Recorder
                {
                    OnStep = m =>
                    {
                        if (m.Step == 3)
                            stop.Cancel();
                    },
                },
                stop.Token
            )
        );
        var observer = new TinyRuns.Recorder();
        TrainingRun.Run(plan with { Parent = parent with { File = "" } }, observer, CancellationToken.None);
        Assert.Equal(3, observer.ResumedAt);
        TinyRuns.AssertSameFiles(straight, plan);
    }

    [Fact]
    public void A_checkpoint_that_began_with_another_version_is_not_gone_on_from()
    {
        var given = TinyRuns.Given();
        var parent = Version(runs.Start("first", given).Plan);
        var stopped = runs.StopAfter(3, "changed", given); // began with the base model
        var observer = new TinyRuns.Recorder();
        TrainingRun.Run(stopped with { Parent = parent }, observer, CancellationToken.None);
        Assert.Equal(0, observer.ResumedAt);
    }

    [Fact]
    public void A_scale_other_than_one_is_taken_out_of_the_file_again()
    {
        var given = TinyRuns.Given();
        given["lora_alpha"] = 8; // scale 2
        given["sample_prompts"] = "a photo of TOK";
        var first = runs.Start("first", given);
        var (plan, _) = Further("further", first.Plan, given);
        Assert.True(Sample(first.Plan, TinyRuns.Steps).SequenceEqual(Sample(plan, 0)));
    }

    [Theory]
    [InlineData("lora_rank", 8, "lora_A.weight' is [4, ")]
    [InlineData("vectors_per_token", 3, "'rows_1' is [2, ")]
    [InlineData("lora_targets", "linear", "is not in it, '")]
    [InlineData("use_dora", true, "is not in it, '")]
    [InlineData("is_lora", false, "it has no U-Net")]
    public void A_version_of_another_shape_is_refused_in_one_sentence(string input, object value, string reason)
    {
        var given = TinyRuns.Given();
        var parent = Version(runs.Start("first", given).Plan);
        given[input] = JsonValue.Create(value);
        var refused = Assert.Throws<TrainingException>(() => Further("further", parent, given));
        Assert.StartsWith("The training cannot go on from version 'me/gizmo:first': ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pickle_in_the_versions_place_is_not_read()
    {
        var file = Path.Combine(runs.Folder, "pickle.tar");
        File.WriteAllBytes(file, [0x80, 0x04, 0x95, 0, 0, 0, 0, 0, 0, 0, 0, (byte)'.']);
        var refused = Assert.Throws<TrainingException>(() =>
            Further("further", new TrainingParent("me/gizmo:first", file), TinyRuns.Given())
        );
        Assert.Contains("pickle", refused.Message, StringComparison.OrdinalIgnoreCase);
    }

    private (TrainingPlan Plan, TinyRuns.Recorder Observer) Further(string name, TrainingPlan first, JsonObject given) =>
        Further(name, Version(first), given);

    private (TrainingPlan Plan, TinyRuns.Recorder Observer) Further(string name, TrainingParent parent, JsonObject given)
    {
        var (plan, observer) = (runs.Plan(name, given) with { Parent = parent }, new TinyRuns.Recorder());
        TrainingRun.Run(plan, observer, CancellationToken.None);
        return (plan, observer);
    }

    private static TrainingParent Version(TrainingPlan plan) =>
        new("me/gizmo:first", Path.Combine(plan.OutputFolder, TrainedModelTar.FileName));

    private static byte[] Sample(TrainingPlan plan, int step) =>
        File.ReadAllBytes(Path.Combine(plan.WorkFolder, "samples", FormattableString.Invariant($"step-{step:D6}-0.png")));
}
