using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Sdxl.Core.Text;

namespace Sdxl.Diffusion.Files;

/// <summary>
/// The header of a safetensors file, read and checked without touching tensor data and without trusting any number in it.
/// </summary>
/// <remarks>
/// The format, byte by byte (huggingface/safetensors README):
/// bytes 0..7: N, unsigned little-endian, length of the header; bytes 8..8+N: a JSON object in UTF-8 that begins with '{' (0x7B) and may be
/// padded with spaces (0x20); then the tensors' bytes. The object maps each name to {"dtype","shape","data_offsets":[begin,end]}, offsets
/// relative to the first byte after the header; "__metadata__" maps text to text. Tensors fill the rest of the file: no holes, no overlaps.
/// Duplicate names are refused. Nothing larger than the file itself is ever allocated.
/// </remarks>
public sealed class SafetensorsHeader
{
    /// <summary>The reference implementation's limit; a full-size SDXL header is about 0.3 MB.</summary>
    public const long MaxHeaderBytes = 100_000_000;

    private SafetensorsHeader(IReadOnlyDictionary<string, SafetensorsEntry> entries, IReadOnlyDictionary<string, string> metadata)
    {
        Entries = entries;
        Metadata = metadata;
    }

    /// <summary>
    /// More sides than any tensor library takes. With the two limits below, what a header makes us hold stays in proportion to the file.
    /// </summary>
    public const int MaxSides = 64;

    /// <summary>Full-size SDXL has 2,641 tensors.</summary>
    public const int MaxTensors = 200_000;

    /// <summary>SDXL's longest names have some 120 letters.</summary>
    public const int MaxNameLetters = 1_000;

    /// <summary>Entries of "__metadata__"; kohya's files have about a hundred.</summary>
    public const int MaxMetadata = 20_000;

    /// <summary>Tensors by name, in the order of their data.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries { get; }

    /// <summary>The free text map "__metadata__"; empty where the file has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Reads the header from where <paramref name="stream"/> stands.</summary>
    /// <param name="fileBytes">Bytes from there to the end of the safetensors file.</param>
    /// <param name="file">Name used in errors.</param>
    /// <exception cref="SafetensorsException">The file is truncated, lies about sizes, or is no safetensors file.</exception>
    public static SafetensorsHeader Read(Stream stream, long fileBytes, string file)
    {
        Span<byte> start = stackalloc byte[8];
        var got = stream.ReadAtLeast(start[..(int)Math.Min(8, fileBytes)], (int)Math.Min(8, fileBytes), throwOnEndOfStream: false);
        RefusePickle(start[..got], file);
        if (got < 8)
            throw new SafetensorsException(
                file,
                $"has {Plural.Of(fileBytes, "byte")}; a safetensors file begins with an 8-byte header length. Download or copy it again."
            );
        var headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(start);
        if (headerBytes > MaxHeaderBytes)
            throw new SafetensorsException(
                file,
                $"claims a header of {headerBytes} bytes; at most {MaxHeaderBytes} are allowed. It is not a safetensors file or is corrupt."
            );
        if (headerBytes > (ulong)(fileBytes - 8))
            throw new SafetensorsException(
                file,
                $"claims a header of {Plural.Of((long)headerBytes, "byte")}, but only {Plural.Of(fileBytes - 8, "byte")} "
                    + $"{Plural.Verb(fileBytes - 8, "follows", "follow")} the length. The file is truncated or corrupt."
            );
        if (headerBytes < 2)
            throw new SafetensorsException(file, $"claims a header of {Plural.Of((long)headerBytes, "byte")}; the smallest is 2 ('{{}}').");
        var json = new byte[headerBytes];
        stream.ReadExactly(json);
        if (json[0] != (byte)'{')
            throw new SafetensorsException(
                file,
                $"has a header that begins with byte 0x{json[0]:X2}, expected 0x7B ('{{'). It is not a safetensors file."
            );
        return Parse(json, 8 + (long)headerBytes, fileBytes, file);
    }

    /// <summary>Throws where the first bytes are those of a pickle or of the zip that torch.save writes.</summary>
    /// <remarks>Loading a pickle runs code from the file, so this product never does.</remarks>
    public static void RefusePickle(ReadOnlySpan<byte> start, string file)
    {
        var extension = Path.GetExtension(file).ToLowerInvariant();
        var zip = start.StartsWith("PK\x03\x04"u8);
        // Protocol 2..5 begins 0x80, protocol number. So does an honest header length such as 640, whose upper four bytes are 0, a pickle's
        // never.
        var pickle = start.Length >= 8 && start[0] == 0x80 && start[1] is >= 2 and <= 5 && start[4..8].ContainsAnyExcept((byte)0);
        if (zip || pickle || extension is ".bin" or ".pt" or ".pth" or ".ckpt" or ".pkl" or ".pickle")
        {
            var why =
                zip ? "is a zip (torch.save)"
                : pickle ? "is a Python pickle"
                : $"has the extension '{extension}' of a pickle";
            throw new SafetensorsException(
                file,
                $"{why}. Pickle files can run code when they are opened and are never read here; use the .safetensors version of these "
                    + "weights."
            );
        }
    }

    private static SafetensorsHeader Parse(byte[] json, long dataStart, long fileBytes, string file)
    {
        var entries = new Dictionary<string, SafetensorsEntry>(StringComparer.Ordinal);
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var hasMetadata = false;
        try
        {
            // The reader itself rejects malformed JSON and bytes after the object other than white space.
            var reader = new Utf8JsonReader(json);
            Expect(ref reader, JsonTokenType.StartObject, file, "the header");
            while (Next(ref reader, file, "the header") != JsonTokenType.EndObject)
            {
                var name = reader.GetString()!;
                if (name == "__metadata__")
                {
                    if (hasMetadata)
                        throw new SafetensorsException(file, "'__metadata__' is listed twice in the header.");
                    hasMetadata = true;
                    ReadMetadata(ref reader, metadata, file);
                }
                else if (name.Length > MaxNameLetters)
                    throw new SafetensorsException(file,
                        $"has a tensor name of {name.Length} letters, '{name[..40]}…'; at most {MaxNameLetters} are allowed.");
                else if (entries.Count == MaxTensors)
                    throw new SafetensorsException(file, $"lists more than {MaxTensors} tensors; no file of SDXL has so many.");
                else if (!entries.TryAdd(name, ReadEntry(ref reader, name, dataStart, fileBytes, file)))
                    throw new SafetensorsException(file, $"tensor '{name}' is listed twice in the header.");
            }
            while (reader.Read()) { }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or DecoderFallbackException)
        {
            throw new SafetensorsException(file, $"the header is not valid JSON in UTF-8: {e.Message}", e);
        }
        var ordered = entries.Values.OrderBy(e => e.Offset).ThenBy(e => e.ByteLength).ThenBy(e => e.Name, StringComparer.Ordinal).ToList();
        RequireContiguous(ordered, dataStart, fileBytes, file);
        return new SafetensorsHeader(ordered.ToDictionary(e => e.Name, StringComparer.Ordinal), metadata);
    }

    private static void RequireContiguous(List<SafetensorsEntry> ordered, long dataStart, long fileBytes, string file)
    {
        var at = dataStart;
        SafetensorsEntry? before = null;
        foreach (var entry in ordered)
        {
            if (entry.Offset < at)
                throw new SafetensorsException(
                    file,
                    $"tensor '{entry.Name}' begins at data byte {entry.Offset - dataStart}, inside '{before!.Name}', which ends at "
                        + $"{at - dataStart}."
                );
            if (entry.Offset > at)
                throw new SafetensorsException(
                    file,
                    $"{Plural.Of(entry.Offset - at, "byte")} before tensor '{entry.Name}' (data byte {at - dataStart}) "
                        + $"{Plural.Verb(entry.Offset - at, "belongs", "belong")} to no tensor."
                );
            at = entry.Offset + entry.ByteLength;
            before = entry;
        }
        if (at != fileBytes)
            throw new SafetensorsException(
                file,
                $"the tensors end at byte {at}, the file has {fileBytes} bytes. "
                    + $"{(at < fileBytes ? "Bytes after the last tensor belong to none." : "It is truncated.")}"
            );
    }

    private static void ReadMetadata(ref Utf8JsonReader reader, Dictionary<string, string> metadata, string file)
    {
        Expect(ref reader, JsonTokenType.StartObject, file, "'__metadata__'");
        while (Next(ref reader, file, "'__metadata__'") != JsonTokenType.EndObject)
        {
            var key = reader.GetString()!;
            Expect(ref reader, JsonTokenType.String, file, $"'__metadata__' entry '{key}'");
            if (metadata.Count == MaxMetadata)
                throw new SafetensorsException(file, $"'__metadata__' has more than {MaxMetadata} entries.");
            if (!metadata.TryAdd(key, reader.GetString()!))
                throw new SafetensorsException(file, $"'__metadata__' entry '{key}' is listed twice.");
        }
    }

    private static SafetensorsEntry ReadEntry(ref Utf8JsonReader reader, string name, long dataStart, long fileBytes, string file)
    {
        string? word = null;
        List<long>? shape = null, offsets = null;
        Expect(ref reader, JsonTokenType.StartObject, file, $"tensor '{name}'");
        while (Next(ref reader, file, $"tensor '{name}'") != JsonTokenType.EndObject)
        {
            var field = reader.GetString()!;
            var twice = field switch
            {
                "dtype" => word is not null,
                "shape" => shape is not null,
                "data_offsets" => offsets is not null,
                _ => false,
            };
            if (twice)
                throw new SafetensorsException(file, $"tensor '{name}' has '{field}' twice.");
            switch (field)
            {
                case "dtype":
                    Expect(ref reader, JsonTokenType.String, file, $"tensor '{name}', dtype");
                    word = reader.GetString()!;
                    break;
                case "shape":
                    shape = ReadNumbers(ref reader, name, field, MaxSides, file);
                    break;
                case "data_offsets":
                    offsets = ReadNumbers(ref reader, name, field, 2, file);
                    break;
                default:
                    throw new SafetensorsException(
                        file,
                        $"tensor '{name}' has an unknown field '{field}'; expected dtype, shape, data_offsets."
                    );
            }
        }
        if (word is null || shape is null || offsets is null)
            throw new SafetensorsException(
                file,
                $"tensor '{name}' lacks {(word is null ? "dtype" : shape is null ? "shape" : "data_offsets")}."
            );
        if (!SafetensorsTypes.TryParse(word, out var type))
            throw new SafetensorsException(
                file,
                $"tensor '{name}' has dtype '{word}'; this product reads {string.Join(", ", Enum.GetNames<SafetensorsType>())}. Save the "
                    + "file again in one of these, for example F16."
            );
        if (offsets.Count != 2 || offsets[1] < offsets[0])
            throw new SafetensorsException(
                file,
                $"tensor '{name}' has data_offsets [{string.Join(", ", offsets)}]; expected [begin, end] with begin <= end."
            );
        if (offsets[1] > fileBytes - dataStart)
            throw new SafetensorsException(
                file,
                $"tensor '{name}' ends at data byte {offsets[1]}, but the file has only {Plural.Of(fileBytes - dataStart, "byte")} of "
                    + "data. It is truncated or corrupt."
            );
        var expected = ByteCount(shape, type);
        var found = offsets[1] - offsets[0];
        if (expected != found)
            throw new SafetensorsException(
                file,
                $"tensor '{name}' is {type} [{string.Join(", ", shape)}], which takes "
                    + $"{(expected < 0 ? "more than 2^63 bytes" : Plural.Of(expected, "byte"))}, but its data_offsets span {found}."
            );
        return new SafetensorsEntry(name, type, [.. shape], dataStart + offsets[0], found);
    }

    /// <summary>
    /// Bytes of a shape, or -1 where the sides other than 0 overflow 63 bits: tensor libraries refuse those also in an empty tensor.
    /// </summary>
    private static long ByteCount(List<long> shape, SafetensorsType type)
    {
        UInt128 bytes = (ulong)type.ByteSize();
        foreach (var side in shape.Where(side => side != 0))
        {
            bytes *= (ulong)side;
            if (bytes > long.MaxValue)
                return -1;
        }
        return shape.Contains(0) ? 0 : (long)bytes;
    }

    /// <param name="most">Reading stops with an error at the number after these.</param>
    private static List<long> ReadNumbers(ref Utf8JsonReader reader, string name, string field, int most, string file)
    {
        Expect(ref reader, JsonTokenType.StartArray, file, $"tensor '{name}', {field}");
        var numbers = new List<long>();
        while (Next(ref reader, file, $"tensor '{name}', {field}") != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0)
                throw new SafetensorsException(file, $"tensor '{name}' has a {field} entry that is not a whole number from 0 to 2^63-1.");
            if (numbers.Count == most)
                throw new SafetensorsException(
                    file,
                    $"tensor '{name}' has more than {most} numbers in {field}; "
                        + $"{(field == "shape" ? "no tensor has so many sides" : "expected [begin, end]")}."
                );
            numbers.Add(number);
        }
        return numbers;
    }

    private static JsonTokenType Next(ref Utf8JsonReader reader, string file, string where) =>
        reader.Read() ? reader.TokenType : throw new SafetensorsException(file, $"the header ends inside {where}.");

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type, string file, string where)
    {
        if (Next(ref reader, file, where) != type)
            throw new SafetensorsException(file, $"{where}: expected {type}, found {reader.TokenType}.");
    }
}
