using System.Runtime.InteropServices;

namespace TorchSharp;

public static unsafe partial class torch
{
    private enum Fill
    {
        Empty,
        Zeros,
        Ones,
        Full,
        Uniform,
        Normal,
    }

    /// <summary>What every factory that takes a size comes to.</summary>
    private static Tensor Made(Fill fill, ReadOnlySpan<long> size, NativeScalar value, ScalarType? dtype, Device? device, bool requires_grad, Generator? generator, string[]? names)
    {
        if (fill is Fill.Uniform or Fill.Normal && dtype is { } wanted && is_integral(wanted))
            throw new ArgumentException($"torch.rand() was passed a bad dtype: {wanted}. It must be floating point or complex.", nameof(dtype));
        RequireNoNames(names);
        device = InitializeDevice(device);
        sbyte type = (sbyte)(dtype ?? get_default_dtype());
        int kind = (int)device.type, index = device.index, grad = requires_grad ? 1 : 0, n = size.Length;
        nint source = generator?.Handle ?? 0;
        fixed (long* p = size)
        {
            return Tensor.Wrap(fill switch
            {
                Fill.Empty => Native.sx_empty(p, n, type, kind, index, grad),
                Fill.Zeros => Native.sx_zeros(p, n, type, kind, index, grad),
                Fill.Ones => Native.sx_ones(p, n, type, kind, index, grad),
                Fill.Full => Native.sx_full(p, n, value, type, kind, index, grad),
                Fill.Uniform => Native.sx_rand(source, p, n, type, kind, index, grad),
                _ => Native.sx_randn(source, p, n, type, kind, index, grad),
            }, generator);
        }
    }

    /// <summary>Named dimensions are part of the signatures only.</summary>
    private static void RequireNoNames(string[]? names)
    {
        if (names is { Length: > 0 })
            throw new NotSupportedException("This TorchSharp polyfill has no named dimensions. Leave 'names' out.");
    }

    private static ScalarType DtypeOf(Scalar value) => value.Value.IsReal ? get_default_dtype() : ScalarType.Int64;

    // ---- from managed memory
    private static Tensor ScalarTensor(Scalar scalar, ScalarType given, ScalarType? dtype, Device? device, bool requires_grad) =>
        Made(Fill.Full, [], scalar.Value, dtype ?? given, device, requires_grad, null, null);

    private static long[] Shape(Array array)
    {
        var shape = new long[array.Rank];
        for (var i = 0; i < shape.Length; i++)
            shape[i] = array.GetLongLength(i);
        return shape;
    }

    /// <summary>Pins the array and lets libtorch use its memory in place until the last tensor on it is gone.</summary>
    private static Tensor FromArray(object array, ReadOnlySpan<long> dimensions, ScalarType given, ScalarType? dtype, Device? device, bool requires_grad, string[]? names)
    {
        var source = (Array)array;
        long product = 1;
        foreach (var size in dimensions)
            product *= size;
        if (product > source.LongLength)
            throw new ArgumentException($"mismatched total size creating a tensor from an array: {product} vs. {source.LongLength}");
        RequireNoNames(names);
        device = InitializeDevice(device);
        var pinned = GCHandle.Alloc(source, GCHandleType.Pinned);
        fixed (long* p = dimensions)
        {
            return Tensor.Wrap(Native.sx_from_memory(pinned.AddrOfPinnedObject(), &Unpin, GCHandle.ToIntPtr(pinned), p, dimensions.Length, (sbyte)given,
                (sbyte)(dtype ?? given), (int)device.type, device.index, requires_grad ? 1 : 0));
        }
    }

    [UnmanagedCallersOnly]
    private static void Unpin(nint context) => GCHandle.FromIntPtr(context).Free();

    /// <summary>Shares the array's memory where neither type nor device must change.</summary>
    public static Tensor from_array(Array rawArray, Device? device = null) => from_array(rawArray, ToScalarType(rawArray.GetType().GetElementType()!), device ?? CPU);

    public static Tensor from_array(Array rawArray, ScalarType? dtype, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        FromArray(rawArray, Shape(rawArray), ToScalarType(rawArray.GetType().GetElementType()!), dtype, device, requires_grad, names);

    public static Tensor as_tensor(Array data, ScalarType? dtype = null, Device? device = null) => from_array(data, dtype, device, false);

    public static Tensor as_tensor(Tensor data, ScalarType? dtype = null, Device? device = null) =>
        (dtype ?? data.dtype) == data.dtype && (device is null || (device.type == data.device_type && device.index == data.device_index))
            ? data.alias()
            : data.to(dtype ?? data.dtype, device ?? data.device);

    /// <summary>A 1-D tensor on the array's own memory: writing one changes the other. count and offset are in elements of the array.</summary>
    public static Tensor frombuffer(Array rawArray, ScalarType dtype, long count = -1, long offset = 0, bool requires_grad = false)
    {
        var length = rawArray.LongLength;
        if (offset < 0 || offset >= length)
            throw new ArgumentException($"invalid value for 'offset': {offset}");
        if (count < 0)
            count = length - offset;
        if (count > length - offset)
            throw new IndexOutOfRangeException($"element count is too large: {count}");
        var given = ToScalarType(rawArray.GetType().GetElementType()!);
        var pinned = GCHandle.Alloc(rawArray, GCHandleType.Pinned);
        var elementBytes = Buffer.ByteLength(rawArray) / length;
        return Tensor.Wrap(Native.sx_from_memory(pinned.AddrOfPinnedObject() + (nint)(offset * elementBytes), &Unpin, GCHandle.ToIntPtr(pinned), &count, 1, (sbyte)given,
            (sbyte)dtype, 0, -1, requires_grad ? 1 : 0));
    }

    // ---- ranges
    public static Tensor arange(Scalar start, Scalar stop, Scalar step, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
    {
        device = InitializeDevice(device);
        dtype ??= start.Value.IsReal || stop.Value.IsReal || step.Value.IsReal ? get_default_dtype() : ScalarType.Int64;
        return Tensor.Wrap(Native.sx_arange(start.Value, stop.Value, step.Value, (sbyte)dtype, (int)device.type, device.index, requires_grad ? 1 : 0));
    }

    public static Tensor arange(Scalar start, Scalar stop, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        arange(start, stop, 1, dtype, device, requires_grad);

    public static Tensor arange(Scalar stop, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => arange(0, stop, 1, dtype, device, requires_grad);

    public static Tensor linspace(double start, double end, long steps, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
    {
        device = InitializeDevice(device);
        return Tensor.Wrap(Native.sx_linspace(start, end, steps, (sbyte)(dtype ?? get_default_dtype()), (int)device.type, device.index, requires_grad ? 1 : 0));
    }

    public static Tensor logspace(double start, double end, long steps, double @base = 10, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
    {
        device = InitializeDevice(device);
        return Tensor.Wrap(Native.sx_logspace(start, end, steps, @base, (sbyte)(dtype ?? get_default_dtype()), (int)device.type, device.index, requires_grad ? 1 : 0));
    }

    public static Tensor eye(long rows, long columns = -1L, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null)
    {
        RequireNoNames(names);
        device = InitializeDevice(device);
        return Tensor.Wrap(Native.sx_eye(rows, columns, (sbyte)(dtype ?? get_default_dtype()), (int)device.type, device.index, requires_grad ? 1 : 0));
    }

    // ---- random integers
    public static Tensor randint(long low, long high, Size size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null)
    {
        RequireNoNames(names);
        device = InitializeDevice(device);
        var sizes = size.Shape;
        fixed (long* p = sizes)
        {
            return Tensor.Wrap(Native.sx_randint(generator?.Handle ?? 0, low, high, p, sizes.Length, (sbyte)(dtype ?? ScalarType.Int64), (int)device.type, device.index,
                requires_grad ? 1 : 0), generator);
        }
    }

    public static Tensor randint(long high, Size size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) =>
        randint(0, high, size, dtype, device, requires_grad, generator, names);

    public static Tensor randint(long high, long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) =>
        randint(0, high, new Size(size), dtype, device, requires_grad, generator, names);

    public static Tensor randint(long low, long high, long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) =>
        randint(low, high, new Size(size), dtype, device, requires_grad, generator, names);

    public static Tensor randperm(long n, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null)
    {
        device = InitializeDevice(device);
        return Tensor.Wrap(Native.sx_randperm(generator?.Handle ?? 0, n, (sbyte)(dtype ?? ScalarType.Int64), (int)device.type, device.index, 0), generator);
    }

    public static Tensor normal(double mean, double std, ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) =>
        randn(size, dtype, device, false, generator, names).mul_(std).add_(mean).requires_grad_(requires_grad);

    // ---- like another tensor
    public static Tensor zeros_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => input.zeros_like(dtype, device, requires_grad);

    public static Tensor ones_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => input.ones_like(dtype, device, requires_grad);

    public static Tensor empty_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => input.empty_like(dtype, device, requires_grad);

    public static Tensor full_like(Tensor input, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        input.full_like(value, dtype, device, requires_grad);

    public static Tensor rand_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => input.rand_like(dtype, device, requires_grad);

    public static Tensor randn_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => input.randn_like(dtype, device, requires_grad);

    public static Tensor randint_like(Tensor input, long low, long high, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        input.randint_like(low, high, dtype, device, requires_grad);

    public unsafe partial class Tensor
    {
        public Tensor zeros_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => Like(&Native.sx_zeros_like, dtype, device, requires_grad);

        public Tensor ones_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => Like(&Native.sx_ones_like, dtype, device, requires_grad);

        public Tensor empty_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => Like(&Native.sx_empty_like, dtype, device, requires_grad);

        public Tensor rand_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => Like(&Native.sx_rand_like, dtype, device, requires_grad);

        public Tensor randn_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => Like(&Native.sx_randn_like, dtype, device, requires_grad);

        public Tensor full_like(Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        {
            device ??= this.device;
            return Wrap(Native.sx_full_like(Handle, value.Value, (sbyte)(dtype ?? this.dtype), (int)device.type, device.index, Flag(requires_grad)), this);
        }

        public Tensor randint_like(long low, long high, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        {
            device ??= this.device;
            return Wrap(Native.sx_randint_like(Handle, low, high, (sbyte)(dtype ?? this.dtype), (int)device.type, device.index, Flag(requires_grad)), this);
        }

        public Tensor new_zeros(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            zeros(size, dtype ?? this.dtype, device ?? this.device, requires_grad);

        public Tensor new_ones(long size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            ones(size, dtype ?? this.dtype, device ?? this.device, requires_grad);

        public Tensor new_empty(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            empty(size, dtype ?? this.dtype, device ?? this.device, requires_grad);

        public Tensor new_full(long[] size, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            full(size, value, dtype ?? this.dtype, device ?? this.device, requires_grad);

        private Tensor Like(delegate*<nint, sbyte, int, int, int, nint> make, ScalarType? dtype, Device? device, bool requires_grad)
        {
            device ??= this.device;
            return Wrap(make(Handle, (sbyte)(dtype ?? this.dtype), (int)device.type, device.index, Flag(requires_grad)), this);
        }
    }
}
