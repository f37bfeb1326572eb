using System.Text;
using Sdxl.Core.Captions;
using Sdxl.Diffusion.Adapters;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Nets;
using Sdxl.Diffusion.Schedulers;
using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Pipelines;

/// <summary>
/// Holds at most one fine-tune on a model, with proof by construction that nothing of it stays: base weights are never written by a LoRA,
/// whole nets are undone by reading the base files again, tokenizers and rows are the slot's own.
/// </summary>
internal sealed class FineTuneSlot(SdxlModel model) : IDisposable
{
    private readonly List<(IWeighted Layer, Tensor Weight)> changed = [];
    private TriggerWords? words;
    private IReadOnlyList<string> tokensOfWords = [];
    private (Tensor, Tensor)? ownedRows;
    private readonly HashSet<string> replaced = []; // nets whose weights are a fine-tune's

    /// <summary>New tokens for the base model; null without a fine-tune that has them.</summary>
    public NewTokens? Tokens { get; private set; }

    /// <summary>
    /// The same for a refiner, whose one encoder is the base model's second: without them it would read the placeholder's letters.
    /// </summary>
    public NewTokens? TokensFor(SdxlModel refiner) =>
        Tokens is { Rows2: { } rows2 } ? new NewTokens(null, refiner.Tokenizer2.WithAddedTokens(Names(rows2)), null, rows2) : null;

    /// <summary>The noise schedule to draw with: the model's, unless the fine-tune was trained under another.</summary>
    public SchedulerConfig Schedule { get; private set; } = model.Schedule;

    /// <summary>The prompt with the trigger word replaced by its tokens.</summary>
    public string Spell(string prompt) => words?.Replace(prompt, tokensOfWords) ?? prompt;

    public void Apply(FineTune? fineTune, double loraScale)
    {
        Clear();
        if (fineTune is null)
            return;
        try
        {
            // A LoRA at strength 0 is the base model, which predicts what it always did.
            Schedule =
                fineTune.Lora is not null && loraScale == 0 ? model.Schedule : fineTune.Schedule?.On(model.Schedule) ?? model.Schedule;
            if (fineTune.UNet is { } unet)
                ReplaceUNet(unet);
            if (fineTune.Checkpoint is { } checkpoint)
                ReplaceNets(checkpoint);
            if (fineTune.Lora is { } lora && loraScale != 0)
                Attach(lora, fineTune.LoraConfig, loraScale);
            if (fineTune is { Rows1: { } rows1, Rows2: { } rows2 })
            {
                ownedRows = (OnDevice(rows1), OnDevice(rows2));
                UseTokens(fineTune.SpecialParams, ownedRows.Value.Item1, ownedRows.Value.Item2);
            }
        }
        catch
        {
            Clear();
            throw;
        }
    }

    private void UseTokens(IReadOnlyDictionary<string, string> specialParams, Tensor rows1, Tensor rows2)
    {
        if (rows1.shape[1] != model.TextEncoder!.Config.HiddenSize || rows2.shape[1] != model.TextEncoder2.Config.HiddenSize)
        {
            throw new InvalidDataException(
                $"The fine-tune's token rows are {rows1.shape[1]} and {rows2.shape[1]} wide; base model '{model.Source}' has encoders of "
                    + $"{model.TextEncoder.Config.HiddenSize} and {model.TextEncoder2.Config.HiddenSize}. It was trained on another base "
                    + "model."
            );
        }
        var names = Names(rows1);
        Tokens = new NewTokens(model.Tokenizer!.WithAddedTokens(names), model.Tokenizer2.WithAddedTokens(names), rows1, rows2);
        (words, tokensOfWords) = (specialParams.Count == 0 ? null : new TriggerWords(specialParams.Keys), [.. specialParams.Values]);
    }

    public void Clear()
    {
        foreach (var (layer, weight) in changed)
        {
            layer.StandIn(null);
            weight.Dispose();
        }
        changed.Clear();
        foreach (var net in replaced)
            model.Reload(net);
        replaced.Clear();
        (Tokens, words, Schedule) = (null, null, model.Schedule);
        ownedRows?.Item1.Dispose();
        ownedRows?.Item2.Dispose();
        ownedRows = null;
    }

    public void Dispose()
    {
        replaced.Clear(); // the model goes away with the pipeline: nothing to restore
        Clear();
    }

    private void Attach(SafetensorsFile file, string? config, double strength)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope(); // the factors go when the changed weights are computed
        var layers = LoraTargets.Layers(model);
        var problems = new StringBuilder();
        foreach (var change in LoraFile.Read(file, LoraTargets.Of(model), config))
        {
            using var factors = change;
            using var one = NewDisposeScope();
            var layer = layers[change.Net][change.Module];
            var shape = layer.Weight.shape;
            if (change.Size is var (rows, columns) && (rows != shape[0] || columns != layer.Weight.NumberOfElements / shape[0]))
            {
                problems.Append($" '{change.Module}' is [{string.Join(", ", shape)}], the change [{rows}, {columns}].");
                continue;
            }
            var there = change.On(layer.Weight.device);
            var weight = ChangedWeight.Of(layer.Weight, there.Delta(strength), there.Magnitude);
            changed.Add((layer, weight)); // first of all: what fails from here on is cleared
            layer.StandIn(weight);
            if (FiniteWeights.Problem(weight) is not null)
                throw new SafetensorsException(file.Path,
                    $"makes '{change.Module}' infinite in {model.Device.UNetType}: its numbers, or lora_scale, are far too large.");
        }
        if (problems.Length > 0)
        {
            var family = ModelFamily.Sentence(file);
            throw new SafetensorsException(
                file.Path,
                "does not fit base model "
                    + $"'{model.Source}':{(problems.Length > 1000 ? problems.ToString(0, 1000) + " …" : problems)}{(family.Length > 0 ? family : " It was trained on another base model.")}"
            );
        }
    }

    /// <summary>
    /// Replicate's full fine-tunes leave out norms and time layers, so what is absent stays the base model's; what is there must fit.
    /// </summary>
    private void ReplaceUNet(SafetensorsFile file)
    {
        var wanted = model.UNet.named_parameters().ToDictionary(p => p.name, p => p.parameter, StringComparer.Ordinal);
        var wrong = file
            .Entries.Values.Where(e => !wanted.TryGetValue(e.Name, out var p) || !p.shape.SequenceEqual(e.Shape))
            .Take(5)
            .ToList();
        if (wrong.Count > 0 || file.Entries.Count == 0)
            throw new SafetensorsException(file.Path,
                $"is not a U-Net for base model '{model.Source}': "
                    + $"{(wrong.Count == 0 ? "it is empty" : string.Join(", ", wrong.Select(w => $"{w.Name} {w}")))}.{ModelFamily.Sentence(file)}"
            );
        replaced.Add("unet");
        using var guard = no_grad();
        foreach (var name in file.Entries.Keys)
        {
            file.CopyTo(name, wanted[name]);
            RequireFinite(file, name, wanted[name]);
        }
    }

    /// <summary>Every net that a single-file checkpoint holds; the U-Net must be among them and each must be complete.</summary>
    private void ReplaceNets(SafetensorsFile file)
    {
        var names = SdxlModel.NamesFor(model.UNet.Config, model.Vae.Config);
        foreach (var (name, net) in model.Nets.Where(n => n.Key == "unet" || SingleFileTensors.Has(file, n.Key)))
        {
            replaced.Add(name);
            try
            {
                NetLoader.Fill(net, new SingleFileTensors(file, names, name, NetLoader.Shapes(net)));
            }
            catch (SafetensorsException e) when (ModelFamily.Sentence(file) is { Length: > 0 } family)
            {
                throw new SafetensorsException(file.Path, $"is no checkpoint for base model '{model.Source}'.{family} ({e.Message})", e);
            }
            foreach (var (tensor, weight) in net.named_parameters())
                RequireFinite(file, names.Of(name, tensor).Name, weight);
        }
    }

    private static void RequireFinite(SafetensorsFile file, string name, Tensor weight)
    {
        if (FiniteWeights.Problem(weight) is { } problem)
            throw new SafetensorsException(file.Path, $"tensor '{name}' {problem}");
    }

    private static List<string> Names(Tensor rows) => [.. Enumerable.Range(0, (int)rows.shape[0]).Select(i => $"<s{i}>")];

    private Tensor OnDevice(Tensor rows)
    {
        using var guard = no_grad();
        return rows.to(model.Device.TextType, model.Device.Device, copy: true).DetachFromDisposeScope();
    }
}
