using Sdxl.Core.Trainings;

namespace Sdxl.Tests.Core.Trainings;

/// <summary>Which step is best, and the sentence that says why.</summary>
public sealed class RecommendationTests
{
    private static Recommendation? Of(params double[] losses) =>
        Recommendation.Of([.. losses.Select((loss, i) => new HeldOutLoss((i + 1) * 500, loss))]);

    [Fact]
    public void The_lowest_is_recommended_beside_what_the_end_has_come_to() =>
        Assert.Equal(
            new Recommendation(
                1000, 0.07114,
                "What it gets wrong on the pictures held out is least there, 0.0711; later it learned the others by heart: 0.0796 at the "
                    + "last step, 1,500."),
            Of(0.0823, 0.07114, 0.0796));

    [Fact]
    public void Where_the_last_is_lowest_more_steps_would_help() =>
        Assert.Equal(
            new Recommendation(
                1000, 0.07,
                "What it gets wrong on the pictures held out is least there, 0.07, after 0.0823 at step 500: it was still learning."),
            Of(0.0823, 0.07));

    [Fact]
    public void Of_equals_it_is_the_earlier() => Assert.Equal(500, Of(0.07, 0.07, 0.08)!.Step);

    [Fact]
    public void One_measurement_is_no_choice() => Assert.Null(Of(0.07));
}
