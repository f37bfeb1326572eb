using Sdxl.Tests.Pictures;
using Sdxl.Vision;

namespace Sdxl.Tests.Vision;

[Collection(nameof(Alone))]
public sealed class PreparationMemoryTests
{
    [Fact]
    public void One_activity_prepares_it_for_1024_pixels_with_mask_and_caption_within_384_MiB()
    {
        using var preparer = new PicturePreparer(Shared.Models);
        using var stream = File.OpenRead(LargePictures.Jpeg());
        PreparedPicture? prepared = null;
        var peak = PeakMemory.Megabytes(() =>
            prepared = preparer.Prepare(
                stream,
                "large.jpg",
                suppliedMask: null,
                new PreparationSettings { Resolution = 1024, MaskTargetPrompts = "object" }
            )
        );
        Assert.Equal((12000, 9000, 9000), (prepared!.OriginalWidth, prepared.OriginalHeight, prepared.CropSize));
        Assert.Equal(1024, prepared.Picture.Width);
        prepared.Dispose();
        Assert.InRange(peak, 32, 384);
    }

    /// <summary>
    /// The most that other formats may have: 64 megapixels, decoded whole at 4 bytes a pixel (256 MB), then shrunk (48 MB).
    /// </summary>
    [Theory]
    [InlineData("png of 16 bits")]
    [InlineData("bmp")]
    [InlineData("tiff")]
    [InlineData("webp")]
    public void Sixty_four_megapixels_of_another_format_are_prepared_within_512_MiB(string format)
    {
        var file = format switch
        {
            "png of 16 bits" => LargePictures.Png16(8000, 8000),
            "bmp" => LargePictures.Bmp8(8000, 8000),
            "tiff" => LargePictures.Tiff(8000, 8000, strips: 8000),
            _ => LargePictures.Webp(8000, 8000),
        };
        using var preparer = new PicturePreparer(Shared.Models);
        using var stream = new MemoryStream(file);
        PreparedPicture? prepared = null;
        var peak = PeakMemory.Megabytes(() =>
            prepared = preparer.Prepare(
                stream,
                format,
                suppliedMask: null,
                new PreparationSettings { Resolution = 1024, Caption = "given" }
            )
        );
        Assert.Equal((1024, 8000), (prepared!.Picture.Width, prepared.OriginalWidth));
        prepared.Dispose();
        Assert.InRange(peak, 16, 512);
    }

    [Fact]
    public void A_long_strip_below_the_resolution_is_upscaled_as_its_square_only_within_384_MiB()
    {
        using var preparer = new PicturePreparer(Shared.Models);
        using var stream = new MemoryStream(LargePictures.Png16(4000, 120));
        PreparedPicture? prepared = null;
        var peak = PeakMemory.Megabytes(() =>
            prepared = preparer.Prepare(
                stream,
                "strip.png",
                suppliedMask: null,
                new PreparationSettings { Resolution = 128, Caption = "given" }
            )
        );
        Assert.Equal((120, 1, 128), (prepared!.CropSize, prepared.TimesUpscaled, prepared.Picture.Width));
        prepared.Dispose();
        Assert.InRange(peak, 1, 384);            // most of it is the model's
    }
}
