using Sdxl.Vision.Models;
using Sdxl.Pictures;

namespace Sdxl.Tests.Vision.Models;

/// <summary>preprocessor_config.json in the forms that real models have.</summary>
public sealed class PictureInputTests
{
    [Theory]
    [InlineData(
        """{"size": 352, "resample": 2, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}""",
        352,
        ResizeFilter.Bilinear
    )] // CLIPSeg rd64
    [InlineData(
        """{"size": {"height": 384, "width": 384}, "image_mean": [0.48, 0.45, 0.40], "image_std": [0.26, 0.26, 0.27]}""",
        384,
        ResizeFilter.Bicubic
    )] // no filter named
    public void Size_and_filter_are_read(string json, int side, ResizeFilter filter)
    {
        var input = Read(json);
        Assert.Equal((side, side, filter), (input.Width, input.Height, input.Filter));
        Assert.Equal(3, input.Means.Length);
    }

    [Theory]
    [InlineData("""{"image_mean": [0, 0, 0], "image_std": [1, 1, 1]}""")]
    [InlineData("""{"size": 64, "image_mean": [0, 0], "image_std": [1, 1, 1]}""")]
    [InlineData("""{"size": 64""")]
    public void A_broken_file_is_named(string json) =>
        Assert.Contains("preprocessor_config", Assert.Throws<InvalidDataException>(() => Read(json)).Message);

    private static PictureInput Read(string json)
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("sdxl-tests-").FullName, "preprocessor_config.json");
        File.WriteAllText(file, json);
        try
        {
            return PictureInput.Read(file, ResizeFilter.Bicubic);
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
        }
    }
}
