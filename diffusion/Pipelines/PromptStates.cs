using Sdxl.Core.Text;
using Sdxl.Diffusion.Models;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Pipelines;

/// <summary>Texts as the U-Net is told them. States [B,77,Dc], Pooled [B,P].</summary>
public sealed record PromptStates(Tensor States, Tensor Pooled)
{
    /// <summary>The conditioning of no text at all: zeros.</summary>
    public PromptStates Zeros() => new(zeros_like(States), zeros_like(Pooled));
}

/// <summary>New tokens that stand in prompts: the rows of both encoders and the tokenizers that know them.</summary>
/// <param name="Rows1">[N,D1]; null for a refiner.</param>
/// <param name="Rows2">[N,D2].</param>
public sealed record NewTokens(ClipTokenizer? Tokenizer, ClipTokenizer Tokenizer2, Tensor? Rows1, Tensor? Rows2);

/// <summary>Text to <see cref="PromptStates"/>.</summary>
public static class PromptEncoder
{
    /// <summary>Encodes prompts with both encoders (the refiner: the second alone).</summary>
    /// <param name="tokens">Tokenizers with new tokens and their rows; null: the model's own.</param>
    public static PromptStates Encode(SdxlModel model, IReadOnlyList<string> prompts, NewTokens? tokens = null)
    {
        using var scope = NewDisposeScope();
        var tokenizer2 = tokens?.Tokenizer2 ?? model.Tokenizer2;
        var second = model.TextEncoder2.forward(Ids(prompts, tokenizer2, model), tokenizer2.EndOfText, tokens?.Rows2);
        var states = second.Penultimate;
        if (model.TextEncoder is { } encoder && (tokens?.Tokenizer ?? model.Tokenizer) is { } tokenizer)
        {
            var first = encoder.forward(Ids(prompts, tokenizer, model), tokenizer.EndOfText, tokens?.Rows1);
            states = cat([first.Penultimate, states], -1); // [B,77,D1+D2]
        }
        return new PromptStates(states.MoveToOuterDisposeScope(), second.Pooled!.MoveToOuterDisposeScope());
    }

    /// <summary>What guidance pushes away from: zeros for an empty negative prompt where the model asks for that, else the encoded text.</summary>
    public static PromptStates EncodeNegative(SdxlModel model, string negativePrompt, PromptStates positive, NewTokens? tokens = null) =>
        negativePrompt.Length == 0 && model.ForceZerosForEmptyPrompt ? positive.Zeros() : Encode(model, [negativePrompt], tokens);

    private static Tensor Ids(IReadOnlyList<string> prompts, ClipTokenizer tokenizer, SdxlModel model)
    {
        var length = model.TextEncoder2.Config.MaxPositions;
        long[] ids = [.. prompts.SelectMany(p => tokenizer.Encode(p, length)).Select(i => (long)i)];
        return tensor(ids, [prompts.Count, length], device: model.Device.Device);
    }
}
