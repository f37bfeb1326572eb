using static TorchSharp.torch;

namespace Sdxl.Diffusion.Randomness;

/// <summary>
/// Randomness without state: every number is a function of (seed, purpose, step, index, position). A resumed run, another batch order or
/// another number of workers draws the same numbers, and one output of many can be repeated alone.
/// </summary>
/// <remarks>
/// Philox counter words: position / 4, index, step, purpose; key: the seed's 64 bits. Computed on the CPU in double precision, so that a
/// GPU run and a CPU run start from the same noise.
/// </remarks>
public static class CounterRandom
{
    /// <summary>Standard normal numbers (Box-Muller; |z| stays below 6.8).</summary>
    /// <param name="step">0..2^32-1.</param>
    /// <param name="index">0..2^32-1.</param>
    public static void Normal(long seed, RandomPurpose purpose, long step, long index, Span<float> destination)
    {
        var (stepWord, indexWord) = (checked((uint)step), checked((uint)index));
        for (int at = 0; at < destination.Length; at += 4)
        {
            var (a, b, c, d) = Philox.Block((uint)(at / 4), indexWord, stepWord, (uint)purpose, (ulong)seed);
            var (z0, z1) = BoxMuller(a, b);
            var (z2, z3) = BoxMuller(c, d);
            destination[at] = z0;
            if (at + 1 < destination.Length) destination[at + 1] = z1;
            if (at + 2 < destination.Length) destination[at + 2] = z2;
            if (at + 3 < destination.Length) destination[at + 3] = z3;
        }
    }

    /// <summary>A new float32 CPU tensor of standard normal numbers; element i (row-major) is number i of the stream.</summary>
    public static Tensor Normal(long seed, RandomPurpose purpose, long step, long index, params long[] shape)
    {
        var numbers = new float[shape.Aggregate(1L, (product, side) => checked(product * side))];
        Normal(seed, purpose, step, index, numbers);
        return tensor(numbers, shape);
    }

    /// <summary>Number <paramref name="position"/> of the stream, uniform in [0, 1), with 53 random bits.</summary>
    public static double Uniform(long seed, RandomPurpose purpose, long step, long index, int position = 0)
    {
        var (a, b, c, d) = Philox.Block((uint)position / 2, checked((uint)index), checked((uint)step), (uint)purpose, (ulong)seed);
        var bits = position % 2 == 0 ? ((ulong)a << 32) | b : ((ulong)c << 32) | d;
        return (bits >> 11) * (1.0 / (1UL << 53));
    }

    /// <summary>A whole number in 0..exclusiveMax-1 (bias below exclusiveMax / 2^53).</summary>
    public static int Integer(long seed, RandomPurpose purpose, long step, long index, int exclusiveMax, int position = 0) =>
        (int)(Uniform(seed, purpose, step, index, position) * exclusiveMax);

    /// <summary>A random order of 0..count-1 (Fisher-Yates).</summary>
    public static int[] Permutation(long seed, RandomPurpose purpose, long step, int count)
    {
        var order = Enumerable.Range(0, count).ToArray();
        for (var last = count - 1; last > 0; last--)
        {
            var other = Integer(seed, purpose, step, 0, last + 1, last);
            (order[last], order[other]) = (order[other], order[last]);
        }
        return order;
    }

    private static (float, float) BoxMuller(uint a, uint b)
    {
        var radius = Math.Sqrt(-2.0 * Math.Log((a + 0.5) / 4294967296.0)); // (0, 1): the half keeps the logarithm finite
        var (sin, cos) = Math.SinCos(2.0 * Math.PI / 4294967296.0 * b);
        return ((float)(radius * cos), (float)(radius * sin));
    }
}
