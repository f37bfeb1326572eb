using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tensors;

/// <summary>
/// The backward pass, out of which comes what was thrown in a custom autograd function. A test finds whoever calls libtorch's own.
/// </summary>
/// <remarks>
/// libtorch calls such a function from its own frames, which an exception must not cross: the runtime would end the process. So the
/// function keeps it, gives no gradient, and it is thrown again once libtorch has returned. It is kept with the thread that made the
/// function in the forward pass, because on a GPU libtorch goes back on a thread of its own.
/// </remarks>
public static class BackwardPass
{
    private const string Failures = "failures";

    [ThreadStatic]
    private static ConcurrentQueue<Exception>? t_failures;

    private static ConcurrentQueue<Exception> OfThisThread => t_failures ??= new();

    /// <summary>
    /// Adds up the gradients of everything that <paramref name="output"/> was computed from, on the thread that computed it.
    /// </summary>
    /// <param name="gradient">Of the output, in its shape; null for a scalar, whose gradient is 1.</param>
    /// <exception cref="Exception">What a custom autograd function threw, as it was thrown. Gradients are incomplete then.</exception>
    public static void Run(Tensor output, Tensor? gradient = null)
    {
        var failures = OfThisThread;
        failures.Clear();
        try
        {
            if (gradient is null)
                output.backward();
            else
                autograd.backward([output], [gradient]);
        }
        finally
        {
            if (failures.TryDequeue(out var first)) // also where libtorch failed in turn: this is the cause
            {
                failures.Clear();
                ExceptionDispatchInfo.Throw(first);
            }
        }
    }

    /// <summary>In a function's forward pass: prepares <see cref="Guard"/>.</summary>
    internal static void Prepare(autograd.AutogradContext context) => context.save_data(Failures, OfThisThread);

    /// <summary>A function's backward pass: its gradients, or none at all where it throws or one before it has thrown.</summary>
    /// <param name="arguments">Number of arguments of the forward pass.</param>
    /// <remarks>To libtorch no gradient means zeros. It needs no memory, the lack of which may be what was thrown.</remarks>
    internal static List<Tensor> Guard(autograd.AutogradContext context, int arguments, Func<List<Tensor>> gradients)
    {
        var failures = (ConcurrentQueue<Exception>)context.get_data(Failures);
        try
        {
            if (failures.IsEmpty)
                return gradients();
        }
        catch (Exception e)
        {
            failures.Enqueue(e);
        }
        return [.. Enumerable.Repeat<Tensor>(null!, arguments)];
    }
}
