using Sdxl.Diffusion.Files;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Export;

/// <summary>The trigger word's rows in files. Row i is &lt;s_i&gt; in every one.</summary>
public static class EmbeddingFile
{
    private const string BundlePrefix = "bundle_emb.";

    private static readonly (string First, string Second)[] s_names = [("text_encoders_0", "text_encoders_1"), ("clip_l", "clip_g")];

    /// <summary>Replicate's embeddings.pti (a safetensors file): text_encoders_0 [N, 768], text_encoders_1 [N, 1280].</summary>
    public static void WriteCog(string path, Tensor rows1, Tensor rows2) => Write(path, s_names[0], rows1, rows2);

    /// <summary>A1111's and ComfyUI's SDXL embedding: clip_l and clip_g; also what diffusers' trainers write.</summary>
    public static void WriteWebUi(string path, Tensor rows1, Tensor rows2) => Write(path, s_names[1], rows1, rows2);

    /// <summary>Reads either kind, fp32 on the CPU; the caller owns the rows.</summary>
    /// <exception cref="SafetensorsException">Neither kind, or the two encoders have different numbers of rows.</exception>
    public static (Tensor Rows1, Tensor Rows2) Read(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return Read(file);
    }

    /// <inheritdoc cref="Read(string)"/>
    public static (Tensor Rows1, Tensor Rows2) Read(SafetensorsFile file)
    {
        foreach (var (first, second) in s_names)
        {
            if (file.Entries.ContainsKey(first) && file.Entries.ContainsKey(second))
                return Pair(file, first, second);
        }
        throw new SafetensorsException(
            file.Path,
            "is not an SDXL embedding: expected clip_l and clip_g, or text_encoders_0 and text_encoders_1; found "
                + $"{string.Join(", ", file.Entries.Keys.Take(4))}."
        );
    }

    /// <summary>
    /// Embeddings that A1111's users put into a LoRA's file (bundle_emb.TOK.clip_l, bundle_emb.TOK.clip_g), by their words; the caller owns
    /// the rows.
    /// </summary>
    /// <exception cref="SafetensorsException">One lacks an encoder's rows, or they differ in number.</exception>
    public static IReadOnlyList<(string Word, Tensor Rows1, Tensor Rows2)> ReadBundled(SafetensorsFile file)
    {
        var (first, second) = s_names[1];
        var found = new List<(string, Tensor, Tensor)>();
        foreach (
            var word in file
                .Entries.Keys.Where(IsBundled)
                .Select(k => k[BundlePrefix.Length..k.LastIndexOf('.')])
                .Distinct()
                .Order(StringComparer.Ordinal)
        )
        {
            var (one, two) = ($"{BundlePrefix}{word}.{first}", $"{BundlePrefix}{word}.{second}");
            if (!file.Entries.ContainsKey(one) || !file.Entries.ContainsKey(two))
                throw new SafetensorsException(file.Path, $"bundles the embedding '{word}' without {first} or {second}; SDXL's has both.");
            var (rows1, rows2) = Pair(file, one, two);
            found.Add((word, rows1, rows2));
        }
        return found;
    }

    /// <summary>Whether a LoRA file's tensor belongs to an embedding: a bundled one, or the file's own.</summary>
    public static bool IsRow(string name) => IsPlainRow(name) || IsBundled(name);

    /// <summary>Whether a tensor holds a file's own rows for one of the encoders.</summary>
    public static bool IsPlainRow(string name) => s_names.Any(pair => name == pair.First || name == pair.Second);

    private static bool IsBundled(string name) => name.StartsWith(BundlePrefix, StringComparison.Ordinal)
        && name.LastIndexOf('.') > BundlePrefix.Length;

    private static (Tensor, Tensor) Pair(SafetensorsFile file, string first, string second)
    {
        var (one, two) = (file.Entries[first], file.Entries[second]);
        // One vector is one row, as some programs write it.
        if (one.Shape.Length == 1 && two.Shape.Length == 1)
            return (file.ReadFinite(first).view(1, -1), file.ReadFinite(second).view(1, -1));
        if (one.Shape.Length != 2 || two.Shape.Length != 2 || one.Shape[0] != two.Shape[0])
            throw new SafetensorsException(
                file.Path,
                $"'{first}' is {one} and '{second}' is {two}; expected the same number of rows in both."
            );
        return (file.ReadFinite(first), file.ReadFinite(second));
    }

    private static void Write(string path, (string First, string Second) names, Tensor rows1, Tensor rows2)
    {
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(path, new Dictionary<string, Tensor>
        {
            [names.First] = rows1.detach().to(ScalarType.Float32, CPU),
            [names.Second] = rows2.detach().to(ScalarType.Float32, CPU),
        });
    }
}
