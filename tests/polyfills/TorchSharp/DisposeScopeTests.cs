using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Polyfills.TorchSharp.Tests;

public class DisposeScopeTests
{
    [Fact]
    public void A_scope_disposes_what_was_made_in_it_and_nothing_else()
    {
        var before = ones(2);
        Tensor inside, moved, detached;
        using (var scope = NewDisposeScope())
        {
            inside = before + 1;
            moved = (before + 2).MoveToOuterDisposeScope();
            detached = (before + 3).DetachFromDisposeScope();
            Assert.Equal(1, scope.DisposablesCount);
            Assert.True(scope.Contains(inside));
        }
        Assert.True(inside.IsInvalid);
        Assert.False(before.IsInvalid);
        Assert.False(moved.IsInvalid);
        Assert.False(detached.IsInvalid);
    }

    [Fact]
    public void Moving_outwards_hands_a_tensor_to_the_next_scope()
    {
        Tensor t;
        using (var outer = NewDisposeScope())
        {
            using (NewDisposeScope())
                t = ones(1).MoveToOuterDisposeScope();
            Assert.False(t.IsInvalid);
            Assert.True(outer.Contains(t));
            Assert.Same(outer, CurrentDisposeScope);
        }
        Assert.True(t.IsInvalid);
        Assert.Null(CurrentDisposeScope);
    }

    [Fact]
    public void A_disposed_tensor_refuses_every_use()
    {
        var t = ones(1);
        t.Dispose();
        t.Dispose();
        Assert.True(t.IsInvalid);
        Assert.Equal("Tensor invalid -- empty handle.", Assert.Throws<InvalidOperationException>(() => t + 1).Message);
        Assert.Throws<InvalidOperationException>(() => t.shape);
        Assert.Throws<InvalidOperationException>(() => t.dtype);
    }

    [Fact]
    public void Statistics_count_births_and_deaths_of_this_thread()
    {
        var statistics = DisposeScopeManager.Statistics;
        statistics.Reset();
        var outside = ones(1);
        Assert.Equal(1, statistics.CreatedOutsideScopeCount);
        using (var scope = NewDisposeScope())
        {
            var a = ones(1);
            ones(1).DetachFromDisposeScope().Dispose();
            scope.Attach(outside);
            Assert.Equal(2, statistics.CreatedInScopeCount);
            Assert.Equal(1, statistics.DetachedFromScopeCount);
            Assert.Equal(1, statistics.AttachedToScopeCount);
            Assert.Equal(1, statistics.DisposedOutsideScopeCount);
            Assert.Equal(2, statistics.ThreadTotalLiveCount);
            a.Dispose();
            Assert.Equal(1, statistics.DisposedInScopeCount);
        }
        Assert.True(outside.IsInvalid);
        Assert.Equal(0, statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Everything_but_the_kept_can_go_before_the_scope_ends()
    {
        using var scope = NewDisposeScope();
        Tensor kept = ones(1), gone = ones(1);
        Assert.Same(kept, scope.DisposeEverythingBut(kept));
        Assert.False(kept.IsInvalid);
        Assert.True(gone.IsInvalid);
    }

    [Fact]
    public void A_scope_that_ended_refuses_work()
    {
        var scope = NewDisposeScope();
        scope.Dispose();
        scope.Dispose();
        Assert.Throws<ObjectDisposedException>(() => scope.DisposablesCount);
        Assert.Throws<ObjectDisposedException>(() => scope.Attach(ones(1)));
    }

    [Fact]
    public void A_training_step_leaves_no_tensor_behind()
    {
        using var layer = nn.Linear(4, 4);
        using var x = ones(2, 4);
        long Live()
        {
            using (NewDisposeScope())
            {
                nn.functional.mse_loss(layer.call(x), x).backward();
                using (no_grad())
                {
                    foreach (var p in layer.parameters())
                        p.sub_(p.grad! * 0.1);
                }
                layer.zero_grad();
            }
            return DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        }
        Live();
        var second = Live();
        Assert.Equal(second, Live());
    }
}
