namespace Sdxl.Tests.Vision.Captions;

public sealed class BlipGoldenTests
{
    [Fact]
    public void Pixels_embeddings_ids_and_captions_are_those_of_transformers_greedy_and_by_beams()
    {
        var tensors = Shared.GoldenTensors("blip");
        var captioner = Shared.Models.Captioner;
        foreach (var testCase in Shared.Json(TestPaths.Golden("vision", "blip.json")).GetProperty("cases").EnumerateArray())
        {
            var name = testCase.GetProperty("picture").GetString()!;
            var picture = Shared.Golden(name);
            var pixels = captioner.Preprocess(picture);
            Shared.AssertClose($"{name} pixel_values", tensors.Floats(tensors.NameFor(name, "pixel_values")), pixels);
            Shared.AssertClose(
                $"{name} image_embeds",
                tensors.Floats(tensors.NameFor(name, "image_embeds")),
                captioner.Embed(pixels).Values
            );

            var greedy = captioner.Caption(picture, beams: 1);
            Assert.Equal(tensors.Ids(tensors.NameFor(name, "ids")), greedy.Ids);
            Assert.Equal(testCase.GetProperty("caption").GetString(), greedy.RawText);
            foreach (
                var property in testCase
                    .EnumerateObject()
                    .Where(property => property.Name.StartsWith("caption_beam_", StringComparison.Ordinal))
            )
                Assert.Equal(
                    property.Value.GetString(),
                    captioner.Caption(picture, int.Parse(property.Name["caption_beam_".Length..])).RawText
                );
        }
    }
}
