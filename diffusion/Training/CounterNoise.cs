using Sdxl.Diffusion.Randomness;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Training;

/// <summary>Random inputs of a training as a function of (seed, purpose, batch, index in the batch).</summary>
/// <param name="seed">The training's seed.</param>
/// <param name="pictures">Pictures in the data set.</param>
/// <param name="batchSize">Pictures in a batch.</param>
/// <param name="trainTimesteps">Length of the noise schedule.</param>
public sealed class CounterNoise(long seed, int pictures, int batchSize, int trainTimesteps) : ITrainingNoise
{
    /// <summary>
    /// Each epoch is a new order of all pictures; batches run on across epochs, so none is short and every picture counts alike.
    /// </summary>
    public int[] Pictures(int batch)
    {
        var result = new int[batchSize];
        for (var i = 0; i < batchSize; i++)
        {
            var (epoch, position) = Math.DivRem((long)batch * batchSize + i, pictures);
            result[i] = CounterRandom.Permutation(seed, RandomPurpose.TrainOrder, epoch, pictures)[position];
        }
        return result;
    }

    public int[] Timesteps(int batch) =>
        [.. Enumerable.Range(0, batchSize).Select(i => CounterRandom.Integer(seed, RandomPurpose.TrainTimestep, batch, i, trainTimesteps))];

    public Tensor Noise(int batch, long[] shape) => Normal(RandomPurpose.TrainNoise, batch, shape);

    public Tensor Posterior(int batch, long[] shape) => Normal(RandomPurpose.TrainPosterior, batch, shape);

    public Tensor Offset(int batch, long[] shape) => Normal(RandomPurpose.TrainNoiseOffset, batch, shape);

    private Tensor Normal(RandomPurpose purpose, int batch, long[] shape)
    {
        var numbers = new float[shape.Aggregate(1L, (product, side) => checked(product * side))];
        var each = numbers.Length / (int)shape[0];
        for (var i = 0; i < shape[0]; i++)
            CounterRandom.Normal(seed, purpose, batch, i, numbers.AsSpan(i * each, each));
        return tensor(numbers, shape);
    }
}
