namespace TorchSharp;

/// <summary>Switches the recording of gradients on this thread until disposed.</summary>
internal sealed class AutoGradMode : IDisposable
{
    private readonly bool before = IsEnabled;

    public AutoGradMode(bool enabled) => Native.sx_set_grad_mode(enabled ? 1 : 0);

    public static bool IsEnabled => Native.sx_grad_mode() != 0;

    public void Dispose() => Native.sx_set_grad_mode(before ? 1 : 0);
}

internal sealed class InferenceMode : IDisposable
{
    private nint guard;

    public InferenceMode(bool mode) => guard = Native.sx_enter_inference_mode(mode ? 1 : 0);

    public static bool IsEnabled => Native.sx_inference_mode() != 0;

    public void Dispose()
    {
        if (guard == 0)
            return;
        Native.sx_leave_inference_mode(guard);
        guard = 0;
    }
}

public static unsafe partial class torch
{
    public static IDisposable no_grad() => new AutoGradMode(false);

    public static IDisposable enable_grad(bool enabled = true) => new AutoGradMode(enabled);

    public static IDisposable set_grad_enabled(bool mode = true) => new AutoGradMode(mode);

    public static bool is_grad_enabled() => AutoGradMode.IsEnabled;

    public static IDisposable inference_mode(bool mode = true) => new InferenceMode(mode);

    public static bool is_inference_mode_enabled() => InferenceMode.IsEnabled;

    public static partial class autograd
    {
        /// <summary>Gradients of the outputs by the inputs, one for each input; with allow_unused an input without influence gives an invalid tensor.</summary>
        public static IList<Tensor> grad(IList<Tensor> outputs, IList<Tensor> inputs, IList<Tensor>? grad_outputs = null, bool retain_graph = false, bool create_graph = false, bool allow_unused = false)
        {
            int count;
            fixed (nint* o = outputs.Handles(), i = inputs.Handles(), g = grad_outputs?.Handles())
            {
                var handles = Native.sx_autograd_grad(o, outputs.Count, i, inputs.Count, g, grad_outputs?.Count ?? 0, retain_graph ? 1 : 0, create_graph ? 1 : 0,
                    allow_unused ? 1 : 0, &count);
                GC.KeepAlive(outputs);
                GC.KeepAlive(grad_outputs);
                return Tensor.TakeAll(handles, count, inputs).ToList();
            }
        }

        public static void backward(IList<Tensor> tensors, IList<Tensor>? grad_tensors = null, bool? retain_graph = null, bool create_graph = false, IList<Tensor>? inputs = null)
        {
            fixed (nint* t = tensors.Handles(), g = grad_tensors?.Handles(), i = inputs?.Handles())
            {
                Check(Native.sx_backward(t, tensors.Count, g, grad_tensors?.Count ?? 0, (retain_graph ?? create_graph) ? 1 : 0, create_graph ? 1 : 0, i, inputs?.Count ?? 0));
            }
            GC.KeepAlive(tensors);
            GC.KeepAlive(grad_tensors);
            GC.KeepAlive(inputs);
        }

        public static void backward(Tensor tensor, IList<Tensor>? grad_tensors = null, bool? retain_graph = null, bool create_graph = false, IList<Tensor>? inputs = null) =>
            backward([tensor], grad_tensors, retain_graph, create_graph, inputs);

        public static void backward(Tensor tensor, Tensor grad_tensor, bool? retain_graph = null, bool create_graph = false, IList<Tensor>? inputs = null) =>
            backward([tensor], [grad_tensor], retain_graph, create_graph, inputs);
    }
}
