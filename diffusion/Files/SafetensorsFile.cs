using System.IO.MemoryMappedFiles;
using Sdxl.Core.Text;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Files;

/// <summary>
/// A memory-mapped safetensors file: the header is checked at once, tensors are copied out one at a time when asked for.
/// </summary>
/// <remarks>The mapping costs no memory of its own (pages are the system's file cache), so loading a net holds each tensor once.</remarks>
public sealed class SafetensorsFile : IDisposable
{
    private readonly MemoryMappedFile map;
    private readonly long start; // where the safetensors bytes begin: 0 unless they lie inside a tar

    private SafetensorsFile(string path, SafetensorsHeader header, MemoryMappedFile map, long start) =>
        (Path, Header, this.map, this.start) = (path, header, map, start);

    /// <summary>Where the file lies.</summary>
    public string Path { get; }

    /// <summary>Names, types, shapes, metadata.</summary>
    public SafetensorsHeader Header { get; }

    /// <summary>Tensors by name, in the order of their data.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries => Header.Entries;

    /// <summary>The file's free text map.</summary>
    public IReadOnlyDictionary<string, string> Metadata => Header.Metadata;

    /// <summary>Opens and checks a file.</summary>
    /// <exception cref="SafetensorsException">Pickle, truncated, corrupt or lying header.</exception>
    public static SafetensorsFile Open(string path) => Open(path, 0, null);

    /// <summary>Opens and checks the safetensors bytes that lie inside another file (an uncompressed tar).</summary>
    /// <param name="offset">Where they begin.</param>
    /// <param name="length">How many they are; null: to the end.</param>
    public static SafetensorsFile Open(string path, long offset, long? length)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        var size = length ?? stream.Length - offset;
        if (size > stream.Length - offset)
            throw new SafetensorsException(
                path,
                $"should hold {Plural.Of(size, "byte")} from {offset} on but ends at {stream.Length}. It is truncated."
            );
        stream.Position = offset;
        var header = SafetensorsHeader.Read(stream, size, path);
        // The mapping keeps its own reference to the open file; a rename over the path later does not change what is read.
        var map = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        return new SafetensorsFile(path, header, map, offset);
    }

    /// <summary>Copies one tensor out of the file.</summary>
    /// <param name="name">The tensor's name; it must be in <see cref="Entries"/>.</param>
    /// <param name="dtype">Type wanted; null keeps the file's.</param>
    /// <param name="device">Device wanted; null is the CPU.</param>
    /// <returns>A new contiguous tensor of the file's shape that the caller (or its dispose scope) owns.</returns>
    public Tensor Read(string name, ScalarType? dtype = null, Device? device = null)
    {
        if (!Entries.TryGetValue(name, out var entry))
            throw new SafetensorsException(
                Path,
                $"has no tensor '{name}'. It holds {Entries.Count}: "
                    + $"{string.Join(", ", Entries.Keys.Take(5))}{(Entries.Count > 5 ? ", …" : "")}."
            );
        var tensor = empty(entry.Shape, ToScalarType(entry.Type));
        if (entry.ByteLength > 0)
            Fill(entry, tensor);
        if ((dtype is null || dtype == tensor.dtype) && (device is null || device.type == TorchSharp.DeviceType.CPU))
            return tensor;
        using (tensor)
            return tensor.to(dtype ?? tensor.dtype, device ?? CPU);
    }

    /// <summary>
    /// Fills <paramref name="target"/>, which has exactly the tensor's shape: straight from the file where type and device agree, else
    /// through one temporary.
    /// </summary>
    public void CopyTo(string name, Tensor target)
    {
        var entry = Entries[name];
        if (entry.ByteLength == 0)
            return;
        if (target.device_type == TorchSharp.DeviceType.CPU && target.dtype == ToScalarType(entry.Type) && target.is_contiguous())
        {
            Fill(entry, target);
            return;
        }
        using var guard = no_grad();
        using var stored = Read(name);
        target.copy_(stored);
    }

    /// <summary>The raw little-endian bytes of one tensor (for hashes and for readers without tensors).</summary>
    public byte[] ReadBytes(string name)
    {
        var entry = Entries[name];
        var bytes = new byte[entry.ByteLength];
        if (bytes.Length > 0)
        {
            using var view = map.CreateViewAccessor(start + entry.Offset, entry.ByteLength, MemoryMappedFileAccess.Read);
            view.SafeMemoryMappedViewHandle.ReadSpan<byte>((ulong)view.PointerOffset, bytes);
        }
        return bytes;
    }

    public void Dispose() => map.Dispose();

    /// <summary>The tensor library's word for a file type; what it has none for is read as fp32.</summary>
    public static ScalarType ToScalarType(SafetensorsType type) => type switch
    {
        SafetensorsType.F64 => ScalarType.Float64,
        SafetensorsType.F32 or SafetensorsType.F8_E4M3 or SafetensorsType.F8_E5M2 => ScalarType.Float32,
        SafetensorsType.F16 => ScalarType.Float16,
        SafetensorsType.BF16 => ScalarType.BFloat16,
        SafetensorsType.I64 => ScalarType.Int64,
        SafetensorsType.I32 => ScalarType.Int32,
        SafetensorsType.U8 => ScalarType.Byte,
        _ => ScalarType.Bool,
    };

    /// <summary>The file type for a tensor; other tensor types cannot be written.</summary>
    public static SafetensorsType FromScalarType(ScalarType type) =>
        type switch
        {
            ScalarType.Float64 => SafetensorsType.F64,
            ScalarType.Float32 => SafetensorsType.F32,
            ScalarType.Float16 => SafetensorsType.F16,
            ScalarType.BFloat16 => SafetensorsType.BF16,
            ScalarType.Int64 => SafetensorsType.I64,
            ScalarType.Int32 => SafetensorsType.I32,
            ScalarType.Byte => SafetensorsType.U8,
            ScalarType.Bool => SafetensorsType.BOOL,
            _ => throw new ArgumentOutOfRangeException(
                nameof(type),
                type,
                $"A tensor of type {type} cannot be written to a safetensors file; convert it first."
            ),
        };

    private void Fill(SafetensorsEntry entry, Tensor tensor)
    {
        if (entry.Type is SafetensorsType.F8_E4M3 or SafetensorsType.F8_E5M2)
        {
            System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(Float8.Decode(ReadBytes(entry.Name), entry.Type)).CopyTo(
                tensor.bytes);
            return;
        }
        if (entry.ByteLength <= int.MaxValue) // the limit of Tensor.bytes
        {
            using var view = map.CreateViewAccessor(start + entry.Offset, entry.ByteLength, MemoryMappedFileAccess.Read);
            view.SafeMemoryMappedViewHandle.ReadSpan((ulong)view.PointerOffset, tensor.bytes);
            return;
        }
        using var stream = map.CreateViewStream(start + entry.Offset, entry.ByteLength, MemoryMappedFileAccess.Read);
        tensor.ReadBytesFromStream(stream, 1 << 20);
    }
}
