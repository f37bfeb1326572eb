using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Safety;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Safety;

public sealed class SafetyGoldenTests
{
    public static TheoryData<string> Goldens => new(Golden.With("pixel_values", "concept_cos", "facts.flagged"));

    [Theory]
    [MemberData(nameof(Goldens))]
    public void Pictures_are_prepared_scored_and_flagged_as_the_golden_says(string golden)
    {
        using var scope = NewDisposeScope();
        using var given = Golden.Open(golden);
        var folder = Path.GetDirectoryName(TestPaths.Golden(golden))!;
        using var checker = SafetyChecker.Load(Path.Combine(folder, "safety_checker"), DiffusionDevice.Cpu);
        var flagged = given.Facts.GetProperty("flagged").EnumerateArray().Select(f => f.GetBoolean()).ToArray();
        var pictures = given.Texts("pictures").Select(file => Load(Path.Combine(folder, file))).ToList();

        for (var i = 0; i < pictures.Count; i++)
        {
            var (rgb, width, height) = pictures[i];
            Golden.Close(
                given["pixel_values"].narrow(0, i, 1),
                checker.Pixels(rgb, width, height),
                Golden.Pass,
                $"pixel_values of picture {i}"
            );
            Assert.Equal(flagged[i], checker.IsFlagged(rgb, width, height));
        }
        var scores = checker.Score(given["pixel_values"]);
        Golden.Close(given["image_embeds"], scores.Embeddings, Golden.Pass, "image_embeds");
        Golden.Close(given["concept_cos"], scores.Concepts, Golden.Pass, "concept_cos");
        Golden.Close(given["special_cos"], scores.SpecialCare, Golden.Pass, "special_cos");
        Assert.Equal(flagged, checker.Flags(scores));
    }

    private static (byte[] Rgb, int Width, int Height) Load(string file)
    {
        using var image = Image.Load<Rgb24>(file);
        var rgb = new byte[image.Width * image.Height * 3];
        image.CopyPixelDataTo(rgb);
        return (rgb, image.Width, image.Height);
    }
}
