using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Models;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Models;

/// <summary>Single-file checkpoints made of loaded models.</summary>
internal static class SingleFiles
{
    /// <summary>
    /// A base model as people have it: one file, and beside it a folder of its name with a model folder's configs and tokenizers.
    /// </summary>
    /// <returns>The file.</returns>
    public static string WithConfigs(string folder, string modelFolder)
    {
        var path = Path.Combine(folder, "single.safetensors");
        using (var model = SdxlModel.Load(modelFolder, DiffusionDevice.Cpu))
            Write(path, model);
        foreach (
            var file in Directory
                .GetFiles(modelFolder, "*", SearchOption.AllDirectories)
                .Where(f => !f.EndsWith(".safetensors", StringComparison.Ordinal))
        )
        {
            var copy = Path.Combine(folder, "single", Path.GetRelativePath(modelFolder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        return path;
    }

    /// <summary>Writes a model's nets under the single file's names.</summary>
    /// <param name="change">What to write instead of a weight.</param>
    public static void Write(string path, SdxlModel model, Func<string, Tensor, Tensor>? change = null, params string[] nets)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var names = SdxlModel.NamesFor(model.UNet.Config, model.Vae.Config);
        var tensors = new Dictionary<string, Tensor>();
        var thirds = new Dictionary<string, Tensor[]>();
        foreach (var (net, module) in model.Nets.Where(n => nets.Length == 0 || nets.Contains(n.Key)))
        {
            foreach (var (key, parameter) in module.named_parameters())
            {
                var weight = change is null ? parameter : change($"{net}.{key}", parameter);
                var place = names.Of(net, key);
                // The refiner's one encoder is the first and only embedder.
                var name = model.TextEncoder is null
                    ? place.Name.Replace("conditioner.embedders.1.", "conditioner.embedders.0.", StringComparison.Ordinal)
                    : place.Name;
                if (place.Change is TensorChange.QueryThird or TensorChange.KeyThird or TensorChange.ValueThird)
                {
                    thirds.TryAdd(name, new Tensor[3]);
                    thirds[name][place.Change - TensorChange.QueryThird] = weight;
                }
                else
                    tensors.Add(
                        name,
                        place.Change switch
                        {
                            TensorChange.Transposed => weight.t(),
                            TensorChange.Pointwise => weight.unsqueeze(-1).unsqueeze(-1),
                            _ => weight,
                        }
                    );
            }
        }
        foreach (var (name, parts) in thirds)
            tensors.Add(name, cat(parts, 0));
        SafetensorsWriter.Write(path, tensors);
    }
}
