using Sdxl.Diffusion.Files;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Export;

/// <summary>The trigger word's rows in files. Row i is &lt;s_i&gt; in every one.</summary>
public static class EmbeddingFile
{
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
            if (!file.Entries.TryGetValue(first, out var one) || !file.Entries.TryGetValue(second, out var two))
                continue;
            if (one.Shape.Length != 2 || two.Shape.Length != 2 || one.Shape[0] != two.Shape[0])
                throw new SafetensorsException(file.Path, $"'{first}' is {one} and '{second}' is {two}; expected the same number of rows in both.");
            return (file.Read(first, float32), file.Read(second, float32));
        }
        throw new SafetensorsException(file.Path, $"is not an SDXL embedding: expected clip_l and clip_g, or text_encoders_0 and text_encoders_1; found {string.Join(", ", file.Entries.Keys.Take(4))}.");
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
