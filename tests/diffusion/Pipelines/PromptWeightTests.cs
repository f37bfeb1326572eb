using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Pipelines;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Pipelines;

/// <summary>Weights in prompts act on the tokens that they stand at; tags and what is cut are named.</summary>
public sealed class PromptWeightTests : IDisposable
{
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();
    private readonly SdxlPipeline pipeline = SdxlPipeline.Load(Golden.BaseFolder, null, DiffusionDevice.Cpu);

    public void Dispose()
    {
        pipeline.Dispose();
        scope.Dispose();
    }

    private PromptStates Encode(string prompt)
    {
        using var guard = no_grad();
        return PromptEncoder.Encode(pipeline.Model, [prompt]);
    }

    [Fact]
    public void A_weight_moves_the_states_of_its_tokens_away_from_the_empty_texts()
    {
        var (plain, empty, weighted) = (Encode("a cat on the grass"), Encode(""), Encode("a (cat:1.5) on the grass"));
        var first = 1 + pipeline.Model.Tokenizer2.Tokenize("a").Length; // after the start token
        var count = pipeline.Model.Tokenizer2.Tokenize("cat").Length;
        float[] factors = [.. Enumerable.Range(0, (int)plain.States.shape[1]).Select(i => i >= first && i < first + count ? 1.5f : 1)];
        var expected = empty.States.Plus((plain.States - empty.States) * tensor(factors).view(1, -1, 1));
        Golden.Close(expected, weighted.States, 1e-5, "states");
        Assert.True(plain.Pooled.equal(weighted.Pooled).all().item<bool>());
        Assert.False(plain.States.equal(weighted.States).all().item<bool>());
    }

    [Theory]
    [InlineData("a (cat:1) on the grass")]
    [InlineData("a cat <lora:cats:0.8> on the grass")]
    public void What_says_nothing_changes_no_bit(string prompt) =>
        Assert.True(Encode("a cat on the grass").States.equal(Encode(prompt).States).all().item<bool>());

    [Fact]
    public void Tags_and_ends_that_are_not_read_are_named()
    {
        var settings = new GenerationSettings { Prompt = "a (cat:1.3) on the grass", NegativePrompt = "blurry" };
        Assert.Empty(pipeline.PromptWarnings(settings));
        var tag = Assert.Single(pipeline.PromptWarnings(settings with { Prompt = "a cat <lora:cats:0.8>" }));
        Assert.Contains("'prompt': the tag <lora:cats:0.8> loads nothing here. Give a LoRA as 'replicate_weights'", tag);
        var word = pipeline.Model.Tokenizer2.Tokenize("cat").Length;
        var end = Assert.Single(pipeline.PromptWarnings(
            settings with { NegativePrompt = string.Join(' ', Enumerable.Repeat("cat", 75 / word + 1)) }));
        Assert.Contains($"'negative_prompt' has {(75 / word + 1) * word} tokens where 75 are read", end);
        Assert.Empty(pipeline.PromptWarnings(settings with { Prompt = string.Join(' ', Enumerable.Repeat("cat", 75 / word)) }));
    }
}
