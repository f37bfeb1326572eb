using Sdxl.Diffusion.Randomness;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Randomness;

public sealed class CounterRandomTests
{
    /// <summary>Random123 examples/kat_vectors, philox4x32 10.</summary>
    [Fact]
    public void Philox_gives_the_published_words()
    {
        Assert.Equal((0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u), Philox.Block(0, 0, 0, 0, 0));
        Assert.Equal((0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu), Philox.Block(~0u, ~0u, ~0u, ~0u, ~0ul));
        Assert.Equal(
            (0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u),
            Philox.Block(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0x299f31d0a4093822)
        );
    }

    [Fact]
    public void A_longer_draw_begins_with_the_shorter_one()
    {
        var (four, seven) = (new float[4], new float[7]);
        CounterRandom.Normal(5, RandomPurpose.TrainNoise, 3, 2, four);
        CounterRandom.Normal(5, RandomPurpose.TrainNoise, 3, 2, seven);
        Assert.Equal(four, seven[..4]);
    }

    [Fact]
    public void Seed_purpose_step_and_index_each_give_other_numbers()
    {
        float[] Draw(long seed, RandomPurpose purpose, long step, long index)
        {
            var numbers = new float[8];
            CounterRandom.Normal(seed, purpose, step, index, numbers);
            return numbers;
        }
        var draws = new[]
        {
            Draw(1, RandomPurpose.TrainNoise, 1, 1),
            Draw(2, RandomPurpose.TrainNoise, 1, 1),
            Draw(1, RandomPurpose.TrainTimestep, 1, 1),
            Draw(1, RandomPurpose.TrainNoise, 2, 1),
            Draw(1, RandomPurpose.TrainNoise, 1, 2),
        };
        Assert.Equal(draws.Length, draws.Select(d => string.Join(' ', d)).Distinct().Count());
        Assert.Equal(draws[0], Draw(1, RandomPurpose.TrainNoise, 1, 1));
    }

    [Fact]
    public void Normal_numbers_have_mean_0_deviation_1_and_normal_tails()
    {
        using var scope = NewDisposeScope();
        var numbers = CounterRandom.Normal(42, RandomPurpose.SampleLatent, 0, 0, 1_000_000);
        Assert.Equal(0, numbers.mean().item<float>(), 0.004);
        Assert.Equal(1, numbers.std().item<float>(), 0.004);
        Assert.Equal(0.0455, numbers.abs().ge(Num(2)).to_type(ScalarType.Float64).mean().item<double>(), 0.001);
        Assert.Equal(0, (numbers.narrow(0, 0, 999_999) * numbers.narrow(0, 1, 999_999)).mean().item<float>(), 0.004);
    }

    [Fact]
    public void A_permutation_holds_every_number_once_and_uniform_numbers_stay_below_1()
    {
        Assert.Equal(Enumerable.Range(0, 100), CounterRandom.Permutation(9, RandomPurpose.TrainOrder, 4, 100).Order());
        Assert.NotEqual(
            CounterRandom.Permutation(9, RandomPurpose.TrainOrder, 4, 100),
            CounterRandom.Permutation(9, RandomPurpose.TrainOrder, 5, 100)
        );
        var uniform = Enumerable.Range(0, 10_000).Select(i => CounterRandom.Uniform(9, RandomPurpose.TrainTimestep, i, 0)).ToList();
        Assert.All(uniform, u => Assert.InRange(u, 0, 0.99999999999));
        Assert.Equal(0.5, uniform.Average(), 0.01);
    }
}
