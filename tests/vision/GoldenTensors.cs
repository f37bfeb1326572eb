using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Sdxl.Tests.Vision;

/// <summary>Reads the safetensors files beside the vision goldens; this room knows no tensors library.</summary>
internal sealed class GoldenTensors
{
    private readonly byte[] _file;
    private readonly Dictionary<string, JsonElement> _entries;
    private readonly int _dataStart;

    public GoldenTensors(string path)
    {
        _file = File.ReadAllBytes(path);
        var headerBytes = (int)BinaryPrimitives.ReadUInt64LittleEndian(_file);
        _dataStart = 8 + headerBytes;
        _entries = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(_file.AsSpan(8, headerBytes))!;
    }

    /// <summary>The tensor that belongs to a picture: "star-small.png" and "pixel_values" give "star.pixel_values".</summary>
    public string NameFor(string picture, string tensor) =>
        _entries
            .Keys.Where(key =>
                key.EndsWith("." + tensor, StringComparison.Ordinal)
                && picture.StartsWith(key[..^(tensor.Length + 1)], StringComparison.Ordinal)
            )
            .MaxBy(key => key.Length)
        ?? throw new InvalidDataException($"No tensor {tensor} for {picture}.");

    public long[] Shape(string name) => [.. _entries[name].GetProperty("shape").EnumerateArray().Select(side => side.GetInt64())];

    public float[] Floats(string name) => MemoryMarshal.Cast<byte, float>(Bytes(name, "F32")).ToArray();

    public long[] Ids(string name) => MemoryMarshal.Cast<byte, long>(Bytes(name, "I64")).ToArray();

    private ReadOnlySpan<byte> Bytes(string name, string type)
    {
        Assert.Equal(type, _entries[name].GetProperty("dtype").GetString());
        var offsets = _entries[name].GetProperty("data_offsets");
        var (from, to) = (offsets[0].GetInt32(), offsets[1].GetInt32());
        return _file.AsSpan(_dataStart + from, to - from);
    }
}
