using Sdxl.Vision.Captions;

namespace Sdxl.Tests.Vision.Captions;

/// <summary>Small languages whose best sentence is known. Token 0 starts, token 3 ends.</summary>
public sealed class BeamSearchTests
{
    private static float[] Log(params double[] probabilities) => [.. probabilities.Select(p => (float)Math.Log(Math.Max(p, 1e-30)))];

    /// <summary>"1" looks better at first (0.6), but what follows it is unsure; "2" (0.4) is surely followed by the end.</summary>
    private static float[][] Garden(IReadOnlyList<long[]> sequences) => [.. sequences.Select(sequence => sequence switch
    {
        [0] => Log(0, 0.6, 0.4, 0),
        [0, 1] => Log(0, 0.4, 0.3, 0.3),
        [0, 2] => Log(0, 0, 0.001, 0.999),
        _ => Log(0.1, 0.1, 0.1, 0.7),
    })];

    [Fact]
    public void Greedy_takes_the_likeliest_token_each_time() => Assert.Equal([0, 1, 1, 3], BeamSearch.Run(0, 3, 1, 10, Garden));

    [Fact]
    public void Beams_find_the_likelier_sentence() => Assert.Equal([0, 2, 3], BeamSearch.Run(0, 3, 2, 10, Garden));

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_sentence_without_end_is_cut_at_the_limit(int beams)
    {
        var found = BeamSearch.Run(0, 3, beams, 5, sequences => [.. sequences.Select(_ => Log(0.1, 0.8, 0.1, 0))]);
        Assert.Equal([0, 1, 1, 1, 1, 1], found);
    }
}
