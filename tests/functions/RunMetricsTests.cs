using Sdxl.Functions.Trainings;

namespace Sdxl.Tests.Functions;

/// <summary>A run's measurements, thinned for a plot.</summary>
public sealed class RunMetricsTests
{
    private static string Lines(int steps, int heldOutEvery) => string.Concat(Enumerable.Range(1, steps).Select(step =>
        $$"""{"step":{{step}},"loss":0.5{{(step % heldOutEvery == 0 ? ",\"held_out\":0.25" : "")}}}""" + "\n"));

    [Fact]
    public void Of_many_steps_two_thousand_are_left_the_last_among_them_and_every_one_that_was_measured_on_pictures_held_out()
    {
        var metrics = RunMetrics.Read(Lines(9_999, 333), after: 0);

        Assert.InRange(metrics.Points.Count, 1_000, RunMetrics.MostPoints);
        Assert.Equal(9_999, metrics.Points[^1]["step"]!.GetValue<int>());
        Assert.Equal(9_999, metrics.LastStep);
        Assert.Equal(
            Enumerable.Range(1, 30).Select(k => k * 333),
            metrics.Points.Where(p => p["held_out"] is not null).Select(p => p["step"]!.GetValue<int>()));
    }

    [Fact]
    public void Where_every_step_was_measured_they_are_thinned_like_any_other() =>
        Assert.InRange(RunMetrics.Read(Lines(9_999, 1), after: 0).Points.Count, 1_000, RunMetrics.MostPoints);
}
