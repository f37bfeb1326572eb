using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace TorchSharp;

public static partial class torch
{
    public static partial class autograd
    {
        /// <summary>What one application of a function keeps from its forward for its backward.</summary>
        public class AutogradContext : IDisposable
        {
            private readonly Dictionary<string, object> savedData = [];

            internal List<Tensor?> TensorsToSave = [];
            internal List<Tensor> DirtyTensors = [];
            internal List<Tensor> NonDifferentiableTensors = [];

            /// <summary>Set while the backward runs.</summary>
            internal List<Tensor?>? Unpacked;

            internal AutogradContext()
            {
            }

            public bool MaterializeGrads { get; private set; } = true;

            public void save_for_backward(List<Tensor> tensors) => TensorsToSave = [.. tensors];

            /// <summary>Keeps what is not a tensor; tensors go through <see cref="save_for_backward"/>.</summary>
            public void save_data(string key, object value) => savedData[key] = value;

            public object get_data(string key) => savedData.TryGetValue(key, out var value) ? value : null!;

            public void mark_dirty(List<Tensor> tensors) => DirtyTensors = [.. tensors];

            public void mark_non_differentiable(List<Tensor> tensors) => NonDifferentiableTensors = [.. tensors];

            public void set_materialize_grads(bool value) => MaterializeGrads = value;

            /// <summary>The saved tensors, null where none was saved. To be called in the backward.</summary>
            public List<Tensor> get_saved_variables() => Unpacked!.ToList()!;

            public void Dispose()
            {
                Dispose(true);
                GC.SuppressFinalize(this);
            }

            protected virtual void Dispose(bool disposing)
            {
            }
        }

        /// <summary>A function with its own backward. Derive from <see cref="SingleTensorFunction{T}"/> or <see cref="MultiTensorFunction{T}"/>.</summary>
        public abstract unsafe class Function<T> where T : Function<T>, new()
        {
            internal static T Instance { get; } = new();

            public abstract string Name { get; }

            internal abstract List<Tensor> forward_internal(AutogradContext ctx, params object[] vars);

            internal abstract List<Tensor> backward_internal(AutogradContext ctx, List<Tensor> grad_outputs);

            public static List<Tensor> apply_internal(params object[] vars)
            {
                var call = new FunctionCall(vars, Instance.Name, Instance.forward_internal, Instance.backward_internal);
                return call.Apply();
            }
        }

        public abstract class SingleTensorFunction<T> : Function<T> where T : SingleTensorFunction<T>, new()
        {
            public static Tensor apply(params object[] vars) => apply_internal(vars)[0];

            internal sealed override List<Tensor> forward_internal(AutogradContext ctx, params object[] vars) => [forward(ctx, vars)];

            internal sealed override List<Tensor> backward_internal(AutogradContext ctx, List<Tensor> grad_outputs) => backward(ctx, grad_outputs[0]);

            public abstract Tensor forward(AutogradContext ctx, params object[] vars);

            /// <summary>One gradient for each argument of forward; null for what is not a tensor or needs none.</summary>
            public abstract List<Tensor> backward(AutogradContext ctx, Tensor grad_output);
        }

        public abstract class MultiTensorFunction<T> : Function<T> where T : MultiTensorFunction<T>, new()
        {
            public static List<Tensor> apply(params object[] vars) => apply_internal(vars);

            internal sealed override List<Tensor> forward_internal(AutogradContext ctx, params object[] vars) => forward(ctx, vars);

            internal sealed override List<Tensor> backward_internal(AutogradContext ctx, List<Tensor> grad_outputs) => backward(ctx, grad_outputs);

            public abstract List<Tensor> forward(AutogradContext ctx, params object[] vars);

            /// <summary>One gradient for each argument of forward; null for what is not a tensor or needs none.</summary>
            public abstract List<Tensor> backward(AutogradContext ctx, List<Tensor> grad_outputs);
        }

        /// <summary>One application of a function: native code holds it, through a GCHandle, as long as the graph can still run its backward.</summary>
        private sealed unsafe class FunctionCall(
            object[] vars, string name, Func<AutogradContext, object[], List<Tensor>> forward, Func<AutogradContext, List<Tensor>, List<Tensor>> backward)
        {
            private readonly AutogradContext context = new();
            private readonly bool[] isTensor = Array.ConvertAll(vars, v => v is Tensor { IsInvalid: false });
            private object[]? arguments = vars;
            private ExceptionDispatchInfo? failure;
            /// <summary>Keeps tensors alive whose handles native code is about to read.</summary>
            private object? lent;

            public List<Tensor> Apply()
            {
                var inputs = arguments!.Where((_, i) => isTensor[i]).Cast<Tensor>().ToArray();
                var callbacks = new FunctionCallbacks { Forward = &Forward, Backward = &Backward, Release = &Release };
                int count;
                fixed (nint* handles = inputs.Handles())
                {
                    var outputs = Native.sx_function_apply(GCHandle.ToIntPtr(GCHandle.Alloc(this)), &callbacks, handles, inputs.Length, &count);
                    // The graph must not keep the arguments: what the backward needs is in the context.
                    (arguments, lent) = (null, null);
                    context.TensorsToSave = [];
                    context.DirtyTensors = context.NonDifferentiableTensors = [];
                    if (failure is not null)
                    {
                        // The caller gets the exception itself, not the native echo of it.
                        Native.sx_last_error();
                        failure.Throw();
                    }
                    return [.. Tensor.TakeAll(outputs, count, inputs)];
                }
            }

            private static FunctionCall From(nint state) => (FunctionCall)GCHandle.FromIntPtr(state).Target!;

            [UnmanagedCallersOnly]
            private static void Release(nint state) => GCHandle.FromIntPtr(state).Free();

            [UnmanagedCallersOnly]
            private static int Forward(nint state, ForwardResult* result)
            {
                var call = From(state);
                try
                {
                    var outputs = call.RunForward();
                    var context = call.context;
                    call.lent = outputs;
                    result->Outputs = Lend(outputs, out result->OutputCount);
                    result->Saved = Lend(context.TensorsToSave, out result->SavedCount);
                    result->Dirty = Lend(context.DirtyTensors, out result->DirtyCount);
                    result->Constant = Lend(context.NonDifferentiableTensors, out result->ConstantCount);
                    result->Materialize = context.MaterializeGrads ? 1 : 0;
                    return 0;
                }
                catch (Exception exception)
                {
                    call.failure = ExceptionDispatchInfo.Capture(exception);
                    return 1;
                }
            }

            private List<Tensor> RunForward() => forward(context, arguments!);

            private static nint* Lend(IReadOnlyList<Tensor?> tensors, out int count)
            {
                count = tensors.Count;
                var handles = (nint*)NativeMemory.Alloc((nuint)Math.Max(1, count), (nuint)sizeof(nint));
                for (var i = 0; i < count; i++)
                    handles[i] = tensors[i]?.handle ?? 0;
                return handles;
            }

            [UnmanagedCallersOnly]
            private static int Backward(nint state, nint* grads, int count, nint* saved, int savedCount, nint* results)
            {
                var call = From(state);
                try
                {
                    call.context.Unpacked = Take(saved, savedCount, zero: false);
                    var given = Take(grads, count, zero: true);
                    var gradients = call.RunBackward(given!);
                    call.lent = gradients;
                    for (var i = 0; i < gradients.Count; i++)
                        results[i] = gradients[i]?.handle ?? 0;
                    call.context.Unpacked = null;
                    return 0;
                }
                catch (Exception exception)
                {
                    fixed (byte* text = System.Text.Encoding.UTF8.GetBytes($"Function {call.Name}: {exception.Message}\0"))
                        Native.sx_function_failed(text);
                    return 1;
                }
            }

            private string Name => name;

            /// <summary>Runs the backward and picks the gradients of the tensor arguments.</summary>
            private List<Tensor?> RunBackward(List<Tensor> grads)
            {
                var output = backward(context, grads);
                if (output.Count > isTensor.Length && output.Skip(isTensor.Length).All(t => t is null || t.IsInvalid))
                    output = output.GetRange(0, isTensor.Length);
                if (output.Count != isTensor.Length)
                    throw new NotImplementedException($"Function {name} returned an incorrect number of gradients (expected {isTensor.Length}), got {output.Count}");
                var result = new List<Tensor?>();
                for (var i = 0; i < output.Count; i++)
                {
                    if (isTensor[i])
                        result.Add(output[i]);
                    else if (output[i] is not null && !output[i].IsInvalid)
                        throw new NotImplementedException($"Function {name} returned a gradient different that is defined at position {i + 1}, but the corresponding forward input was not a Tensor");
                }
                return result;
            }

            private static List<Tensor?> Take(nint* handles, int count, bool zero)
            {
                var result = new List<Tensor?>(count);
                for (var i = 0; i < count; i++)
                    result.Add(handles[i] != 0 || zero ? new Tensor(handles[i]) : null);
                return result;
            }
        }
    }
}
