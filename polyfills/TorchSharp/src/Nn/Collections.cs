using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace TorchSharp.Utils
{
    /// <summary>The name under which RegisterComponents registers a field.</summary>
    public class ComponentNameAttribute : Attribute
    {
        public string Name { get; set; } = null!;
    }

    /// <summary>A dictionary that lists its entries in the order of their first appearance.</summary>
    internal sealed class OrderedDict<T> : IEnumerable<(string name, T value)>
    {
        private readonly List<(string name, T value)> list = [];
        private readonly Dictionary<string, T> byName = [];

        public bool ContainsKey(string name) => byName.ContainsKey(name);

        public bool TryGetValue(string name, [MaybeNullWhen(false)] out T value) => byName.TryGetValue(name, out value);

        public bool TryAdd(string name, T value)
        {
            if (!byName.TryAdd(name, value))
                return false;
            list.Add((name, value));
            return true;
        }

        public T this[string name]
        {
            set
            {
                if (TryAdd(name, value))
                    return;
                byName[name] = value;
                list[list.FindIndex(entry => entry.name == name)] = (name, value);
            }
        }

        public void Remove(string name)
        {
            if (byName.Remove(name))
                list.RemoveAll(entry => entry.name == name);
        }

        public void Clear()
        {
            list.Clear();
            byName.Clear();
        }

        public IEnumerator<(string name, T value)> GetEnumerator() => list.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}

namespace TorchSharp.Modules
{
    /// <summary>A tensor that training changes. Takes the handle of the tensor that it is made from, which is invalid afterwards.</summary>
    public class Parameter : torch.Tensor
    {
        public Parameter(torch.Tensor data, bool requires_grad = true) : base(data.with_requires_grad(requires_grad).MoveHandle(), false)
        {
            if (data.OwningDisposeScope is not null)
                DisposeScope.ReplaceWith(data, this);
        }

        internal Parameter(nint handle) : base(handle)
        {
        }
    }

    /// <summary>Modules that register as "0", "1", … when the list itself is registered.</summary>
    public class ModuleList<T> : Module, IList<T> where T : Module
    {
        private readonly List<T> list = [];
        private bool registered;

        public ModuleList(params T[] modules) : base(nameof(ModuleList))
        {
            if (modules is not null)
                list.AddRange(modules);
        }

        protected override void RegisterComponents()
        {
            if (registered)
                return;
            for (var i = 0; i < list.Count; i++)
                register_module($"{i}", list[i]);
            registered = true;
        }

        public T this[int index]
        {
            get => list[index];
            set => list[index] = value;
        }

        public int Count => list.Count;

        public bool IsReadOnly => false;

        public void Add(T item) => list.Add(item);

        public void append(params T[] parameters) => list.AddRange(parameters);

        public void extend(IEnumerable<T> modules) => list.AddRange(modules);

        public void Clear() => list.Clear();

        public bool Contains(T item) => list.Contains(item);

        public void CopyTo(T[] array, int arrayIndex) => list.CopyTo(array, arrayIndex);

        public IEnumerator<T> GetEnumerator() => list.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public int IndexOf(T item) => list.IndexOf(item);

        public void Insert(int index, T item) => list.Insert(index, item);

        public bool Remove(T item) => list.Remove(item);

        public void RemoveAt(int index) => list.RemoveAt(index);
    }

    /// <summary>Modules that register under their keys when the dictionary itself is registered.</summary>
    public class ModuleDict<T> : Module, IEnumerable<(string, T)> where T : Module
    {
        private readonly List<(string name, T module)> list = [];
        private readonly Dictionary<string, T> byName = [];
        private bool registered;

        public ModuleDict() : base(nameof(ModuleDict))
        {
        }

        protected override void RegisterComponents()
        {
            if (registered)
                return;
            foreach (var (name, module) in list)
                register_module(name, module);
            registered = true;
        }

        public T this[string key]
        {
            get => byName[key];
            set
            {
                byName[key] = value;
                list[list.FindIndex(entry => entry.name == key)] = (key, value);
            }
        }

        public (string, T) this[int index] => list[index];

        public int Count => byName.Count;

        public ICollection<string> Keys => list.Select(entry => entry.name).ToList();

        public ICollection<T> Values => list.Select(entry => entry.module).ToList();

        public IEnumerable<T> values() => byName.Values;

        public IEnumerable<string> keys() => byName.Keys;

        public void Add((string, T) item) => Add(item.Item1, item.Item2);

        public void Add(string key, T value)
        {
            byName.Add(key, value);
            list.Add((key, value));
        }

        public bool ContainsKey(string key) => byName.ContainsKey(key);

        public bool TryGetValue(string key, [MaybeNullWhen(false)] out T value) => byName.TryGetValue(key, out value);

        public IEnumerator<(string, T)> GetEnumerator() => list.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    /// <summary>Modules called one after the other; each intermediate tensor is disposed when the next has run.</summary>
    public class Sequential : Module<torch.Tensor, torch.Tensor>
    {
        private readonly List<IModule<torch.Tensor, torch.Tensor>> modules_ = [];
        private readonly List<string> names = [];

        protected internal Sequential(params (string name, Module<torch.Tensor, torch.Tensor> submodule)[] modules) : base(nameof(Sequential))
        {
            foreach (var (name, module) in modules)
                append(name, module);
        }

        protected internal Sequential(params Module<torch.Tensor, torch.Tensor>[] modules) : base(nameof(Sequential))
        {
            foreach (var module in modules)
                append(module);
        }

        public Sequential append(string name, IModule<torch.Tensor, torch.Tensor> module)
        {
            modules_.Add(module);
            names.Add(name);
            return this;
        }

        public Sequential append(IModule<torch.Tensor, torch.Tensor> module) => append(modules_.Count.ToString(), module);

        public int Count => modules_.Count;

        [IndexerName("SequentialItems")]
        public IModule<torch.Tensor, torch.Tensor> this[int index] => modules_[index];

        private IEnumerable<(string name, Module module)> Children() => names.Zip(modules_, (name, module) => (name, (Module)module));

        public override IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true)
        {
            if (!recurse)
                yield break;
            var seen = new HashSet<nint> { 0 };
            foreach (var (childName, child) in Children())
            {
                foreach (var (name, parameter) in child.named_parameters(true))
                {
                    if (seen.Add(parameter.handle))
                        yield return ($"{childName}.{name}", parameter);
                }
            }
        }

        public override IEnumerable<(string name, torch.Tensor buffer)> named_buffers(bool recurse = true, bool include_persistent = true)
        {
            if (!recurse)
                yield break;
            var seen = new HashSet<nint> { 0 };
            foreach (var (childName, child) in Children())
            {
                foreach (var (name, buffer) in child.named_buffers(true, include_persistent))
                {
                    if (seen.Add(buffer.handle))
                        yield return ($"{childName}.{name}", buffer);
                }
            }
        }

        public override IEnumerable<(string name, Module module)> named_children() => Children();

        public override IEnumerable<(string name, Module module)> named_modules()
        {
            foreach (var child in Children())
                yield return child;
            foreach (var (childName, child) in Children())
            {
                foreach (var (name, module) in child.named_modules())
                    yield return ($"{childName}.{name}", module);
            }
        }

        public override torch.Tensor forward(torch.Tensor tensor)
        {
            if (modules_.Count == 0)
                return tensor.alias();
            var current = modules_[0].call(tensor);
            foreach (var module in modules_.Skip(1))
            {
                var next = module.call(current);
                current.Dispose();
                current = next;
            }
            return current;
        }

        public override Module apply(Action<Module> fn)
        {
            foreach (var (_, child) in Children())
                child.apply(fn);
            fn(this);
            return this;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                foreach (var (_, child) in Children())
                    child.Dispose();
            }
            base.Dispose(disposing);
        }

        protected internal override Module _to(torch.ScalarType dtype, bool non_blocking) => Each(child => child._to(dtype, non_blocking));

        protected internal override Module _to(torch.Device device, torch.ScalarType dtype, bool non_blocking) => Each(child => child._to(device, dtype, non_blocking));

        protected internal override Module _to(DeviceType deviceType, int deviceIndex, bool non_blocking) => Each(child => child._to(deviceType, deviceIndex, non_blocking));

        private Sequential Each(Action<Module> action)
        {
            foreach (var (_, child) in Children())
                action(child);
            return this;
        }
    }
}

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static ModuleList<Module> ModuleList(params Module[] modules) => new(modules);

            public static ModuleList<T> ModuleList<T>(params T[] modules) where T : Module => new(modules);

            public static ModuleDict<Module> ModuleDict(params (string, Module)[] modules) => ModuleDict<Module>(modules);

            public static ModuleDict<T> ModuleDict<T>(params (string, T)[] modules) where T : Module
            {
                var result = new ModuleDict<T>();
                foreach (var module in modules)
                    result.Add(module);
                return result;
            }

            public static Sequential Sequential(params (string name, Module<Tensor, Tensor> submodule)[] modules) => new(modules);

            public static Sequential Sequential(params Module<Tensor, Tensor>[] modules) => new(modules);

            public static Sequential Sequential(IEnumerable<(string name, Module<Tensor, Tensor> submodule)> modules) => new(modules.ToArray());

            public static Sequential Sequential(IEnumerable<Module<Tensor, Tensor>> modules) => new(modules.ToArray());
        }
    }
}
