using System.Formats.Tar;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Sdxl.Diffusion.Export;

/// <summary>
/// trained_model.tar as Replicate's trainer writes it: lora.safetensors (or unet.safetensors of a full fine-tune), embeddings.pti, special_params.json, at the root, uncompressed.
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
                    TarEntry entry = content.Length < 8L << 30 ? new UstarTarEntry(TarEntryType.RegularFile, name) : new PaxTarEntry(TarEntryType.RegularFile, name);
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

    /// <summary>special_params.json: the trigger word and the vectors it stands for, {"TOK": "&lt;s0&gt;&lt;s1&gt;"}.</summary>
    public static byte[] SpecialParams(string trigger, int vectors) =>
        Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new Dictionary<string, string> { [trigger] = TokensOf(vectors) }, s_relaxed));

    /// <summary>"&lt;s0&gt;&lt;s1&gt;" for 2.</summary>
    public static string TokensOf(int vectors) => string.Concat(Enumerable.Range(0, vectors).Select(i => $"<s{i}>"));
}
