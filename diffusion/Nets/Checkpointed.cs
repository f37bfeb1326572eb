using static TorchSharp.torch;

namespace Sdxl.Diffusion.Nets;

/// <summary>
/// A block whose inner results are not kept for the backward pass: only its inputs are, and the rest is computed again when its gradient is
/// wanted. A third more time for a fraction of the memory (Chen et al. 2016, arXiv:1604.06174).
/// </summary>
internal sealed class Checkpointed : autograd.SingleTensorFunction<Checkpointed>
{
    private const string Block = "block";
    private const int Arguments = 4;

    /// <summary>What this thread's last backward returned: libtorch has taken its own references when it calls again.</summary>
    /// <remarks>
    /// On a GPU libtorch runs the backward pass on a thread of its own, which has no outer dispose scope; without this the gradients'
    /// memory would wait for the garbage collector, which knows nothing of a GPU's memory.
    /// </remarks>
    [ThreadStatic]
    private static List<Tensor>? t_returned;

    public override string Name => nameof(Checkpointed);

    /// <summary>block(x, given), checkpointed.</summary>
    /// <param name="trains">Something inside the block trains, so it has to be gone through even where neither input needs a
    /// gradient.</param>
    public static Tensor Run(nn.Module<Tensor, Tensor, Tensor> block, Tensor x, Tensor given, bool trains)
    {
        if (!is_grad_enabled() || !(trains || x.requires_grad || given.requires_grad))
            return block.call(x, given); // nothing is kept for a backward pass anyway
        // Autograd follows a function only where an input needs a gradient; in the first blocks of a LoRA training none does.
        using var follow = zeros(1, requires_grad: true);
        return apply((Func<Tensor, Tensor, Tensor>)block.call, x, given, follow);
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (block, x, given) = ((Func<Tensor, Tensor, Tensor>)vars[0], (Tensor)vars[1], (Tensor)vars[2]);
        BackwardPass.Prepare(ctx);
        ctx.save_data(Block, block);
        ctx.save_for_backward([x, given]);
        using var guard = no_grad();
        return block(x, given);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using (grad_output)
            return BackwardPass.Guard(ctx, Arguments, () => Gradients(ctx, grad_output));
    }

    private static List<Tensor> Gradients(autograd.AutogradContext ctx, Tensor outputGradient)
    {
        using var scope = NewDisposeScope();
        var block = (Func<Tensor, Tensor, Tensor>)ctx.get_data(Block);
        var inputs = ctx.get_saved_variables().Select(saved =>
        {
            using (saved)
            {
                var leaf = saved.detach();
                leaf.requires_grad = saved.requires_grad;
                return leaf;
            }
        }).ToList();
        using (enable_grad())
        {
            var output = block(inputs[0], inputs[1]);
            if (output.requires_grad)
                BackwardPass.Run(output, outputGradient);
        }
        foreach (var earlier in t_returned ?? [])
            earlier.Dispose();
        var gradients = inputs.Select(i => i.grad?.MoveToOuterDisposeScope()).ToList();
        t_returned = [.. gradients.OfType<Tensor>()];
        // The block and the follower get none.
        return [null!, gradients[0]!, gradients[1]!, null!];
    }
}
