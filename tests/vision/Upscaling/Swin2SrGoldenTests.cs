using Sdxl.Vision.Upscaling;

namespace Sdxl.Tests.Vision.Upscaling;

public sealed class Swin2SrGoldenTests
{
    [Fact]
    public void Padding_reconstruction_and_picture_are_those_of_transformers()
    {
        var tensors = Shared.GoldenTensors("swin2sr");
        foreach (var testCase in Shared.Json(TestPaths.Golden("vision", "swin2sr.json")).GetProperty("cases").EnumerateArray())
        {
            var name = testCase.GetProperty("picture").GetString()!;
            var source = Shared.Golden(name);
            var padded = Swin2SrUpscaler.Pad(source);
            var pixels = Swin2SrUpscaler.Tensor(padded);
            var pixelName = tensors.NameFor(name, "pixel_values");
            Assert.Equal([1, 3, padded.Height, padded.Width], tensors.Shape(pixelName));
            Shared.AssertClose($"{name} pixel_values", tensors.Floats(pixelName), pixels);
            Shared.AssertClose(
                $"{name} reconstruction",
                tensors.Floats(tensors.NameFor(name, "reconstruction")),
                Shared.Models.Upscaler.Run(pixels, padded.Width, padded.Height)
            );

            var upscaled = Shared.Models.Upscaler.Upscale(source);
            Assert.Equal((source.Width * 4, source.Height * 4), (upscaled.Width, upscaled.Height));
            var expected = Shared.Golden(testCase.GetProperty("upscaled").GetString()!);
            var isTiled = Math.Max(padded.Width, padded.Height) > Shared.Models.Options.UpscaleTile;     // then a level on average
            Assert.InRange(isTiled ? Shared.MeanDifference(expected, upscaled) : Shared.LargestDifference(expected, upscaled), 0, 1);
        }
    }
}
