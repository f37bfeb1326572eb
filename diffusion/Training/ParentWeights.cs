using Sdxl.Diffusion.Adapters;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Optimizers;
using Sdxl.Diffusion.Pipelines;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Training;

/// <summary>The published version that a training goes on from.</summary>
/// <param name="Version">owner/name:id, for the log and the files; the id is what the training depends on.</param>
/// <param name="File">Its trained_model.tar on this machine.</param>
public sealed record TrainingParent(string Version, string File);

/// <summary>
/// A version's weights as the start of another training, read from its trained_model.tar: LoRA matrices or the whole U-Net, and the trigger
/// words' rows. Everything that trains must be there in its shape; nothing else is taken.
/// </summary>
/// <remarks>
/// The file holds the LoRA with its scale (alpha / rank) folded into the up matrices. It is taken out again, which is exact where the scale
/// is a power of two (1 unless lora_alpha was given); else the last bit of a value may differ from what the parent ended with.
/// </remarks>
public sealed class ParentWeights : IDisposable
{
    private readonly TrainingParent parent;
    private readonly SdxlModel model;
    private readonly FineTune weights;

    /// <exception cref="TrainingException">The file is not there, damaged, or holds no weights.</exception>
    public ParentWeights(TrainingParent parent, SdxlModel model)
    {
        (this.parent, this.model) = (parent, model);
        try
        {
            weights = FineTune.Load(parent.File);
        }
        catch (FileNotFoundException e)
        {
            throw Unfit("its weights are not there any more", e);
        }
        catch (Exception e) when (e is SafetensorsException or InvalidDataException)
        {
            throw Unfit(e.Message, e);
        }
    }

    /// <summary>Fills what a LoRA training trains.</summary>
    /// <param name="scale">The training's own alpha / rank.</param>
    public void CopyLora(FlatParameters net, double scale)
    {
        using var guard = no_grad();
        var missing = net.Tensors.Select(tensor => tensor.Key).ToHashSet(StringComparer.Ordinal);
        foreach (var change in LayersOf(weights.Lora ?? throw Unfit("it has no LoRA")))
        {
            using var layer = change;
            if (layer is not LoraLayer { Net: "unet", Mid: null } lora)
                throw Unfit($"its layer '{layer.Module}' is none that a training here makes");
            Copy(net, missing, $"{lora.Module}.lora_A.weight", lora.Down);
            using var up = lora.Scale == scale ? lora.Up.alias() : lora.Up * Num(lora.Scale / scale);
            Copy(net, missing, $"{lora.Module}.lora_B.weight", up);
            if (lora.Magnitude is not null)
                Copy(net, missing, $"{lora.Module}.lora_magnitude_vector", lora.Magnitude);
        }
        RequireAll(missing);
    }

    /// <summary>Fills what a full fine-tune trains.</summary>
    public void CopyUNet(FlatParameters net)
    {
        var file = weights.UNet ?? throw Unfit("it has no U-Net");
        var missing = net.Tensors.Select(tensor => tensor.Key).ToHashSet(StringComparer.Ordinal);
        foreach (var entry in file.Entries.Values)
        {
            RequireShape(net, missing, entry.Name, entry.Shape);
            file.CopyTo(entry.Name, net[entry.Name]);
        }
        RequireAll(missing);
    }

    /// <summary>Fills the trigger words' vectors.</summary>
    public void CopyRows(FlatParameters rows)
    {
        if (weights is not { Rows1: { } rows1, Rows2: { } rows2 })
            throw Unfit("it has no vectors for the trigger word");
        using var guard = no_grad();
        var missing = rows.Tensors.Select(tensor => tensor.Key).ToHashSet(StringComparer.Ordinal);
        Copy(rows, missing, "rows_1", rows1);
        Copy(rows, missing, "rows_2", rows2);
    }

    public void Dispose() => weights.Dispose();

    private IReadOnlyList<LayerChange> LayersOf(SafetensorsFile file)
    {
        try
        {
            return LoraFile.Read(file, LoraTargets.Of(model));
        }
        catch (SafetensorsException e)
        {
            throw Unfit(e.Message, e);
        }
    }

    private void Copy(FlatParameters trained, HashSet<string> missing, string name, Tensor value)
    {
        RequireShape(trained, missing, name, value.shape);
        trained[name].copy_(value);
    }

    private void RequireShape(FlatParameters trained, HashSet<string> missing, string name, long[] shape)
    {
        if (!missing.Remove(name))
            throw Unfit($"it has '{name}', which this training does not train");
        if (!trained[name].shape.SequenceEqual(shape))
            throw Unfit($"its '{name}' is [{string.Join(", ", shape)}], expected [{string.Join(", ", trained[name].shape)}]");
    }

    private void RequireAll(HashSet<string> missing)
    {
        if (missing.Count > 0)
        {
            var first = missing.Order(StringComparer.Ordinal).First();
            throw Unfit($"{missing.Count} of what this training trains is not in it, '{first}' for one");
        }
    }

    private TrainingException Unfit(string why, Exception? inner = null)
    {
        var sentence = $"The training cannot go on from version '{parent.Version}': {why.TrimEnd('.')}. Train without 'from', or from a "
            + "version of the same base model, kind, rank, layers and trigger words.";
        return inner is null ? new TrainingException(sentence) : new TrainingException(sentence, inner);
    }
}
