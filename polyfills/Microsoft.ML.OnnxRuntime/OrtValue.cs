using System;
using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.OnnxRuntime;

public enum OnnxValueType
{
    ONNX_TYPE_UNKNOWN = 0,
    ONNX_TYPE_TENSOR = 1,
    ONNX_TYPE_SEQUENCE = 2,
    ONNX_TYPE_MAP = 3,
    ONNX_TYPE_OPAQUE = 4,
    ONNX_TYPE_SPARSETENSOR = 5,
    ONNX_TYPE_OPTIONAL = 6,
}

/// <summary>A tensor in native memory or, pinned until disposal, over managed memory.</summary>
public class OrtValue : IDisposable
{
    private MemoryHandle? _pinned;
    private bool _disposed;

    internal OrtValue(nint handle)
    {
        Handle = handle;
        OnnxType = (OnnxValueType)NativeApi.GetInt(OrtApiSlot.GetValueType, handle);
    }

    private OrtValue(nint handle, MemoryHandle pinned)
    {
        (Handle, _pinned) = (handle, pinned);
        OnnxType = OnnxValueType.ONNX_TYPE_TENSOR;
    }

    ~OrtValue() => Dispose(false);

    public OnnxValueType OnnxType { get; private set; }

    public bool IsTensor => OnnxType == OnnxValueType.ONNX_TYPE_TENSOR;

    internal nint Handle { get; private set; }

    public static OrtValue CreateTensorValueFromMemory<T>(T[] data, long[] shape)
        where T : unmanaged => CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, new Memory<T>(data), shape);

    public static unsafe OrtValue CreateTensorValueFromMemory<T>(OrtMemoryInfo memoryInfo, Memory<T> memory, long[] shape)
        where T : unmanaged
    {
        var (element, bytes) = ElementTypes.Of(typeof(T))
            ?? throw new OnnxRuntimeException(ErrorCode.InvalidArgument, $"Tensor of type: {typeof(T)} is not supported");
        var size = 1L;
        foreach (var dimension in shape)
        {
            if (dimension < 0)
                throw new ArgumentOutOfRangeException(nameof(shape), $"Shape must not have negative elements: {dimension}");
            size = checked(size * dimension);
        }
        if (size > memory.Length)
            throw new OnnxRuntimeException(ErrorCode.InvalidArgument, $"Managed memory size: {memory.Length} elements is less than shape size: {size} elements");

        var pinned = memory.Pin();
        try
        {
            nint made;
            fixed (long* dimensions = shape)
            {
                NativeApi.Verify(((delegate* unmanaged<nint, void*, nint, long*, nint, int, nint*, nint>)NativeApi.Slot(OrtApiSlot.CreateTensorWithDataAsOrtValue))(
                    memoryInfo.Pointer, pinned.Pointer, (nint)memory.Length * bytes, dimensions, shape.Length, (int)element, &made));
            }
            return new OrtValue(made, pinned);
        }
        catch
        {
            pinned.Dispose();
            throw;
        }
    }

    public ReadOnlySpan<T> GetTensorDataAsSpan<T>()
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(RawData(typeof(T)));

    public Span<T> GetTensorMutableDataAsSpan<T>()
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(RawData(typeof(T)));

    public OrtTensorTypeAndShapeInfo GetTensorTypeAndShape()
    {
        if (OnnxType is not (OnnxValueType.ONNX_TYPE_TENSOR or OnnxValueType.ONNX_TYPE_SPARSETENSOR))
            throw new OnnxRuntimeException(ErrorCode.InvalidArgument, $"This OrtValue type contains: {OnnxType}, not a tensor or sparse tensor");
        var info = NativeApi.Get(OrtApiSlot.GetTensorTypeAndShape, Handle);
        try
        {
            return new OrtTensorTypeAndShapeInfo(info);
        }
        finally
        {
            NativeApi.Release(OrtApiSlot.ReleaseTensorTypeAndShapeInfo, info);
        }
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (_disposed)
            return;
        _disposed = true;
        if (Handle != 0)
            NativeApi.Release(OrtApiSlot.ReleaseValue, Handle);
        Handle = 0;
        _pinned?.Dispose();
        _pinned = null;
    }

    private unsafe Span<byte> RawData(Type requested)
    {
        if (OnnxType != OnnxValueType.ONNX_TYPE_TENSOR)
            throw new OnnxRuntimeException(ErrorCode.InvalidArgument, $"This OrtValue type contains: {OnnxType}, not a tensor");
        var info = GetTensorTypeAndShape();
        if (info.IsString)
            throw new OnnxRuntimeException(ErrorCode.InvalidArgument, "Strings are not supported by this API");
        var (type, bytes) = ElementTypes.Of(info.ElementDataType)
            ?? throw new OnnxRuntimeException(ErrorCode.InvalidArgument, $"Element type: {info.ElementDataType} is not registered type.");
        if (requested != typeof(byte) && requested != type)
            throw new OnnxRuntimeException(ErrorCode.InvalidArgument, $"Requested type: {requested} does not match the actual type: {type}");
        return info.ElementCount == 0 ? [] : new Span<byte>((void*)NativeApi.Get(OrtApiSlot.GetTensorMutableData, Handle), checked((int)(info.ElementCount * bytes)));
    }
}
