namespace Sdxl.Diffusion.Tests.Tensors;

/// <summary>What of TorchSharp must not be called freely, found in its IL.</summary>
internal static class UnsafeCalls
{
    private static readonly string s_torchSharp = typeof(TorchSharp.Scalar).Assembly.Location;

    private static readonly Lazy<HashSet<MethodName>> s_makers = new(Makers);

    /// <summary>Whether a call makes a Scalar that nobody holds, or goes to a method of TorchSharp that does.</summary>
    public static bool MakesScalar(MethodName called) => s_makers.Value.Contains(called);

    /// <summary>Whether a call starts a backward pass.</summary>
    public static bool GoesBackward(MethodName called) =>
        called is { Type: "TorchSharp.torch/Tensor" or "TorchSharp.torch/autograd", Name: "backward" }
            or { Type: "TorchSharp.torch/autograd", Name: "grad" };

    /// <summary>
    /// The conversions to Scalar, every method of TorchSharp that calls one, every method that calls such a method, and so on.
    /// </summary>
    /// <remarks>Some of them keep their Scalar alive (functional.hardshrink has a using); telling them apart is not worth it.</remarks>
    private static HashSet<MethodName> Makers()
    {
        var makers = new HashSet<MethodName>();
        var callers = MethodCalls.In(s_torchSharp).ToLookup(c => c.Called, c => c.Caller);
        var unseen = new Queue<MethodName>(callers.Select(c => c.Key).Where(m => m is { Type: "TorchSharp.Scalar", Name: ".ctor" }));
        while (unseen.TryDequeue(out var maker))
        {
            foreach (var caller in callers[maker])
            {
                if (makers.Add(caller))
                    unseen.Enqueue(caller);
            }
        }
        return makers;
    }
}
