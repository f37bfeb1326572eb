using Sdxl.Core.Captions;
using Sdxl.Core.Text;
using Sdxl.Diffusion.Export;
using Sdxl.Diffusion.Models;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Training;

/// <summary>Captions and prompts to ids, each trigger word replaced by its trained vectors.</summary>
public sealed class PromptTokens
{
    private readonly ClipTokenizer first, second;
    private readonly TriggerWords words;
    private readonly string[] vectors; // of each word

    /// <param name="trigger">One word or several, as in token_string: TOK, TOK|CAT.</param>
    /// <param name="vectorCount">Of each word.</param>
    /// <exception cref="TrainingException">A tokenizer's ids and its encoder's table do not match.</exception>
    public PromptTokens(SdxlModel model, string trigger, int vectorCount)
    {
        if (model.Tokenizer is null || model.TextEncoder is null)
            throw new TrainingException($"Model '{model.Source}' has only one text encoder: it is a refiner. Train its base model.");
        words = new TriggerWords(trigger);
        vectors = [.. words.All.Select((_, word) => TrainedModelTar.TokensOf(vectorCount, word * vectorCount))];
        var names = Enumerable.Range(0, words.All.Count * vectorCount).Select(i => $"<s{i}>").ToList();
        (first, second) = (
            Extend(model.Tokenizer, model.TextEncoder.TokenRows.shape[0], names),
            Extend(model.Tokenizer2, model.TextEncoder2.TokenRows.shape[0], names)
        );
    }

    /// <summary>[1, 77] int64 for each encoder. Weights and tags of a prompt are left out: nothing of them is trained.</summary>
    public (Tensor Ids1, Tensor Ids2) Encode(string text)
    {
        var replaced = WeightedPrompt.Parse(words.Replace(text, vectors)).Text;
        return (Ids(first, replaced), Ids(second, replaced));
    }

    private static Tensor Ids(ClipTokenizer tokenizer, string text) =>
        tensor(Array.ConvertAll(tokenizer.Encode(text), id => (long)id)).unsqueeze(0);

    private static ClipTokenizer Extend(ClipTokenizer tokenizer, long rows, IEnumerable<string> names) =>
        tokenizer.VocabularySize == rows
            ? tokenizer.WithAddedTokens(names)
            : throw new TrainingException(
                $"A tokenizer has {tokenizer.VocabularySize} ids, its text encoder's table {rows} rows; new vectors need them equal. Use a "
                    + "model folder whose parts belong together."
            );
}
