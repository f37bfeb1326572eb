using System.Buffers;
using System.Runtime.InteropServices;

namespace SixLabors.ImageSharp.Memory;

/// <summary>One frame's pixels, row after row without padding, outside the garbage-collected heap so that Dispose gives them back at once.</summary>
internal sealed unsafe class PixelMemory<T> : MemoryManager<T>
    where T : unmanaged
{
    private readonly long bytes;
    private T* pixels;

    public PixelMemory(int width, int height, bool clean)
    {
        Width = width;
        Height = height;
        bytes = (long)width * height * sizeof(T);
        try
        {
            pixels = (T*)(clean ? NativeMemory.AllocZeroed((nuint)bytes) : NativeMemory.Alloc((nuint)bytes));
        }
        catch (OutOfMemoryException)
        {
            throw new InvalidMemoryOperationException($"The system has no memory for a buffer of length={bytes}.");
        }
        GC.AddMemoryPressure(Math.Max(bytes, 1));
    }

    // An image nobody disposed of gives its memory back here; every use of a span keeps its frame or image alive meanwhile.
#pragma warning disable CA2015
    ~PixelMemory() => Dispose(false);
#pragma warning restore CA2015

    public int Width { get; }

    public int Height { get; }

    public bool IsDisposed => pixels is null;

    /// <summary>First pixel; valid until disposal.</summary>
    public T* Pointer => pixels is null ? throw new ObjectDisposedException("Image", "Trying to execute an operation on a disposed image.") : pixels;

    public long ByteCount => bytes;

    public Span<T> Row(int y) => new(Pointer + ((long)y * Width), Width);

    public ref T At(int x, int y) => ref Pointer[((long)y * Width) + x];

    public override Span<T> GetSpan() => new(Pointer, checked(Width * Height));

    public override MemoryHandle Pin(int elementIndex = 0) => new(Pointer + elementIndex, default, this);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
        if (pixels is null)
            return;
        NativeMemory.Free(pixels);
        pixels = null;
        GC.RemoveMemoryPressure(Math.Max(bytes, 1));
        if (disposing)
            GC.SuppressFinalize(this);
    }
}
