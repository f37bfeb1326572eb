using System.Runtime.InteropServices;
using TorchSharp;
using static Sdxl.Polyfills.TorchSharp.Tests.Numbers;
using static TorchSharp.torch;

namespace Sdxl.Polyfills.TorchSharp.Tests;

public class AutogradFunctionTests
{
    /// <summary>y = x^power, with its own derivative.</summary>
    private sealed class Power : autograd.SingleTensorFunction<Power>
    {
        public override string Name => nameof(Power);

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            var (x, power) = ((Tensor)vars[0], (double)vars[1]);
            ctx.save_for_backward([x]);
            ctx.save_data("power", power);
            return x.pow(power);
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        {
            var power = (double)ctx.get_data("power");
            return [grad_output * power * ctx.get_saved_variables()[0].pow(power - 1), null!];
        }
    }

    /// <summary>(a + b, a * b).</summary>
    private sealed class SumAndProduct : autograd.MultiTensorFunction<SumAndProduct>
    {
        public override string Name => nameof(SumAndProduct);

        public override List<Tensor> forward(autograd.AutogradContext ctx, params object[] vars)
        {
            var (a, b) = ((Tensor)vars[0], (Tensor)vars[1]);
            ctx.save_for_backward([a, b]);
            return [a + b, a * b];
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, List<Tensor> grad_outputs)
        {
            var saved = ctx.get_saved_variables();
            return [grad_outputs[0] + grad_outputs[1] * saved[1], grad_outputs[0] + grad_outputs[1] * saved[0]];
        }
    }

    /// <summary>Runs a block without a record and again, with one, when its gradient is wanted: gradient checkpointing.</summary>
    private sealed class Checkpoint : autograd.SingleTensorFunction<Checkpoint>
    {
        public override string Name => nameof(Checkpoint);

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            var block = (Func<Tensor, Tensor>)vars[1];
            ctx.save_for_backward([(Tensor)vars[0]]);
            ctx.save_data("block", block);
            return block((Tensor)vars[0]);
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        {
            using var recording = enable_grad();
            var input = ctx.get_saved_variables()[0].detach().requires_grad_();
            ((Func<Tensor, Tensor>)ctx.get_data("block"))(input).backward([grad_output]);
            return [input.grad!, null!];
        }
    }

    private sealed class Failing : autograd.SingleTensorFunction<Failing>
    {
        public override string Name => nameof(Failing);

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars) =>
            vars.Length > 1 ? throw new FormatException("no forward today") : ((Tensor)vars[0]) * 2;

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output) => throw new FormatException("no backward today");
    }

    [Fact]
    public void A_function_of_one_tensor_uses_its_own_backward() => AssertGradients(t => Power.apply(t[0], 3.0), Some([2, 3]));

    [Fact]
    public void A_function_of_several_tensors_uses_its_own_backward() => AssertGradients(t =>
    {
        var both = SumAndProduct.apply(t[0], t[1]);
        return both[0] * 2 + both[1].sin();
    }, Some([2, 2]), Some([2, 2], seed: 2));

    [Fact]
    public void An_output_without_gradient_counts_as_zeros()
    {
        Tensor a = tensor(new[] { 2.0 }, requires_grad: true), b = tensor(new[] { 5.0 }, requires_grad: true);
        SumAndProduct.apply(a, b)[1].backward();
        AssertClose([5], a.grad!);
        AssertClose([2], b.grad!);
    }

    [Fact]
    public void Recomputing_a_block_gives_the_gradients_of_the_block()
    {
        using var layer = nn.Linear(3, 3, dtype: float64);
        Func<Tensor, Tensor> block = x => nn.functional.silu(layer.call(x));
        Tensor x = Some([2, 3]).requires_grad_(), y = Some([2, 3]).requires_grad_();
        block(x).sum().backward();
        var weightGradient = layer.weight.grad!.clone();
        layer.zero_grad();
        Checkpoint.apply(y, block).sum().backward();
        AssertClose(Values(x.grad!), y.grad!, 1e-12);
        AssertClose(Values(weightGradient), layer.weight.grad!, 1e-12);
    }

    [Fact]
    public void Without_a_record_nothing_is_kept()
    {
        var x = ones(2, requires_grad: true);
        using (no_grad())
            Assert.False(Power.apply(x, 2.0).requires_grad);
        Assert.False(Power.apply(ones(2), 2.0).requires_grad);
    }

    [Fact]
    public void An_exception_in_forward_reaches_the_caller() =>
        Assert.Equal("no forward today", Assert.Throws<FormatException>(() => Failing.apply(ones(1, requires_grad: true), 1)).Message);

#if POLYFILL // The real package lets such an exception end the process.
    [Fact]
    public void An_exception_in_backward_becomes_a_native_failure() => Assert.Contains(
        "Function Failing: no backward today", Assert.Throws<ExternalException>(() => Failing.apply(ones(1, requires_grad: true)).backward()).Message);
#endif

    [Fact]
    public void A_graph_that_is_gone_lets_the_state_of_its_functions_go()
    {
        static WeakReference Run()
        {
            using var scope = NewDisposeScope();
            var kept = new object();
            Func<Tensor, Tensor> block = x => kept is null ? x : x * 2;
            Checkpoint.apply(ones(1, requires_grad: true), block).backward();
            return new WeakReference(kept);
        }
        var kept = Run();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.False(kept.IsAlive);
    }
}
