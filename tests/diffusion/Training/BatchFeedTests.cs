using Sdxl.Diffusion.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Training;

/// <summary>A batch's draws are the same whether they are made when asked for or ahead on another thread.</summary>
public sealed class BatchFeedTests
{
    private const int Pictures = 5, Batch = 2, Batches = 6;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Draws_made_ahead_are_those_made_when_asked_for_in_any_order(bool offset)
    {
        using var scope = NewDisposeScope();
        var noise = new Counted(new CounterNoise(3, Pictures, Batch, 1000));
        using var data = Data();
        using var plain = new BatchFeed(noise, data, offset, CPU, Batches, ahead: false);
        using var early = new BatchFeed(noise, data, offset, CPU, Batches, ahead: true);
        foreach (var batch in new[] { 0, 1, 2, 4, 3, 5 })
        {
            var (expected, found) = (plain.Take(batch), early.Take(batch));
            Assert.Equal(expected.Timesteps, found.Timesteps);
            Assert.Equal(offset, found.Offset is not null);
            foreach (var (a, b) in expected.Tensors.Zip(found.Tensors))
                Assert.True(a.bytes.SequenceEqual(b.bytes), $"batch {batch} differs");
        }
    }

    [Fact]
    public void The_next_batch_is_drawn_on_another_thread_and_none_beyond_the_last()
    {
        using var scope = NewDisposeScope();
        var noise = new Counted(new CounterNoise(3, Pictures, Batch, 1000));
        using var data = Data();
        using (var feed = new BatchFeed(noise, data, false, CPU, Batches, ahead: true))
        {
            feed.Take(0);
            Assert.True(noise.Second.Wait(TimeSpan.FromSeconds(30)), "batch 1 is not drawn before it is asked for");
            Assert.NotEqual(Environment.CurrentManagedThreadId, noise.Second.Result);
            for (var batch = 1; batch < Batches; batch++)
                feed.Take(batch);
        }
        Assert.Equal(Enumerable.Range(0, Batches), noise.Drawn.Select(d => d.Batch));
    }

    [Fact]
    public void On_the_processor_draws_are_made_when_asked_for_on_the_trainings_thread()
    {
        using var scope = NewDisposeScope();
        var noise = new Counted(new CounterNoise(3, Pictures, Batch, 1000));
        using var data = Data();
        using var feed = new BatchFeed(noise, data, false, CPU, Batches);
        feed.Take(0);
        Assert.Equal((0, Environment.CurrentManagedThreadId), noise.Drawn.Single());
    }

    [Fact]
    public void A_failure_while_drawing_ahead_reaches_the_training_when_that_batch_is_asked_for()
    {
        using var scope = NewDisposeScope();
        using var data = Data();
        using var feed = new BatchFeed(
            new Counted(new CounterNoise(3, Pictures, Batch, 1000), failing: 1),
            data,
            false,
            CPU,
            Batches,
            ahead: true
        );
        feed.Take(0);
        Assert.Throws<IOException>(() => feed.Take(1));
    }

    private static TrainingData Data() =>
        new(
            zeros(Pictures, 4, 8, 8),
            zeros(Pictures, 4, 8, 8),
            ones(Pictures, 1, 8, 8),
            zeros(Pictures, 6),
            zeros(Pictures, 77, dtype: ScalarType.Int64),
            zeros(Pictures, 77, dtype: ScalarType.Int64)
        );

    private sealed class Counted(ITrainingNoise inner, int failing = -1) : ITrainingNoise
    {
        private readonly TaskCompletionSource<int> second = new();

        public List<(int Batch, int Thread)> Drawn { get; } = [];

        /// <summary>The thread that draws batch 1, once it does.</summary>
        public Task<int> Second => second.Task;

        public int[] Pictures(int batch)
        {
            if (batch == failing)
                throw new IOException("on purpose");
            lock (Drawn)
                Drawn.Add((batch, Environment.CurrentManagedThreadId));
            if (batch == 1)
                second.TrySetResult(Environment.CurrentManagedThreadId);
            return inner.Pictures(batch);
        }

        public int[] Timesteps(int batch) => inner.Timesteps(batch);
        public Tensor Noise(int batch, long[] shape) => inner.Noise(batch, shape);
        public Tensor Posterior(int batch, long[] shape) => inner.Posterior(batch, shape);
        public Tensor Offset(int batch, long[] shape) => inner.Offset(batch, shape);
    }
}
