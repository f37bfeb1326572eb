namespace Sdxl.Tests.Vision.Masks;

public sealed class ClipSegGoldenTests
{
    [Fact]
    public void Ids_pixels_and_logits_are_those_of_transformers()
    {
        var tensors = Shared.GoldenTensors("clipseg");
        foreach (var testCase in Shared.Json(TestPaths.Golden("vision", "clipseg.json")).GetProperty("cases").EnumerateArray())
        {
            var name = testCase.GetProperty("picture").GetString()!;
            string[] prompts = [.. testCase.GetProperty("prompts").EnumerateArray().Select(prompt => prompt.GetString()!)];
            var masker = Shared.Models.Masker;
            var (ids, attention) = masker.Tokenize(prompts);
            Assert.Equal(tensors.Ids(tensors.NameFor(name, "input_ids")), ids);
            Assert.Equal(tensors.Ids(tensors.NameFor(name, "attention_mask")), attention);
            var pixels = masker.Preprocess(Shared.Golden(name));
            Shared.AssertClose($"{name} pixel_values", tensors.Floats(tensors.NameFor(name, "pixel_values")), pixels);
            Shared.AssertClose($"{name} logits", tensors.Floats(tensors.NameFor(name, "logits")), masker.Logits(pixels, prompts).Values);
        }
    }

    /// <summary>One level: the reference cuts a float to a byte, and its last digit decides.</summary>
    [Fact]
    public void Masks_at_each_temperature_are_the_references_to_one_level()
    {
        foreach (var testCase in Shared.Json(TestPaths.Golden("vision", "clipseg.json")).GetProperty("cases").EnumerateArray())
        {
            string[] prompts = [.. testCase.GetProperty("prompts").EnumerateArray().Select(prompt => prompt.GetString()!)];
            Assert.Equal("", prompts[^1]);
            var mask = Shared.Models.Masker.Mask(
                Shared.Golden(testCase.GetProperty("picture").GetString()!),
                prompts[..^1],
                testCase.GetProperty("temperature").GetDouble()
            );
            var expected = Shared.Golden(testCase.GetProperty("mask").GetString()!).Luma();
            Assert.InRange(Shared.LargestDifference(expected, mask), 0, 1);
            Assert.InRange(Shared.MeanDifference(expected, mask), 0, 0.05);
        }
    }
}
