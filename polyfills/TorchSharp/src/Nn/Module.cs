using System.Reflection;
using TorchSharp.Modules;
using TorchSharp.Utils;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>Base of all layers: a named tree of parameters, buffers and submodules.</summary>
        public class Module : IDisposable
        {
            private protected readonly OrderedDict<Module> submodules = new();
            private protected readonly OrderedDict<(Tensor tensor, bool persistent)> ownBuffers = new();
            private protected readonly OrderedDict<Parameter> ownParameters = new();

            protected DeviceType _deviceType = DeviceType.CPU;
            protected int _deviceIndex = -1;
            protected string? name;

            private bool componentsRegistered;
            private bool isTraining = true;

            /// <summary>True after Dispose; registering such a module removes its name, as the real package does with an invalid handle.</summary>
            internal bool IsInvalid { get; private set; }

            protected Module(string name) => this.name = name;

            ~Module() => Dispose(false);

            public void Dispose()
            {
                Dispose(true);
                GC.SuppressFinalize(this);
            }

            protected virtual void Dispose(bool disposing)
            {
                if (!disposing || IsInvalid)
                    return;
                foreach (var (_, buffer) in named_buffers(false))
                    buffer.DetachFromDisposeScope().Dispose();
                foreach (var (_, parameter) in named_parameters(false))
                    parameter.DetachFromDisposeScope().Dispose();
                foreach (var (_, module) in named_modules())
                    module.Dispose();
                IsInvalid = true;
            }

            // ---- moving and converting
            protected internal virtual Module _to(Device device, ScalarType dtype, bool non_blocking)
            {
                RequireRealType(dtype);
                if (device.type != DeviceType.CUDA)
                    device = new Device(device.type, -1);
                RequireCuda(device.type);
                _toEpilog(dtype, device, non_blocking);
                return this;
            }

            protected internal virtual Module _to(DeviceType deviceType, int deviceIndex, bool non_blocking)
            {
                if (deviceType != DeviceType.CUDA)
                    deviceIndex = -1;
                RequireCuda(deviceType);
                if (deviceType != _deviceType || deviceIndex != _deviceIndex)
                    _toEpilog(null, new Device(deviceType, deviceIndex), non_blocking);
                return this;
            }

            protected internal virtual Module _to(ScalarType dtype, bool non_blocking)
            {
                RequireRealType(dtype);
                _toEpilog(dtype, null, non_blocking);
                return this;
            }

            private static void RequireRealType(ScalarType dtype)
            {
                if (!is_floating_point(dtype) && !is_complex(dtype))
                    throw new ArgumentException($"nn.Module.to only accepts floating point or complex types, but got desired dtype={dtype}");
            }

            private static void RequireCuda(DeviceType type)
            {
                if (type == DeviceType.CUDA && !cuda.is_available())
                    throw new InvalidOperationException("CUDA is not available.");
                InitializeDeviceType(type);
            }

            /// <summary>Children first, then this module's own parameters and buffers: new objects replace them here and in the fields that held them.</summary>
            protected virtual void _toEpilog(ScalarType? dtype, Device? device, bool non_blocking)
            {
                if (dtype is null && device is null)
                    throw new ArgumentNullException($"{nameof(dtype)} and {nameof(device)} are both null,");
                foreach (var (_, child) in named_children())
                {
                    if (device is null)
                        child._to(dtype!.Value, non_blocking);
                    else if (dtype is null)
                        child._to(device.type, device.index, non_blocking);
                    else
                        child._to(device, dtype.Value, non_blocking);
                }

                var fields = FieldsOf(GetType()).ToDictionary(field => field.ComponentName());
                var properties = GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).ToDictionary(property => property.Name);
                foreach (var (name, parameter) in named_parameters(false).ToList())
                {
                    if (!ReplaceParameter(dtype, device, parameter, out var replacement))
                        continue;
                    if (properties.TryGetValue(name, out var property))
                    {
                        property.SetValue(this, replacement);
                        continue;
                    }
                    parameter.Dispose();
                    ConditionallyRegisterParameter(name, replacement);
                    if (fields.TryGetValue(name, out var field))
                        field.SetValue(this, replacement);
                }
                foreach (var (name, buffer) in named_buffers(false).ToList())
                {
                    if (!ReplaceBuffer(dtype, device, buffer, out var replacement))
                        continue;
                    if (properties.TryGetValue(name, out var property))
                    {
                        property.SetValue(this, replacement);
                        continue;
                    }
                    ConditionallyRegisterBuffer(name, replacement);
                    if (fields.TryGetValue(name, out var field))
                        field.SetValue(this, replacement);
                }
                if (device is not null)
                    (_deviceType, _deviceIndex) = (device.type, device.index);
            }

            protected static bool ReplaceBuffer(ScalarType? dtype, Device? device, Tensor buffer, out Tensor? result)
            {
                result = null;
                if (!buffer.WillCopy(dtype ?? buffer.dtype, device ?? buffer.device))
                    return false;
                result = buffer.to(TypeFor(dtype, buffer), device ?? buffer.device, disposeAfter: true).DetachFromDisposeScope();
                return true;
            }

            protected static bool ReplaceParameter(ScalarType? dtype, Device? device, Parameter param, out Parameter? p)
            {
                var grad = param.grad;
                p = null;
                var (type, place) = (dtype ?? param.dtype, device ?? param.device);
                if (!param.WillCopy(type, place) && (grad is null || !grad.WillCopy(type, place)))
                    return false;
                type = TypeFor(dtype, param);
                // Moved without a record, so that the new parameter is a leaf.
                using (no_grad())
                {
                    p = new Parameter(param.to(type, place), param.requires_grad);
                    p.DetachFromDisposeScope();
                    if (grad is not null)
                    {
                        using var moved = grad.to(type, place).with_requires_grad(grad.requires_grad);
                        p.grad = moved;
                    }
                }
                return true;
            }

            private protected static ScalarType TypeFor(ScalarType? wanted, Tensor tensor) =>
                wanted is { } type && (tensor.is_floating_point() || tensor.is_complex()) ? type : tensor.dtype;

            /// <summary>Fields of the type and of its bases; the most derived of equal names counts.</summary>
            private static IEnumerable<FieldInfo> FieldsOf(Type type)
            {
                var seen = new HashSet<string>();
                for (var current = type; current is not null && current != typeof(object); current = current.BaseType)
                {
                    foreach (var field in current.GetFields(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance))
                    {
                        if (seen.Add(field.Name))
                            yield return field;
                    }
                }
            }

            // ---- modes
            public virtual Module apply(Action<Module> fn)
            {
                foreach (var (_, module) in submodules)
                    module.apply(fn);
                fn(this);
                return this;
            }

            public virtual void train(bool train = true)
            {
                isTraining = train;
                foreach (var (_, module) in named_children())
                    module.train(train);
            }

            public virtual void eval() => train(false);

            public virtual bool training => isTraining;

            public virtual void zero_grad(bool set_to_none = true)
            {
                foreach (var (_, parameter) in named_parameters())
                {
                    using var grad = parameter.grad;
                    if (grad is null)
                        continue;
                    if (set_to_none)
                        parameter.grad = null;
                    else
                        grad.zero_();
                }
            }

            // ---- walking the tree
            /// <summary>Persistent buffers only: the real package lists no others, whatever include_nonpersistent says.</summary>
            public virtual IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true, bool include_nonpersistent = true)
            {
                var seen = new HashSet<nint> { 0 };
                foreach (var (name, (tensor, persistent)) in ownBuffers)
                {
                    if (!seen.Contains(tensor.handle) && persistent && seen.Add(tensor.handle))
                        yield return (name, tensor);
                }
                if (!recurse)
                    yield break;
                foreach (var (moduleName, module) in submodules)
                {
                    foreach (var (name, buffer) in module.named_buffers(true, include_nonpersistent))
                    {
                        if (seen.Add(buffer.handle))
                            yield return ($"{moduleName}.{name}", buffer);
                    }
                }
            }

            public virtual IEnumerable<Tensor> buffers(bool recurse = true, bool include_nonpersistent = true) => named_buffers(recurse, include_nonpersistent).Select(np => np.buffer);

            public virtual IEnumerable<(string name, Module module)> named_children() => submodules;

            public virtual IEnumerable<(string name, Module module)> named_modules()
            {
                foreach (var child in submodules)
                    yield return child;
                foreach (var (childName, child) in submodules)
                {
                    foreach (var (name, module) in child.named_modules())
                        yield return ($"{childName}.{name}", module);
                }
            }

            public virtual IEnumerable<Module> modules() => named_modules().Select(np => np.module);

            public virtual IEnumerable<Module> children() => named_children().Select(np => np.module);

            public virtual IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true)
            {
                var seen = new HashSet<nint> { 0 };
                foreach (var own in ownParameters)
                {
                    if (seen.Add(own.value.handle))
                        yield return own;
                }
                if (!recurse)
                    yield break;
                foreach (var (moduleName, module) in submodules)
                {
                    foreach (var (name, parameter) in module.named_parameters(true))
                    {
                        if (seen.Add(parameter.handle))
                            yield return ($"{moduleName}.{name}", parameter);
                    }
                }
            }

            public virtual IEnumerable<Parameter> parameters(bool recurse = true) => named_parameters(recurse).Select(np => np.parameter);

            public virtual Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null)
            {
                destination ??= new Dictionary<string, Tensor>();
                string Key(string name) => string.IsNullOrEmpty(prefix) ? name : $"{prefix}.{name}";
                foreach (var (name, parameter) in named_parameters())
                    destination.TryAdd(Key(name), parameter);
                foreach (var (name, buffer) in named_buffers(include_nonpersistent: false))
                    destination.TryAdd(Key(name), buffer);
                foreach (var (name, module) in submodules)
                    module.state_dict(destination, Key(name));
                return destination;
            }

            public virtual (IList<string> missing_keys, IList<string> unexpected_keyes) load_state_dict(Dictionary<string, Tensor> source, bool strict = true, IList<string>? skip = null)
            {
                skip ??= [];
                var destination = state_dict();
                List<string> unexpected = source.Keys.Where(key => !skip.Contains(key) && !destination.ContainsKey(key)).ToList();
                List<string> missing = destination.Keys.Where(key => !skip.Contains(key) && !source.ContainsKey(key)).ToList();
                if (strict && (missing.Count > 0 || unexpected.Count > 0))
                    throw new InvalidOperationException("The loaded state_dict is not identical to the target dictionary.");
                using var recording = no_grad();
                foreach (var (key, value) in source)
                {
                    if (!skip.Contains(key) && destination.TryGetValue(key, out var target))
                        target.copy_(value);
                }
                return (missing, unexpected);
            }

            public virtual bool has_buffer(string target) => ownBuffers.ContainsKey(target) || Child(target, out var rest)?.has_buffer(rest) == true;

            public virtual bool has_parameter(string target) => ownParameters.ContainsKey(target) || Child(target, out var rest)?.has_parameter(rest) == true;

            public virtual Tensor? get_buffer(string target) => ownBuffers.TryGetValue(target, out var own) ? own.tensor : Child(target, out var rest)?.get_buffer(rest);

            public virtual Parameter? get_parameter(string target) => ownParameters.TryGetValue(target, out var own) ? own : Child(target, out var rest)?.get_parameter(rest);

            /// <summary>The child that a dotted path begins with, and what follows its name.</summary>
            private Module? Child(string path, out string rest)
            {
                var dot = path.IndexOf('.');
                rest = dot < 0 ? "" : path[(dot + 1)..];
                return dot < 0 ? null : named_children().FirstOrDefault(child => child.name == path[..dot]).module;
            }

            // ---- registering
            public virtual void register_buffer(string name, Tensor tensor, bool persistent = true)
            {
                if (tensor is null || tensor.handle == 0)
                    throw new ArgumentNullException(nameof(tensor), "A null tensor cannot be registered as a buffer.");
                if (!ownBuffers.TryAdd(name, (tensor, persistent)))
                    throw new InvalidOperationException($"Tensor {name} is already registered.");
            }

            public virtual void register_parameter(string name, Parameter param)
            {
                if (param is null || param.handle == 0)
                    throw new ArgumentNullException(nameof(param), "A null tensor cannot be registered as a parameter.");
                if (!ownParameters.TryAdd(name, param))
                    throw new InvalidOperationException($"Parameter {name} is already registered.");
            }

            public void add_module(string name, Module module) => register_module(name, module);

            public virtual void register_module(string name, Module submodule)
            {
                if (submodule is null || submodule.IsInvalid)
                {
                    submodules.Remove(name);
                    return;
                }
                if (name.Contains('.'))
                    throw new ArgumentException($"module name can't contain \".\", got: {name}");
                if (string.IsNullOrEmpty(name))
                    throw new ArgumentException("module name can't be empty string \"\"");
                if (submodules.ContainsKey(name))
                    throw new InvalidOperationException($"Sub-module {name} is already registered.");
                submodule.RegisterComponents();
                submodules.TryAdd(name, submodule);
            }

            protected void ConditionallyRegisterParameter(string name, Tensor value) => ConditionallyRegisterParameter(name, value as Parameter);

            protected void ConditionallyRegisterParameter(string name, Parameter? value)
            {
                if (value is null)
                    ownParameters.Remove(name);
                else
                    ownParameters[name] = value;
            }

            protected void ConditionallyRegisterBuffer(string name, Tensor? value, bool persistent = true)
            {
                if (value is null)
                    ownBuffers.Remove(name);
                else
                    ownBuffers[name] = (value, persistent);
            }

            /// <summary>Registers every instance field that holds a module, a parameter or a tensor, under the field's name. Works once.</summary>
            protected virtual void RegisterComponents()
            {
                if (componentsRegistered)
                    return;
                foreach (var field in FieldsOf(GetType()))
                {
                    var component = field.ComponentName();
                    if (submodules.ContainsKey(component) || ownParameters.ContainsKey(component) || ownBuffers.ContainsKey(component))
                        continue;
                    switch (field.GetValue(this))
                    {
                        case Module module:
                            register_module(component, module);
                            break;
                        case Parameter parameter:
                            register_parameter(component, parameter);
                            break;
                        case Tensor tensor:
                            register_buffer(component, tensor);
                            break;
                    }
                }
                componentsRegistered = true;
            }

            protected void ClearModules() => submodules.Clear();

            public virtual string GetName() => name ?? "";
        }

        public interface IModule<T, TResult>
        {
            TResult call(T input1);
        }

        public interface IModule<T1, T2, TResult>
        {
            TResult call(T1 input1, T2 input2);
        }

        public interface IModule<T1, T2, T3, TResult>
        {
            TResult call(T1 input1, T2 input2, T3 input3);
        }

        public interface IModule<T1, T2, T3, T4, TResult>
        {
            TResult call(T1 input1, T2 input2, T3 input3, T4 input4);
        }

        public interface IModule<T1, T2, T3, T4, T5, TResult>
        {
            TResult call(T1 input1, T2 input2, T3 input3, T4 input4, T5 input5);
        }

        public class HookableModule<TPreHook, TPostHook> : Module
        {
            protected HookableModule(string name) : base(name)
            {
            }

            protected Dictionary<string, TPreHook> pre_hooks = new();
            protected Dictionary<string, TPostHook> post_hooks = new();

            public HookRemover register_forward_hook(TPostHook hook)
            {
                var key = Guid.NewGuid().ToString();
                post_hooks.Add(key, hook);
                return new HookRemover(this, key);
            }

            public HookRemover register_forward_pre_hook(TPreHook hook)
            {
                var key = Guid.NewGuid().ToString();
                pre_hooks.Add(key, hook);
                return new HookRemover(this, key);
            }

            public class HookRemover(HookableModule<TPreHook, TPostHook> module, string key)
            {
                public void remove()
                {
                    module.pre_hooks.Remove(key);
                    module.post_hooks.Remove(key);
                }
            }
        }

        public abstract class Module<T, TResult> : HookableModule<Func<Module<T, TResult>, T, T>, Func<Module<T, TResult>, T, TResult, TResult>>, IModule<T, TResult>
        {
            protected Module(string name) : base(name)
            {
            }

            public abstract TResult forward(T input);

            public TResult call(T input)
            {
                foreach (var hook in pre_hooks.Values)
                    input = hook(this, input) is { } modified ? modified : input;
                var result = forward(input);
                foreach (var hook in post_hooks.Values)
                    result = hook(this, input, result) is { } modified ? modified : result;
                return result;
            }
        }

        public abstract class Module<T1, T2, TResult> : HookableModule<Func<Module<T1, T2, TResult>, T1, T2, (T1, T2)?>, Func<Module<T1, T2, TResult>, T1, T2, TResult, TResult>>, IModule<T1, T2, TResult>
        {
            protected Module(string name) : base(name)
            {
            }

            public abstract TResult forward(T1 input1, T2 input2);

            public TResult call(T1 input1, T2 input2)
            {
                foreach (var hook in pre_hooks.Values)
                    (input1, input2) = hook(this, input1, input2) ?? (input1, input2);
                var result = forward(input1, input2);
                foreach (var hook in post_hooks.Values)
                    result = hook(this, input1, input2, result) is { } modified ? modified : result;
                return result;
            }
        }

        public abstract class Module<T1, T2, T3, TResult> : HookableModule<Func<Module<T1, T2, T3, TResult>, T1, T2, T3, (T1, T2, T3)?>, Func<Module<T1, T2, T3, TResult>, T1, T2, T3, TResult, TResult>>, IModule<T1, T2, T3, TResult>
        {
            protected Module(string name) : base(name)
            {
            }

            public abstract TResult forward(T1 input1, T2 input2, T3 input3);

            public TResult call(T1 input1, T2 input2, T3 input3)
            {
                foreach (var hook in pre_hooks.Values)
                    (input1, input2, input3) = hook(this, input1, input2, input3) ?? (input1, input2, input3);
                var result = forward(input1, input2, input3);
                foreach (var hook in post_hooks.Values)
                    result = hook(this, input1, input2, input3, result) is { } modified ? modified : result;
                return result;
            }
        }

        public abstract class Module<T1, T2, T3, T4, TResult> : HookableModule<Func<Module<T1, T2, T3, T4, TResult>, T1, T2, T3, T4, (T1, T2, T3, T4)?>, Func<Module<T1, T2, T3, T4, TResult>, T1, T2, T3, T4, TResult, TResult>>, IModule<T1, T2, T3, T4, TResult>
        {
            protected Module(string name) : base(name)
            {
            }

            public abstract TResult forward(T1 input1, T2 input2, T3 input3, T4 input4);

            public TResult call(T1 input1, T2 input2, T3 input3, T4 input4)
            {
                foreach (var hook in pre_hooks.Values)
                    (input1, input2, input3, input4) = hook(this, input1, input2, input3, input4) ?? (input1, input2, input3, input4);
                var result = forward(input1, input2, input3, input4);
                foreach (var hook in post_hooks.Values)
                    result = hook(this, input1, input2, input3, input4, result) is { } modified ? modified : result;
                return result;
            }
        }

        public abstract class Module<T1, T2, T3, T4, T5, TResult> : HookableModule<Func<Module<T1, T2, T3, T4, T5, TResult>, T1, T2, T3, T4, T5, (T1, T2, T3, T4, T5)?>, Func<Module<T1, T2, T3, T4, T5, TResult>, T1, T2, T3, T4, T5, TResult, TResult>>, IModule<T1, T2, T3, T4, T5, TResult>
        {
            protected Module(string name) : base(name)
            {
            }

            public abstract TResult forward(T1 input1, T2 input2, T3 input3, T4 input4, T5 input5);

            public TResult call(T1 input1, T2 input2, T3 input3, T4 input4, T5 input5)
            {
                foreach (var hook in pre_hooks.Values)
                    (input1, input2, input3, input4, input5) = hook(this, input1, input2, input3, input4, input5) ?? (input1, input2, input3, input4, input5);
                var result = forward(input1, input2, input3, input4, input5);
                foreach (var hook in post_hooks.Values)
                    result = hook(this, input1, input2, input3, input4, input5, result) is { } modified ? modified : result;
                return result;
            }
        }

        public static Parameter Parameter(Tensor data, bool requires_grad = true) => new(data, requires_grad);
    }
}

public static class ModuleExtensionMethods
{
    public static T to<T>(this T module, torch.ScalarType type, bool non_blocking = false) where T : torch.nn.Module => (T)module._to(type, non_blocking);

    public static T to<T>(this T module, torch.Device device, torch.ScalarType type, bool non_blocking = false) where T : torch.nn.Module => (T)module._to(device, type, non_blocking);

    public static T to<T>(this T module, DeviceType deviceType, int deviceIndex = -1, bool non_blocking = false) where T : torch.nn.Module =>
        (T)module._to(deviceType, deviceIndex, non_blocking);

    public static T to<T>(this T module, torch.Device device, bool non_blocking = false) where T : torch.nn.Module => (T)module._to(device.type, device.index, non_blocking);

    public static T to<T>(this T module, string device, bool non_blocking = false) where T : torch.nn.Module => module.to(new torch.Device(device), non_blocking);

    public static T to<T>(this T module, torch.Tensor other, bool non_blocking = false) where T : torch.nn.Module => (T)module._to(other.device, other.dtype, non_blocking);

    public static T cpu<T>(this T module, bool non_blocking = false) where T : torch.nn.Module => (T)module._to(DeviceType.CPU, -1, non_blocking);

    public static T cuda<T>(this T module, int deviceIndex = -1, bool non_blocking = false) where T : torch.nn.Module => (T)module._to(DeviceType.CUDA, deviceIndex, non_blocking);

    public static T half<T>(this T module, bool non_blocking = false) where T : torch.nn.Module => module.to(torch.ScalarType.Float16, non_blocking);

    public static T bfloat16<T>(this T module, bool non_blocking = false) where T : torch.nn.Module => module.to(torch.ScalarType.BFloat16, non_blocking);

    public static T @float<T>(this T module, bool non_blocking = false) where T : torch.nn.Module => module.to(torch.ScalarType.Float32, non_blocking);

    public static T @double<T>(this T module, bool non_blocking = false) where T : torch.nn.Module => module.to(torch.ScalarType.Float64, non_blocking);
}

public static class FieldInfoExtensionMethods
{
    public static string ComponentName(this FieldInfo field) => field.GetCustomAttribute<ComponentNameAttribute>()?.Name ?? field.Name;
}
