using System.Collections;

namespace TorchSharp.Utils;

/// <summary>Reads and writes the elements of a tensor on the CPU in row-major order, whatever its strides. Keeps the tensor object alive.</summary>
public sealed unsafe class TensorAccessor<T> : IDisposable, IEnumerable<T> where T : unmanaged
{
    private torch.Tensor tensor;
    private T* memory;

    internal TensorAccessor(torch.Tensor tensor)
    {
        if (tensor.device_type != DeviceType.CPU)
            throw new InvalidOperationException("Reading data from non-CPU memory is not supported. Move or copy the tensor to the cpu before reading.");
        memory = tensor.NumberOfElements == 0 ? null : (T*)tensor.Data();
        this.tensor = tensor;
    }

    public long Count => tensor is not null ? tensor.numel() : 0;

    public bool IsReadOnly => false;

    public T[] ToArray()
    {
        var result = new T[Count];
        Copy(result, 0, 0, toTensor: false);
        return result;
    }

    public T this[params long[] indices]
    {
        get => memory[Offset(indices, flat: indices.Length == 1)];
        // The real package takes one flat number for reading only.
        set => memory[Offset(indices, flat: false)] = value;
    }

    public void CopyTo(T[] array, int arrayIndex = 0, long tensorIndex = 0) => CopyTo(array.AsSpan(), arrayIndex, tensorIndex);

    public void CopyTo(Span<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        RequireStart(tensorIndex);
        Copy(array, arrayIndex, tensorIndex, toTensor: false);
    }

    public void CopyFrom(T[] array, int arrayIndex = 0, long tensorIndex = 0) => CopyFrom((ReadOnlySpan<T>)array, arrayIndex, tensorIndex);

    public void CopyFrom(ReadOnlySpan<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        RequireStart(tensorIndex);
        fixed (T* p = array)
            Copy(new Span<T>(p, array.Length), arrayIndex, tensorIndex, toTensor: true);
    }

    private void RequireStart(long tensorIndex)
    {
        if (tensorIndex < 0 || tensorIndex >= Count)
            throw new ArgumentOutOfRangeException("startingIndex");
    }

    /// <summary>Copies until either side ends.</summary>
    private void Copy(Span<T> array, int arrayIndex, long tensorIndex, bool toTensor)
    {
        var length = Math.Min(Count - tensorIndex, array.Length - arrayIndex);
        if (length <= 0)
            return;
        if (tensor.is_contiguous())
        {
            var ours = new Span<T>(memory + tensorIndex, checked((int)length));
            var theirs = array.Slice(arrayIndex, (int)length);
            if (toTensor)
                theirs.CopyTo(ours);
            else
                ours.CopyTo(theirs);
        }
        else
        {
            long[] shape = tensor.shape, strides = tensor.stride();
            for (long i = 0; i < length; i++)
            {
                var offset = Offset(tensorIndex + i, shape, strides);
                if (toTensor)
                    memory[offset] = array[arrayIndex + (int)i];
                else
                    array[arrayIndex + (int)i] = memory[offset];
            }
        }
        GC.KeepAlive(tensor);
    }

    private long Offset(long[] indices, bool flat)
    {
        long[] shape = tensor.shape, strides = tensor.stride();
        if (indices.Length == 1 && indices[0] >= Count)
            throw new IndexOutOfRangeException();
        if (flat)
        {
            var index = indices[0];
            if (index < 0)
                throw new ArgumentOutOfRangeException($"{index} in a collection of  ${Count} elements.");
            return Offset(index, shape, strides);
        }
        long offset = 0;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            if (indices[i] >= shape[i] || indices[i] < 0)
                throw new IndexOutOfRangeException($"{indices[i]} >= {shape[i]} in dimension {i}.");
            offset += indices[i] * strides[i];
        }
        return offset;
    }

    private static long Offset(long flat, long[] shape, long[] strides)
    {
        long offset = 0;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            flat = Math.DivRem(flat, shape[i], out var index);
            offset += index * strides[i];
        }
        return offset;
    }

    public IEnumerator<T> GetEnumerator()
    {
        var count = Count;
        if (count == 0)
            yield break;
        long[] shape = tensor.shape, strides = tensor.stride();
        for (long i = 0; i < count; i++)
            yield return At(Offset(i, shape, strides));
    }

    private T At(long offset) => memory[offset];

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public void Dispose()
    {
        memory = null;
        tensor = null!;
    }
}
