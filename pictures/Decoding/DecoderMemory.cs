using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SixLabors.ImageSharp.Memory;

namespace Sdxl.Pictures.Decoding;

/// <summary>
/// ImageSharp's memory while one picture is decoded: always zeroed, so that no picture shows another one's pixels where its own are
/// missing; never more than so many bytes at a time, whatever a file claims; and given back to the system when the picture is done, without
/// a pool.
/// </summary>
/// <remarks>Not thread-safe: decoders of ImageSharp 2.1 work on the thread that calls them.</remarks>
internal sealed class DecoderMemory(long limit) : MemoryAllocator, IDisposable
{
    private readonly HashSet<IDisposable> _inUse = [];
    private long _bytes;

    /// <summary>Whether something was refused; the decoder's exception hides it.</summary>
    public bool Exceeded { get; private set; }

    public override IMemoryOwner<T> Allocate<T>(int length, AllocationOptions options = AllocationOptions.None)
    {
        var bytes = (long)length * Unsafe.SizeOf<T>();
        if (bytes < 0 || _bytes + bytes > limit)
        {
            Exceeded = true;
            throw new InvalidMemoryOperationException($"{bytes:N0} bytes more would exceed the {limit:N0} that are left for decoding.");
        }
        var block = new Block<T>(this, length, bytes);
        _inUse.Add(block);
        _bytes += bytes;
        return block;
    }

    /// <summary>Frees what decoders left behind when they failed.</summary>
    public void Dispose()
    {
        foreach (var block in _inUse.ToArray())
            block.Dispose();
    }

    /// <summary>One block whatever the size: a whole picture is one mapping, which the system takes back at once.</summary>
    protected override int GetBufferCapacityInBytes() => int.MaxValue;

    private sealed unsafe class Block<T>(DecoderMemory memory, int length, long bytes) : MemoryManager<T> where T : struct
    {
        private void* _at = NativeMemory.AllocZeroed((nuint)Math.Max(bytes, 1));

        public override Span<T> GetSpan() => _at is null ? throw new ObjectDisposedException(nameof(Block<T>)) : new Span<T>(_at, length);

        public override MemoryHandle Pin(int elementIndex = 0) => new((byte*)_at + (nint)elementIndex * Unsafe.SizeOf<T>());

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
            if (_at is null)
                return;
            NativeMemory.Free(_at);
            _at = null;
            memory._inUse.Remove(this);
            memory._bytes -= bytes;
        }
    }
}
