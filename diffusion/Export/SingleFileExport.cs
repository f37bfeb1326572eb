using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Schedulers;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Export;

/// <summary>Writes a complete single-file checkpoint (sgm names): a fine-tuned U-Net with the base's VAE and text encoders.</summary>
public static class SingleFileExport
{
    private static readonly string[] s_others = ["vae", "text_encoder", "text_encoder_2"];

    /// <param name="baseModel">The base model, folder or single file; its tensors keep their type.</param>
    /// <param name="unet">The U-Net's tensors under diffusers' names; written as fp32, as they were trained: fp16 would round small changes
    /// away.</param>
    /// <param name="schedule">What it was trained under; other programs cannot look it up in the base model.</param>
    public static void Write(
        string path,
        string baseModel,
        SingleFileNames names,
        IEnumerable<KeyValuePair<string, Tensor>> unet,
        IReadOnlyDictionary<string, string> metadata,
        TrainedSchedule? schedule = null
    )
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (name, tensor) in unet)
            tensors.Add(names.Of("unet", name).Name, tensor.detach());
        foreach (var marker in schedule?.Markers ?? [])
            tensors.Add(marker, empty(0, float32));
        if (File.Exists(baseModel))
            TakeFile(tensors, baseModel);
        else
            TakeFolder(tensors, baseModel, names);
        SafetensorsWriter.Write(path, tensors, metadata);
    }

    /// <summary>Everything but the U-Net, as it stands in a single-file base.</summary>
    private static void TakeFile(Dictionary<string, Tensor> tensors, string path)
    {
        using var file = SafetensorsFile.Open(path);
        foreach (var name in file.Entries.Keys.Where(SingleFileTensors.IsBesideUNet))
            tensors.Add(name, file.Read(name));
    }

    private static void TakeFolder(Dictionary<string, Tensor> tensors, string folder, SingleFileNames names)
    {
        foreach (var net in s_others)
        {
            using var source = FolderTensors.Open(Path.Combine(folder, net));
            var thirds = new Dictionary<string, Tensor[]>(StringComparer.Ordinal);
            foreach (var (name, shape) in source.Shapes)
            {
                if (name.EndsWith("position_ids", StringComparison.Ordinal))
                    continue;
                var tensor = empty(shape, source.TypeOf(name));
                source.CopyTo(name, tensor);
                var target = names.Of(net, name);
                switch (target.Change)
                {
                    case TensorChange.Transposed:
                        tensors.Add(target.Name, tensor.t().contiguous());
                        break;
                    case TensorChange.Pointwise:
                        tensors.Add(target.Name, tensor.view(shape[0], shape[1], 1, 1));
                        break;
                    case TensorChange.QueryThird or TensorChange.KeyThird or TensorChange.ValueThird:
                        if (!thirds.TryGetValue(target.Name, out var stack))
                            thirds[target.Name] = stack = new Tensor[3];
                        stack[target.Change - TensorChange.QueryThird] = tensor;
                        break;
                    default:
                        tensors.Add(target.Name, tensor);
                        break;
                }
            }
            foreach (var (name, stack) in thirds)
                tensors.Add(name, cat(stack, 0));
        }
    }
}
