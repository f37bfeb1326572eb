using Sdxl.Core.Datasets;
using Sdxl.Vision;
using Sdxl.Vision.Models;
using Sdxl.Pictures;
using Sdxl.Tests.Pictures;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Tests.Vision;

public sealed class PicturePreparerTests
{
    private static readonly PreparationSettings s_settings = new() { Resolution = 64, Caption = "given", MaskTargetPrompts = "object" };

    [Fact]
    public void A_supplied_mask_of_another_size_wins_over_a_computed_one_and_leads_the_crop()
    {
        // Picture 300 x 100, mask 150 x 50 with its subject at 120..140: in the picture 240..280.
        using var prepared = Prepare(Flat(300, 100), Striped(150, 50, 120, 140), s_settings);
        Assert.Equal(MaskSource.Supplied, prepared.MaskSource);
        Assert.Equal((200, 0, 100), (prepared.CropLeft, prepared.CropTop, prepared.CropSize));
        Assert.Equal(255, prepared.Mask[(int)(60 * 0.64), 32].PackedValue);
        Assert.Equal(0, prepared.Mask[4, 32].PackedValue);
    }

    [Fact]
    public void Without_salience_the_middle_is_cropped()
    {
        using var prepared = Prepare(Flat(300, 100), Striped(150, 50, 120, 140), s_settings with { CropBasedOnSalience = false });
        Assert.Equal(100, prepared.CropLeft);
    }

    [Fact]
    public void That_only_the_first_page_of_a_document_is_used_is_said()
    {
        using var prepared = Prepare(
            LargePictures.SmallTiff(4, 2, 1, pages: 10),
            mask: null,
            new PreparationSettings { Resolution = 2, Caption = "given" }
        );
        Assert.Contains("It holds 10 pictures (frames or pages); only the first is used.", prepared.Warnings);
    }

    [Fact]
    public void Pictures_of_which_nothing_is_left_and_foreign_colours_are_told()
    {
        using var transparent = new Image<Rgba32>(64, 64);
        using var white = new Image<Rgba32>(64, 64, new Rgba32(255, 255, 255));
        foreach (var (image, says) in new[] { (transparent, "over white, which stands for transparency, it is white all over"),
            (white, "It is white all over") })
        {
            using var prepared = Prepare(Samples.Encode(image, new PngEncoder()), mask: null,
                s_settings with { Resolution = 32, Caption = "given", MaskTargetPrompts = null });
            Assert.Single(prepared.Warnings, warning => warning.Contains(says, StringComparison.Ordinal));
        }
        var inks = HandPng.Of(40, 1, 8, 2, [0, .. new byte[120]], false,
            [.. "iCCP"u8, .. "a\0\0"u8, .. HandPng.Zlib(HandProfile.Of("CMYK", "inks"), 1)]);
        using var named = Prepare(inks, mask: null, new PreparationSettings { Resolution = 2, Caption = "given" });
        Assert.Single(named.Warnings, warning => warning.Contains("'inks' is for inks (CMYK)", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("another shape")]
    [InlineData("black all over")]
    [InlineData("not a picture")]
    public void A_bad_mask_is_not_used_and_that_is_said(string why)
    {
        var mask = why switch { "another shape" => Striped(50, 50, 10, 20), "black all over" => Striped(150, 50, 0, 0), _ => [1, 2, 3] };
        using var prepared = Prepare(Flat(300, 100), mask, s_settings);
        Assert.Equal(MaskSource.Text, prepared.MaskSource);
        Assert.Contains(
            prepared.Warnings,
            warning =>
                warning.StartsWith("The mask beside it is not used: ", StringComparison.Ordinal)
                && warning.Contains(why, StringComparison.Ordinal)
        );
    }

    [Fact]
    public void A_mask_that_selects_by_opacity_or_in_ones_counts_as_a_white_one()
    {
        using var opacity = new Image<Rgba32>(150, 50);
        for (var x = 120; x < 140; x++)
        {
            for (var y = 0; y < 50; y++)
                opacity[x, y] = new Rgba32(0, 0, 0, 255);
        }
        using var stream = new MemoryStream();
        opacity.SaveAsPng(stream);
        byte[] ones = Png(
            new PixelGrid(150, 50, 3, [.. Enumerable.Range(0, 150 * 50 * 3).Select(i => (byte)(i / 3 % 150 is >= 120 and < 140 ? 1 : 0))])
        );
        foreach (var mask in new[] { stream.ToArray(), ones })
        {
            using var prepared = Prepare(Flat(300, 100), mask, s_settings);
            Assert.Equal((MaskSource.Supplied, 200), (prepared.MaskSource, prepared.CropLeft));
            Assert.Equal((255, 0), (prepared.Mask[(int)(60 * 0.64), 32].PackedValue, prepared.Mask[4, 32].PackedValue));
        }
    }

    [Fact]
    public void A_mask_that_looks_inverted_is_used_and_that_is_said()
    {
        var grid = PixelGrid.Flat(90, 60, 3, 255);
        for (var y = 10; y < 50; y++)
            grid.Data.AsSpan((y * 90 + 15) * 3, 60 * 3).Clear();
        using var inverted = Prepare(Flat(300, 200), Png(grid), s_settings);
        Assert.Equal(MaskSource.Supplied, inverted.MaskSource);
        Assert.Contains(inverted.Warnings, warning => warning.Contains("invert it", StringComparison.Ordinal));
        using var right = Prepare(Flat(300, 100), Striped(150, 50, 120, 140), s_settings);
        Assert.DoesNotContain(right.Warnings, warning => warning.Contains("invert it", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_prompt_and_faces_everything_counts()
    {
        using var prepared = Prepare(Flat(300, 100), mask: null, s_settings with { MaskTargetPrompts = null });
        Assert.Equal(MaskSource.None, prepared.MaskSource);
        Assert.Equal(100, prepared.CropLeft);
        Assert.Equal(255, prepared.Mask[0, 0].PackedValue);
        Assert.Contains(prepared.Warnings, warning => warning.Contains("3.0 times as long as wide", StringComparison.Ordinal));
    }

    [Fact]
    public void The_crop_is_told_in_original_pixels_also_when_the_picture_was_shrunk()
    {
        using var prepared = Prepare(Flat(1200, 400), Striped(300, 100, 240, 280), s_settings with { MaxSourceSide = 300 });
        Assert.Equal((1200, 400), (prepared.OriginalWidth, prepared.OriginalHeight));
        Assert.Equal((800, 0, 400), (prepared.CropLeft, prepared.CropTop, prepared.CropSize));
        Assert.False(prepared.Upscaled);
    }

    [Fact]
    public void The_crop_is_told_in_original_pixels_also_when_the_picture_was_upscaled()
    {
        using var prepared = Prepare(Flat(30, 20), mask: null, s_settings with { MaskTargetPrompts = null, Resolution = 96 });
        Assert.Equal(
            (30, 20, 5, 0, 20),
            (prepared.OriginalWidth, prepared.OriginalHeight, prepared.CropLeft, prepared.CropTop, prepared.CropSize)
        );
        Assert.Equal(2, prepared.TimesUpscaled);
        Assert.Equal(96, prepared.Picture.Width);
    }

    [Fact]
    public void A_missing_model_is_named_together_with_the_command_that_fetches_it()
    {
        using var models = new VisionModels("/no/such/models", new VisionOptions());
        using var preparer = new PicturePreparer(models);
        using var picture = new MemoryStream(Flat(80, 80));
        var error = Assert.Throws<ModelFileMissingException>(() =>
            preparer.Prepare(picture, "a.png", null, s_settings with { Caption = null, MaskTargetPrompts = null })
        );
        Assert.Contains("/no/such/models/blip/", error.Message);
        Assert.Contains("./sdxl models pull", error.Message);
    }

    [Fact]
    public void What_needs_no_model_needs_no_model()
    {
        using var models = new VisionModels("/no/such/models", new VisionOptions());
        using var preparer = new PicturePreparer(models);
        using var picture = new MemoryStream(Flat(80, 80));
        using var prepared = preparer.Prepare(picture, "a.png", null, s_settings with { MaskTargetPrompts = null });
        Assert.Equal(64, prepared.Picture.Width);
    }

    [Fact]
    public void A_cancelled_preparation_stops_and_frees_its_place()
    {
        using var models = new VisionModels(TestPaths.Models, new VisionOptions { ParallelPictures = 1 });
        using var preparer = new PicturePreparer(models);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        using var picture = new MemoryStream(Flat(80, 80));
        Assert.ThrowsAny<OperationCanceledException>(() => preparer.Prepare(picture, "a.png", null, s_settings, cancelled.Token));
        picture.Position = 0;
        using var prepared = preparer.Prepare(picture, "a.png", null, s_settings);
        Assert.Equal(64, prepared.Picture.Width);
    }

    private static PreparedPicture Prepare(byte[] picture, byte[]? mask, PreparationSettings settings)
    {
        using var preparer = new PicturePreparer(Shared.Models);
        using var pictureStream = new MemoryStream(picture);
        using var maskStream = mask is null ? null : new MemoryStream(mask);
        return preparer.Prepare(pictureStream, "a.png", maskStream, settings);
    }

    private static byte[] Flat(int width, int height) => Png(PixelGrid.Flat(width, height, 3, 120));

    /// <summary>Black, white from one column to another.</summary>
    private static byte[] Striped(int width, int height, int from, int to)
    {
        var grid = new PixelGrid(width, height, 3);
        for (var y = 0; y < height; y++)
            grid.Data.AsSpan((y * width + from) * 3, (to - from) * 3).Fill(255);
        return Png(grid);
    }

    private static byte[] Png(PixelGrid grid)
    {
        using var image = grid.ToRgb();
        using var stream = new MemoryStream();
        image.SaveAsPng(stream);
        return stream.ToArray();
    }
}
