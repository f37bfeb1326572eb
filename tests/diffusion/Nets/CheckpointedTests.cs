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

    private sealed class Product() : nn.Module<Tensor, Tensor, Tensor>(nameof(Product))
    {
        public override Tensor forward(Tensor a, Tensor b) => a * b;
    }
}
