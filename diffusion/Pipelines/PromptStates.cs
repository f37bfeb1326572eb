using Sdxl.Core.Captions;
using Sdxl.Core.Text;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Nets;
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
/// <remarks>
/// Weights "(word:1.3)" act as in ComfyUI: a token's state is moved away from, or towards, that of the empty text at its place, w = 1
/// where it is.
/// The pooled text is the plain words'. A prompt without weights takes no part in that: not one bit of it differs.
/// </remarks>
public static class PromptEncoder
{
    /// <summary>Encodes prompts with both encoders (the refiner: the second alone).</summary>
    /// <param name="tokens">Tokenizers with new tokens and their rows; null: the model's own.</param>
    public static PromptStates Encode(SdxlModel model, IReadOnlyList<string> prompts, NewTokens? tokens = null)
    {
        using var scope = NewDisposeScope();
        List<WeightedPrompt> parsed = [.. prompts.Select(WeightedPrompt.Parse)];
        var (states, pooled) = Encoded(model.TextEncoder2, tokens?.Tokenizer2 ?? model.Tokenizer2, parsed, tokens?.Rows2, model);
        if (model.TextEncoder is { } encoder && (tokens?.Tokenizer ?? model.Tokenizer) is { } tokenizer)
            states = cat([Encoded(encoder, tokenizer, parsed, tokens?.Rows1, model).States, states], -1); // [B,77,D1+D2]
        return new PromptStates(states.MoveToOuterDisposeScope(), pooled!.MoveToOuterDisposeScope());
    }

    /// <summary>
    /// What guidance pushes away from: zeros for an empty negative prompt where the model asks for that, else the encoded text.
    /// </summary>
    public static PromptStates EncodeNegative(SdxlModel model, string negativePrompt, PromptStates positive, NewTokens? tokens = null) =>
        negativePrompt.Length == 0 && model.ForceZerosForEmptyPrompt ? positive.Zeros() : Encode(model, [negativePrompt], tokens);

    /// <summary>How many tokens a prompt has; start and end apart, <see cref="CaptionLength.ReadTokens"/> are read.</summary>
    public static int TokensOf(ClipTokenizer tokenizer, string prompt) =>
        WeightedPrompt.Parse(prompt).Pieces.Sum(piece => tokenizer.Tokenize(piece.Text).Length);

    private static (Tensor States, Tensor? Pooled) Encoded(ClipTextModel encoder, ClipTokenizer tokenizer, List<WeightedPrompt> prompts,
        Tensor? rows, SdxlModel model)
    {
        var device = model.Device.Device;
        var length = model.TextEncoder2.Config.MaxPositions;
        var read = encoder.forward(Ids(prompts.Select(p => Tokens(tokenizer, p)), tokenizer, length, device), tokenizer.EndOfText, rows);
        if (!prompts.Exists(p => p.IsWeighted))
            return (read.Penultimate, read.Pooled);
        var empty = encoder.forward(Ids([[]], tokenizer, length, device), tokenizer.EndOfText, rows).Penultimate; // [1,77,D]
        float[] weights = [.. prompts.SelectMany(p => Weights(tokenizer, p, length))];
        var factors = tensor(weights, [prompts.Count, length, 1]).to(empty.dtype, device);
        return (empty.Plus((read.Penultimate - empty) * factors), read.Pooled);
    }

    private static List<int> Tokens(ClipTokenizer tokenizer, WeightedPrompt prompt) =>
        prompt.IsWeighted ? [.. prompt.Pieces.SelectMany(piece => tokenizer.Tokenize(piece.Text))] : [.. tokenizer.Tokenize(prompt.Text)];

    /// <summary>Of each id: start, text, end, padding.</summary>
    private static IEnumerable<float> Weights(ClipTokenizer tokenizer, WeightedPrompt prompt, int length)
    {
        var ofTokens = prompt.Pieces.SelectMany(piece => tokenizer.Tokenize(piece.Text).Select(_ => (float)piece.Weight))
            .Take(length - 2).ToList();
        return [1, .. ofTokens, .. Enumerable.Repeat(1f, length - 1 - ofTokens.Count)];
    }

    private static Tensor Ids(IEnumerable<IReadOnlyCollection<int>> prompts, ClipTokenizer tokenizer, int length, Device device)
    {
        var rows = prompts.Select(tokens => tokenizer.Encode(tokens, length)).ToList();
        long[] ids = [.. rows.SelectMany(row => row).Select(id => (long)id)];
        return tensor(ids, [rows.Count, length], device: device);
    }
}
