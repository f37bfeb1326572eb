using Sdxl.Diffusion.Nets;
using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Nets;

public sealed class CheckpointedTests
{
    /// <summary>As on a GPU, where libtorch runs the backward pass on a thread that has no dispose scope.</summary>
    [Fact]
    public void Backward_passes_on_a_thread_without_a_dispose_scope_leave_no_tensor_for_the_garbage_collector()
    {
        var live = new List<long>();
        var thread = new Thread(() =>
        {
            using var block = new Product();
            using var x = rand(4, requires_grad: true);
            using var given = rand(4, requires_grad: true);
            for (var pass = 0; pass < 6; pass++)
            {
                Tensor loss;
                using (NewDisposeScope()) // the forward pass has one, as in a training
                    loss = Checkpointed.Run(block, x, given, trains: true).sum().DetachFromDisposeScope();
                using (loss)
                    BackwardPass.Run(loss);
                live.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount);
            }
        });
        thread.Start();
        thread.Join();
        Assert.Equal(6, live.Count);
        Assert.All(live.Skip(2), count => Assert.Equal(live[1], count));
    }

    /// <summary>Without the guard the process ends here: an exception cannot cross libtorch's frames.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)] // a block inside a block
    [InlineData(3)]
    public void What_a_block_throws_in_the_backward_pass_comes_out_of_it_and_the_next_pass_is_whole(int depth)
    {
        using var scope = NewDisposeScope();
        var inner = new Faulty();
        nn.Module<Tensor, Tensor, Tensor> block = inner;
        for (var i = 1; i < depth; i++)
            block = new Wrapped(block);
        using var other = new Product();
        var (x, given) = (ones(4, requires_grad: true), tensor(new[] { 3f, 3, 3, 3 }));

        // Two blocks one behind the other: the backward pass goes on to the second after the first has thrown.
        Tensor Loss() => Checkpointed.Run(block, Checkpointed.Run(other, x, given, trains: true), given, trains: true).sum();

        var loss = Loss();
        inner.Fault = new InvalidDataException("Layer 7 is torn.");
        var error = Assert.Throws<InvalidDataException>(() => BackwardPass.Run(loss));
        Assert.Same(inner.Fault, error);
        Assert.Null(x.grad);

        inner.Fault = null;
        BackwardPass.Run(Loss());
        Assert.Equal(Enumerable.Repeat(9f, 4), x.grad!.data<float>().ToArray()); // x · 3 · 3
    }

    private sealed class Faulty() : nn.Module<Tensor, Tensor, Tensor>(nameof(Faulty))
    {
        public Exception? Fault { get; set; }

        public override Tensor forward(Tensor a, Tensor b) => Fault is null ? a * b : throw Fault;
    }

    private sealed class Wrapped(nn.Module<Tensor, Tensor, Tensor> block) : nn.Module<Tensor, Tensor, Tensor>(nameof(Wrapped))
    {
        public override Tensor forward(Tensor a, Tensor b) => Checkpointed.Run(block, a, b, trains: true);
    }

    private sealed class Product() : nn.Module<Tensor, Tensor, Tensor>(nameof(Product))
    {
        public override Tensor forward(Tensor a, Tensor b) => a * b;
    }
}
