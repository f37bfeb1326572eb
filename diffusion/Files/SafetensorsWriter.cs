using System.Buffers.Binary;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Sdxl.Core.Text;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Files;

/// <summary>
/// Writes safetensors files whose bytes depend on the content alone, not on insertion order, and which appear whole or not at all.
/// </summary>
/// <remarks>
/// Order of data: wider element types first (keeps every tensor aligned), then by name, as the reference implementation does.
/// The header is padded with spaces to a multiple of 8. The bytes go to a temporary sibling, are flushed to the disk, then renamed.
/// </remarks>
public static class SafetensorsWriter
{
    /// <summary>One tensor's bytes for a writer without tensors: little-endian, row-major.</summary>
    public sealed record RawTensor(SafetensorsType Type, long[] Shape, ReadOnlyMemory<byte> Bytes);

    /// <summary>Writes tensors (any device; non-contiguous ones are copied one at a time).</summary>
    public static void Write(
        string path,
        IEnumerable<KeyValuePair<string, Tensor>> tensors,
        IReadOnlyDictionary<string, string>? metadata = null
    ) =>
        WriteAll(
            path,
            [
                .. tensors.Select(t => new Item(
                    t.Key,
                    SafetensorsFile.FromScalarType(t.Value.dtype),
                    t.Value.shape,
                    stream => WriteTensor(stream, t.Value)
                )),
            ],
            metadata
        );

    /// <summary>Writes raw bytes; each entry's byte count must agree with its type and shape.</summary>
    public static void WriteRaw(
        string path,
        IEnumerable<KeyValuePair<string, RawTensor>> tensors,
        IReadOnlyDictionary<string, string>? metadata = null
    )
    {
        var items = new List<Item>();
        foreach (var (name, tensor) in tensors)
        {
            var item = new Item(name, tensor.Type, tensor.Shape, stream => stream.Write(tensor.Bytes.Span));
            if (item.ByteLength != tensor.Bytes.Length)
                throw new SafetensorsException(
                    path,
                    $"tensor '{name}' of {tensor.Type} [{string.Join(", ", tensor.Shape)}] takes {Plural.Of(item.ByteLength, "byte")}; "
                        + $"{tensor.Bytes.Length} {Plural.Verb(tensor.Bytes.Length, "was", "were")} given."
                );
            items.Add(item);
        }
        WriteAll(path, items, metadata);
    }

    private sealed record Item(string Name, SafetensorsType Type, long[] Shape, Action<Stream> WriteTo)
    {
        public long ByteLength => Shape.Aggregate((long)Type.ByteSize(), (product, side) => checked(product * side));
    }

    private static void WriteAll(string path, List<Item> items, IReadOnlyDictionary<string, string>? metadata)
    {
        if (items.GroupBy(i => i.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new SafetensorsException(path, $"tensor '{twice.Key}' was given twice.");
        if (items.FirstOrDefault(i => i.Name is "__metadata__" or "") is { } reserved)
            throw new SafetensorsException(path, $"a tensor cannot be named '{reserved.Name}'.");
        items.Sort((a, b) => b.Type.ByteSize() != a.Type.ByteSize()
            ? b.Type.ByteSize().CompareTo(a.Type.ByteSize())
            : string.CompareOrdinal(a.Name, b.Name));

        var header = Header(items, metadata);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(folder);
        var temporary = Path.Combine(folder, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}.tmp");
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 20))
            {
                Span<byte> length = stackalloc byte[8];
                BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
                stream.Write(length);
                stream.Write(header);
                foreach (var item in items)
                    item.WriteTo(stream);
                stream.Flush(flushToDisk: true); // before the rename, else a power cut could leave an empty file under the final name
            }
            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary); // does nothing after the move
        }
    }

    private static byte[] Header(List<Item> items, IReadOnlyDictionary<string, string>? metadata)
    {
        using var buffer = new MemoryStream();
        // Relaxed escaping: other readers show names and metadata as they are.
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal))
                    json.WriteString(key, value);
                json.WriteEndObject();
            }
            long at = 0;
            foreach (var item in items)
            {
                json.WriteStartObject(item.Name);
                json.WriteString("dtype", item.Type.ToString());
                json.WriteStartArray("shape");
                foreach (var side in item.Shape)
                    json.WriteNumberValue(side);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(at);
                json.WriteNumberValue(at += item.ByteLength);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (buffer.Length % 8 != 0)
            buffer.WriteByte((byte)' ');
        return buffer.ToArray();
    }

    private static void WriteTensor(Stream stream, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var plain = tensor.detach().cpu().contiguous();
        if (plain.NumberOfElements * plain.ElementSize <= int.MaxValue)
            stream.Write(plain.bytes);
        else
            plain.WriteBytesToStream(stream, 1 << 20);
    }
}
