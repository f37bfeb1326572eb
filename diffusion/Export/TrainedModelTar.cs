using System.Formats.Tar;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Sdxl.Core.Archives;
using Sdxl.Core.Captions;

namespace Sdxl.Diffusion.Export;

/// <summary>
/// trained_model.tar as Replicate's trainer writes it: lora.safetensors (or unet.safetensors of a full fine-tune), embeddings.pti,
/// special_params.json, at the root, uncompressed.
/// </summary>
/// <remarks>Names, order, owners and times are fixed, so equal content gives equal bytes.</remarks>
public static class TrainedModelTar
{
    public const string FileName = "trained_model.tar";
    public const string LoraName = "lora.safetensors";
    public const string UNetName = "unet.safetensors";
    public const string EmbeddingsName = "embeddings.pti";
    public const string SpecialParamsName = "special_params.json";

    private static readonly JsonSerializerOptions s_relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Packs files under the names given.</summary>
    public static void Write(string path, IReadOnlyList<(string Name, string File)> files)
    {
        var temporary = path + ".tmp";
        using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            using (var tar = new TarWriter(stream, TarEntryFormat.Ustar, leaveOpen: true))
            {
                foreach (var (name, file) in files)
                {
                    using var content = File.OpenRead(file);
                    // ustar's size field ends at 8 GiB; a pax record takes over beyond that
                    TarEntry entry =
                        content.Length < 8L << 30
                            ? new UstarTarEntry(TarEntryType.RegularFile, name)
                            : new PaxTarEntry(TarEntryType.RegularFile, name);
                    entry.ModificationTime = DateTimeOffset.UnixEpoch;
                    entry.Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
                    entry.DataStream = content;
                    tar.WriteEntry(entry);
                }
            }
            stream.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>
    /// special_params.json: each trigger word and the vectors it stands for, {"TOK": "&lt;s0&gt;&lt;s1&gt;", "CAT":
    /// "&lt;s2&gt;&lt;s3&gt;"}.
    /// </summary>
    /// <param name="trigger">One word or several: TOK, TOK|CAT.</param>
    /// <param name="vectors">Of each word.</param>
    public static byte[] SpecialParams(string trigger, int vectors) =>
        Encoding.UTF8.GetBytes(
            JsonSerializer.Serialize(
                new TriggerWords(trigger).All.Select((word, i) => KeyValuePair.Create(word, TokensOf(vectors, i * vectors))).ToDictionary(),
                s_relaxed
            )
        );

    /// <summary>"&lt;s0&gt;&lt;s1&gt;" for 2; from <paramref name="first"/> on where other words come before.</summary>
    public static string TokensOf(int vectors, int first = 0) => string.Concat(Enumerable.Range(first, vectors).Select(i => $"<s{i}>"));

    /// <summary>
    /// Whether a file's bytes are a tar's, whatever its name: its first record's magic, or one whose checksum holds (tars before POSIX have
    /// no magic).
    /// </summary>
    public static bool IsTar(string path)
    {
        Span<byte> record = stackalloc byte[TarHeader.Bytes];
        using var stream = File.OpenRead(path);
        if (stream.ReadAtLeast(record, record.Length, throwOnEndOfStream: false) < record.Length)
            return false;
        if (record[257..262].SequenceEqual("ustar"u8))
            return true;
        var (recorded, sum) = TarHeader.Checksum(record);
        return recorded == sum;
    }

    /// <summary>Where the files lie inside an uncompressed tar.</summary>
    /// <exception cref="InvalidDataException">Not a tar, cut off, or not to be read.</exception>
    public static IReadOnlyDictionary<string, (long Offset, long Length)> Places(string path)
    {
        var places = new Dictionary<string, (long, long)>(StringComparer.Ordinal);
        try
        {
            using var stream = File.OpenRead(path);
            using var tar = new TarReader(new TarHeaderGuard(stream));
            while (tar.GetNextEntry() is { } entry)
            {
                if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile)
                    places[entry.Name.StartsWith("./", StringComparison.Ordinal) ? entry.Name[2..] : entry.Name] = (
                        entry.DataOffset,
                        entry.Length
                    );
            }
        }
        catch (Exception e) when (TarHeaderGuard.IsDamage(e))
        {
            throw new InvalidDataException(
                $"Fine-tune '{path}' is not a readable tar: {e.Message} Expected the {FileName} of a training, uncompressed.",
                e
            );
        }
        return places;
    }
}
