using System.Runtime.InteropServices;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>A handle on one libtorch tensor. Several handles may share storage; disposing one frees only the handle.</summary>
    public unsafe partial class Tensor : IDisposable
    {
        internal nint handle;

        private static long totalCount;
        private static long peakCount;

        internal DisposeScope? OwningDisposeScope { get; set; }

        internal Tensor(nint handle, bool register = true)
        {
            this.handle = handle;
            var total = Interlocked.Increment(ref totalCount);
            if (total > peakCount)
                peakCount = total;
            if (register)
                OwningDisposeScope = DisposeScopeManager.ThreadSingleton.RegisterOnCurrentDisposeScope(this);
        }

        /// <summary>Wraps a fresh native handle, or throws what made it null. The operands are named so that no finalizer frees them during the native call.</summary>
        internal static Tensor Wrap(nint result, object? operand1 = null, object? operand2 = null, object? operand3 = null, object? operand4 = null)
        {
            if (result == 0)
                CheckForErrors();
            GC.KeepAlive(operand1);
            GC.KeepAlive(operand2);
            GC.KeepAlive(operand3);
            GC.KeepAlive(operand4);
            return new Tensor(result);
        }

        /// <summary>Ends an operation in place.</summary>
        private Tensor Done(int failed, object? operand1 = null, object? operand2 = null, object? operand3 = null)
        {
            if (failed != 0)
                CheckForErrors();
            GC.KeepAlive(operand1);
            GC.KeepAlive(operand2);
            GC.KeepAlive(operand3);
            GC.KeepAlive(this);
            return this;
        }

        /// <summary>Takes a native array of handles over.</summary>
        internal static Tensor[] TakeAll(nint* handles, int count, object? operand = null)
        {
            if (handles is null)
                CheckForErrors();
            GC.KeepAlive(operand);
            var result = new Tensor[count];
            for (var i = 0; i < count; i++)
                result[i] = new Tensor(handles[i]);
            Native.sx_free_array((nint)handles);
            return result;
        }

        private static NativeScalar Number(Scalar? value) => value is null ? default : value.Value;

        private static sbyte Type(ScalarType? type) => type is { } given ? (sbyte)given : (sbyte)-1;

        private static int Flag(bool value) => value ? 1 : 0;

        public static Tensor UnsafeCreateTensor(IntPtr handle) => new(handle);

        ~Tensor() => Dispose(false);

        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        protected virtual void Dispose(bool disposing)
        {
            if (handle == 0)
                return;
            DisposeScopeManager.ThreadSingleton.DisposingOnCurrentScope(this);
            OwningDisposeScope?.MarkAsDisposed(this);
            Interlocked.Decrement(ref totalCount);
            Native.sx_free_tensor(handle);
            handle = 0;
        }

        public string? name { get; set; }

        public bool IsInvalid => handle == 0;

        public static long TotalCount => totalCount;

        public static long PeakCount => peakCount;

        public IntPtr Handle => handle != 0 ? handle : throw new InvalidOperationException("Tensor invalid -- empty handle.");

        internal nint MoveHandle()
        {
            var moved = handle;
            handle = 0;
            return moved;
        }

        public IntPtr DecoupleFromNativeHandle()
        {
            GC.SuppressFinalize(this);
            var decoupled = Handle;
            Interlocked.Decrement(ref totalCount);
            handle = 0;
            return decoupled;
        }

        public Tensor MoveToOuterDisposeScope()
        {
            OwningDisposeScope?.MoveToOuter(this);
            return this;
        }

        public Tensor DetachFromDisposeScope()
        {
            OwningDisposeScope?.Detach(this);
            return this;
        }

        public Tensor MoveToOtherDisposeScope(Tensor other) => MoveToOtherDisposeScope(other.OwningDisposeScope);

        public Tensor MoveToOtherDisposeScope(DisposeScope? other)
        {
            if (OwningDisposeScope is null && other is not null)
                other.Attach(this);
            else
                OwningDisposeScope?.MoveToOther(other, this);
            return this;
        }

        public override bool Equals(object? obj) => obj is Tensor tensor && Equals(tensor);

        public override int GetHashCode() => base.GetHashCode();

        public bool Equals(Tensor target)
        {
            int equal;
            Check(Native.sx_equal(Handle, target.Handle, &equal));
            GC.KeepAlive(this);
            GC.KeepAlive(target);
            return equal != 0;
        }

        public bool allclose(Tensor target, double rtol = 1e-05, double atol = 1e-08, bool equal_nan = false)
        {
            int close;
            Check(Native.sx_allclose(Handle, target.Handle, rtol, atol, Flag(equal_nan), &close));
            GC.KeepAlive(this);
            GC.KeepAlive(target);
            return close != 0;
        }

        // ---- properties
        public long Dimensions => Native.sx_ndim(Handle);

        public long dim() => Dimensions;

        public long ndim => Dimensions;

        public long NumberOfElements => Native.sx_numel(Handle);

        public long numel() => NumberOfElements;

        public long ElementSize => Native.sx_element_size(Handle);

        public long element_size() => Native.sx_element_size(Handle);

        public ScalarType dtype => (ScalarType)Native.sx_dtype(Handle);

        public DeviceType device_type => (DeviceType)Native.sx_device_type(Handle);

        public int device_index => Native.sx_device_index(Handle);

        public Device device => device_type is var kind && kind == DeviceType.CPU ? new Device(DeviceType.CPU) : new Device(kind, device_index);

        public bool is_cuda => device_type == DeviceType.CUDA;

        public bool is_meta => device_type == DeviceType.META;

        public bool is_cpu() => device_type == DeviceType.CPU;

        public bool is_leaf => Native.sx_is_leaf(Handle) != 0;

        public bool is_integral() => torch.is_integral(dtype);

        public bool is_floating_point() => torch.is_floating_point(dtype);

        public bool is_complex() => torch.is_complex(dtype);

        public bool is_contiguous() => Native.sx_is_contiguous(Handle) != 0;

        public bool is_pinned() => Native.sx_is_pinned(Handle) != 0;

        public bool is_nonzero()
        {
            if (numel() != 1)
                throw new InvalidOperationException("is_nonzero() called on non-singleton tensor");
            int yes;
            Check(Native.sx_is_nonzero(Handle, &yes));
            return yes != 0;
        }

        public long[] shape => size();

        public long[] size()
        {
            var result = new long[Native.sx_ndim(Handle)];
            fixed (long* p = result)
                Native.sx_sizes(handle, p);
            GC.KeepAlive(this);
            return result;
        }

        public long size(int dim)
        {
            long result;
            Check(Native.sx_size(Handle, dim, &result));
            GC.KeepAlive(this);
            return result;
        }

        public long[] stride()
        {
            var result = new long[Native.sx_ndim(Handle)];
            fixed (long* p = result)
                Native.sx_strides(handle, p);
            GC.KeepAlive(this);
            return result;
        }

        public long stride(int dim)
        {
            long result;
            Check(Native.sx_stride(Handle, dim, &result));
            GC.KeepAlive(this);
            return result;
        }

        public long storage_offset() => Native.sx_storage_offset(Handle);

        // ---- gradients
        public bool requires_grad
        {
            get => Native.sx_requires_grad(Handle) != 0;
            set => Check(Native.sx_set_requires_grad(Handle, Flag(value)));
        }

        public Tensor requires_grad_(bool requires_grad = true)
        {
            this.requires_grad = requires_grad;
            return this;
        }

        public Tensor with_requires_grad(bool requires_grad = true) => requires_grad_(requires_grad);

        public void retain_grad() => Check(Native.sx_retain_grad(Handle));

        /// <summary>A new handle on the gradient at every reading (dispose it), or null while there is none.</summary>
        public Tensor? grad
        {
            get
            {
                var result = Native.sx_grad(Handle);
                if (result != 0)
                    return new Tensor(result);
                CheckForErrors();
                return null;
            }
            set
            {
                Check(Native.sx_set_grad(Handle, value?.Handle ?? 0));
                GC.KeepAlive(value);
            }
        }

        public void backward() => autograd.backward([this]);

        public void backward(IList<Tensor>? grad_tensors = null, bool retain_graph = false, bool create_graph = false, IList<Tensor>? inputs = null) =>
            autograd.backward([this], grad_tensors, retain_graph, create_graph, inputs);

        // ---- reading and writing elements
        public Utils.TensorAccessor<T> data<T>() where T : unmanaged
        {
            ValidateType(typeof(T));
            return new Utils.TensorAccessor<T>(device_type == DeviceType.CPU ? this : cpu());
        }

        public T item<T>() where T : unmanaged
        {
            if (NumberOfElements != 1)
                throw new ArgumentException("Number of elements in the tensor must be 1");
            return data<T>()[0];
        }

        public Scalar ToScalar()
        {
            NativeScalar result;
            Check(Native.sx_item(Handle, &result));
            GC.KeepAlive(this);
            return new Scalar(result);
        }

        internal void ValidateType(Type dotnetType)
        {
            var expected = dtype switch
            {
                ScalarType.Byte => typeof(byte),
                ScalarType.Int8 => typeof(sbyte),
                ScalarType.Int16 => typeof(short),
                ScalarType.Int32 => typeof(int),
                ScalarType.Int64 => typeof(long),
                ScalarType.Bool => typeof(bool),
                ScalarType.BFloat16 => typeof(BFloat16),
                ScalarType.Float16 => typeof(Half),
                ScalarType.Float32 => typeof(float),
                ScalarType.Float64 => typeof(double),
                ScalarType.ComplexFloat32 => typeof((float, float)),
                ScalarType.ComplexFloat64 => typeof(System.Numerics.Complex),
                _ => dotnetType,
            };
            if (dotnetType != expected)
                throw new ArgumentException($"{dotnetType.Name} is not compatible with {dtype}");
        }

        internal nint Data()
        {
            var result = Native.sx_data(Handle);
            if (result == 0)
                CheckForErrors();
            return result;
        }

        /// <summary>The tensor's own memory (get) or a copy into it (set); contiguous tensors on the CPU only. The span does not keep the tensor alive.</summary>
        public Span<byte> bytes
        {
            get
            {
                var total = NumberOfElements * ElementSize;
                RequireBytes(total);
                return new Span<byte>((void*)Data(), (int)total);
            }
            set
            {
                if (!is_contiguous())
                    throw new InvalidOperationException("SetBytes() called on non-contiguous tensor.");
                if (NumberOfElements * ElementSize != value.Length)
                    throw new ArgumentException("Mismatched data sizes in SetBytes().");
                value.CopyTo(new Span<byte>((void*)Data(), value.Length));
                GC.KeepAlive(this);
            }
        }

        private void RequireBytes(long total)
        {
            if (!is_contiguous())
                throw new InvalidOperationException("Bytes() called on non-contiguous tensor.");
            if (total > int.MaxValue)
                throw new ArgumentException("Span only supports up to int.MaxValue elements.");
            if (device_type != DeviceType.CPU)
                throw new InvalidOperationException("Reading data from non-CPU memory is not supported. Move or copy the tensor to the cpu before reading.");
        }

        public void WriteBytesToStream(Stream stream, int bufferSize = 1024)
        {
            RequireBytes(0);
            var source = (byte*)Data();
            for (var left = NumberOfElements * ElementSize; left > 0;)
            {
                var count = (int)Math.Min(left, bufferSize);
                stream.Write(new ReadOnlySpan<byte>(source, count));
                source += count;
                left -= count;
            }
            GC.KeepAlive(this);
        }

        public void ReadBytesFromStream(Stream stream, int bufferSize = 1024)
        {
            RequireBytes(0);
            var target = (byte*)Data();
            for (var left = NumberOfElements * ElementSize; left > 0;)
            {
                var count = stream.Read(new Span<byte>(target, (int)Math.Min(left, bufferSize)));
                if (count == 0)
                    throw new EndOfStreamException();
                target += count;
                left -= count;
            }
            GC.KeepAlive(this);
        }

        // ---- copies and conversions
        public Tensor alias() => Wrap(Native.sx_alias(Handle), this);

        public Tensor clone() => Wrap(Native.sx_clone(Handle), this);

        public Tensor contiguous() => Wrap(Native.sx_contiguous(Handle), this);

        public Tensor pin_memory() => Wrap(Native.sx_pin_memory(Handle), this);

        public Tensor detach() => Wrap(Native.sx_detach(Handle), this);

        public Tensor detach_() => Done(Native.sx_detach_(Handle));

        public Tensor copy_(Tensor source, bool nonBlocking = false) => Done(Native.sx_copy_(Handle, source.Handle, Flag(nonBlocking)), source);

        public Tensor set_(Tensor source) => Done(Native.sx_set_(Handle, source.Handle), source);

        /// <summary>Exchanges what this handle's variable holds, as Module.to does for layers that libtorch owns.</summary>
        internal void SetData(Tensor data)
        {
            Check(Native.sx_set_data(Handle, data.Handle));
            GC.KeepAlive(data);
        }

        public Tensor cpu() => Wrap(Native.sx_to_device(Handle, (int)DeviceType.CPU, -1, 0, 0), this);

        public Tensor cuda(Device? device = null, bool non_blocking = false)
        {
            if (device is not null && device.type != DeviceType.CUDA)
                throw new ArgumentException("Not a CUDA device.", nameof(device));
            InitializeDeviceType(DeviceType.CUDA);
            return Wrap(Native.sx_to_device(Handle, (int)DeviceType.CUDA, device?.index ?? -1, 0, Flag(non_blocking)), this);
        }

        public Tensor to_type(ScalarType type, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            Converted(Native.sx_to_type(Handle, (sbyte)type, Flag(copy), Flag(non_blocking)), disposeAfter);

        public Tensor type_as(Tensor tensor) => to_type(tensor.dtype);

        public Tensor to(DeviceType deviceType, int deviceIndex = -1, bool copy = false, bool disposeAfter = false, bool non_blocking = false)
        {
            InitializeDeviceType(deviceType);
            return Converted(Native.sx_to_device(Handle, (int)deviceType, deviceIndex, Flag(copy), Flag(non_blocking)), disposeAfter);
        }

        public Tensor to(ScalarType type, Device device, bool copy = false, bool disposeAfter = false, bool non_blocking = false)
        {
            device = InitializeDevice(device);
            return Converted(Native.sx_to_device_type(Handle, (sbyte)type, (int)device.type, device.index, Flag(copy), Flag(non_blocking)), disposeAfter);
        }

        public Tensor to(ScalarType type, bool copy = false, bool disposeAfter = false, bool non_blocking = false) => to_type(type, copy, disposeAfter, non_blocking);

        public Tensor to(string device, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            to(new Device(device), copy, disposeAfter, non_blocking);

        public Tensor to(Device device, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            to(device.type, device.index, copy, disposeAfter, non_blocking);

        public Tensor to(Tensor other, bool non_blocking = false) => to(other.dtype, other.device, non_blocking);

        public Tensor type(ScalarType dtype) => to(dtype);

        private Tensor Converted(nint result, bool disposeAfter)
        {
            if (result == 0)
                CheckForErrors();
            if (disposeAfter)
                Dispose();
            GC.KeepAlive(this);
            return new Tensor(result);
        }

        internal bool WillCopy(ScalarType dtype, Device device) => device_index != device.index || device_type != device.type || this.dtype != dtype;

        public Tensor @bool() => to_type(ScalarType.Bool);

        public Tensor @byte() => to_type(ScalarType.Byte);

        public Tensor @char() => to_type(ScalarType.Int8);

        public Tensor @short() => to_type(ScalarType.Int16);

        public Tensor @int() => to_type(ScalarType.Int32);

        public Tensor @long() => to_type(ScalarType.Int64);

        public Tensor half() => to_type(ScalarType.Float16);

        public Tensor bfloat16() => to_type(ScalarType.BFloat16);

        public Tensor @float() => to_type(ScalarType.Float32);

        public Tensor @double() => to_type(ScalarType.Float64);

        public override string ToString() => $"[{string.Join("x", shape)}], type = {dtype}, device = {device}";
    }
}
