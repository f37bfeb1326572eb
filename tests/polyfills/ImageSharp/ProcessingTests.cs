using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;

namespace Sdxl.Tests.Polyfills;

public sealed class ProcessingTests
{
    [Theory]
    [InlineData(ResizeMode.Crop, 50, 50, 50, 50)]
    [InlineData(ResizeMode.Pad, 50, 50, 50, 50)]
    [InlineData(ResizeMode.BoxPad, 300, 200, 300, 200)]
    [InlineData(ResizeMode.Max, 50, 50, 50, 25)]
    [InlineData(ResizeMode.Min, 50, 40, 80, 40)]
    [InlineData(ResizeMode.Min, 500, 400, 100, 50)]
    [InlineData(ResizeMode.Stretch, 30, 70, 30, 70)]
    [InlineData(ResizeMode.Crop, 40, 0, 40, 20)]
    public void A_mode_gives_its_size(ResizeMode mode, int width, int height, int expectedWidth, int expectedHeight)
    {
        using var image = Pictures.Sample(100, 50);
        using var resized = image.Clone(picture => picture.Resize(new ResizeOptions { Mode = mode, Size = new Size(width, height) }));
        Assert.Equal(new Size(expectedWidth, expectedHeight), resized.Size);
        Assert.Equal(new Size(100, 50), image.Size);
    }

    [Fact]
    public void Crop_mode_keeps_the_middle_and_anchors_move_it()
    {
        using var image = new Image<L8>(90, 30, new L8(0));
        for (var y = 0; y < 30; y++)
        {
            for (var x = 0; x < 90; x++)
                image[x, y] = new L8((byte)(x / 30 * 100));
        }
        byte Middle(AnchorPositionMode position)
        {
            using var cropped = image.Clone(picture => picture.Resize(new ResizeOptions { Size = new Size(30, 30), Position = position }));
            return cropped[15, 15].PackedValue;
        }
        Assert.Equal(100, Middle(AnchorPositionMode.Center));
        Assert.Equal(0, Middle(AnchorPositionMode.Left));
        Assert.Equal(200, Middle(AnchorPositionMode.Right));
    }

    [Fact]
    public void Padding_has_its_colour_and_the_picture_stands_in_the_middle()
    {
        using var image = new Image<Rgb24>(10, 10, new Rgb24(1, 2, 3));
        image.Mutate(picture => picture.Pad(20, 14, Color.White));
        Assert.Equal(new Size(20, 14), image.Size);
        Assert.Equal(new Rgb24(255, 255, 255), image[0, 0]);
        Assert.Equal(new Rgb24(255, 255, 255), image[4, 7]);
        Assert.Equal(new Rgb24(1, 2, 3), image[5, 2]);
        Assert.Equal(new Rgb24(1, 2, 3), image[14, 11]);
    }

    [Fact]
    public void Resizing_to_the_same_size_changes_nothing()
    {
        using var image = Pictures.Sample(33, 21);
        using var same = image.Clone(picture => picture.Resize(33, 21));
        Assert.All(Pictures.MeanDifference(image, same), difference => Assert.Equal(0, difference));
    }

    [Fact]
    public void Transparent_pixels_lend_no_colour_when_shrinking()
    {
        using var image = new Image<Rgba32>(64, 64, new Rgba32(255, 0, 0, 0));
        for (var y = 0; y < 64; y++)
        {
            for (var x = 0; x < 32; x++)
                image[x, y] = new Rgba32(0, 0, 255, 255);
        }
        image.Mutate(picture => picture.Resize(7, 7));
        for (var x = 0; x < 7; x++)
            Assert.True(image[x, 3].A == 0 || image[x, 3].R == 0, $"pixel {x} is {image[x, 3]}: red of transparent pixels came in.");
    }

    [Fact]
    public void Quarter_turns_go_clockwise()
    {
        using var image = new Image<L8>(3, 2);
        image[0, 0] = new L8(9);
        using var right = image.Clone(picture => picture.Rotate(RotateMode.Rotate90));
        using var half = image.Clone(picture => picture.Rotate(RotateMode.Rotate180));
        using var left = image.Clone(picture => picture.RotateFlip(RotateMode.Rotate270, FlipMode.None));
        Assert.Equal((new Size(2, 3), (byte)9), (right.Size, right[1, 0].PackedValue));
        Assert.Equal((byte)9, half[2, 1].PackedValue);
        Assert.Equal((byte)9, left[0, 2].PackedValue);
    }

    [Fact]
    public void Flips_mirror()
    {
        using var image = new Image<L8>(3, 3);
        image[0, 0] = new L8(9);
        image.Mutate(picture => picture.Flip(FlipMode.Horizontal).Flip(FlipMode.Vertical));
        Assert.Equal(9, image[2, 2].PackedValue);
        Assert.Equal(0, image[0, 0].PackedValue);
    }

    [Fact]
    public void Crop_keeps_the_rectangle_and_refuses_one_that_reaches_over()
    {
        using var image = Pictures.Sample(40, 30);
        var expected = image[12, 9];
        Assert.Throws<ArgumentException>(() => image.Mutate(picture => picture.Crop(new Rectangle(30, 0, 11, 5))));
        image.Mutate(picture => picture.Crop(new Rectangle(10, 5, 20, 20)));
        Assert.Equal(expected, image[2, 4]);
    }

    [Fact]
    public void A_background_shows_through_transparency()
    {
        using var image = new Image<Rgba32>(2, 1);
        image[0, 0] = new Rgba32(0, 0, 0, 0);
        image[1, 0] = new Rgba32(255, 0, 0, 128);
        image.Mutate(picture => picture.BackgroundColor(Color.White));
        Assert.Equal(new Rgba32(255, 255, 255, 255), image[0, 0]);
        Assert.Equal(new Rgba32(255, 127, 127, 255), image[1, 0]);
    }

    [Fact]
    public void Drawing_clips_at_the_edges_and_weighs_by_opacity()
    {
        using var image = new Image<Rgb24>(10, 10, new Rgb24(100, 100, 100));
        using var stamp = new Image<Rgb24>(6, 6, new Rgb24(200, 0, 100));
        image.Mutate(picture => picture.DrawImage(stamp, new Point(-3, 7), 0.5F));
        Assert.Equal(new Rgb24(150, 50, 100), image[2, 9]);
        Assert.Equal(new Rgb24(100, 100, 100), image[3, 9]);
        Assert.Equal(new Rgb24(100, 100, 100), image[0, 6]);
    }

    [Fact]
    public void Grey_is_the_weighted_sum()
    {
        using var image = new Image<Rgb24>(1, 1, new Rgb24(200, 100, 50));
        image.Mutate(picture => picture.Grayscale());
        Assert.Equal(new Rgb24(118, 118, 118), image[0, 0]); // .2126 * 200 + .7152 * 100 + .0722 * 50 = 117.65
    }

    [Fact]
    public void A_blur_spreads_a_point_as_a_Gaussian_and_keeps_flat_areas()
    {
        using var image = new Image<L16>(41, 41);
        image[20, 20] = new L16(65535);
        image.Mutate(picture => picture.GaussianBlur(2F));
        Assert.InRange(image[20, 20].PackedValue / 65535.0, 0.0380, 0.0415); // 1 / (2 pi sigma^2) = 0.0398
        Assert.InRange(image[22, 20].PackedValue / (double)image[20, 20].PackedValue, 0.59, 0.62); // exp(-1/2) = 0.607
        using var flat = new Image<Rgb24>(9, 9, new Rgb24(7, 8, 9));
        flat.Mutate(picture => picture.GaussianBlur(1.5F));
        Assert.Equal(new Rgb24(7, 8, 9), flat[0, 0]);
    }

    [Fact]
    public void A_target_size_fits_the_box_and_a_jpeg_is_scaled_while_it_is_decoded()
    {
        using var large = Pictures.Sample(1600, 1200);
        using var file = new MemoryStream();
        large.SaveAsJpeg(file, new JpegEncoder { Quality = 95 });
        using var small = Image.Load<Rgb24>(new DecoderOptions { TargetSize = new Size(300, 290) }, file.ToArray());
        Assert.Equal(new Size(300, 225), small.Size);
        large.Mutate(picture => picture.Resize(300, 225, KnownResamplers.Box));
        Assert.All(Pictures.MeanDifference(large, small), difference => Assert.InRange(difference, 0, 3));
    }

    /// <remarks>The real library resizes only where both sides differ from the target's: its 1/4 of 1600 x 1200 has the target's height.</remarks>
    [Fact]
    public void A_target_size_of_which_the_scaled_jpeg_has_one_side_is_kept_as_it_is()
    {
        using var large = Pictures.Sample(1600, 1200);
        using var file = new MemoryStream();
        large.SaveAsJpeg(file);
        using var small = Image.Load<Rgb24>(new DecoderOptions { TargetSize = new Size(300, 300) }, file.ToArray());
        Assert.Equal(new Size(400, 300), small.Size);
    }

    [Fact]
    public void Pixels_outside_are_refused_and_disposed_images_say_so()
    {
        var image = new Image<Rgb24>(2, 3);
        Assert.Throws<ArgumentOutOfRangeException>(() => image[2, 0]);
        Assert.Throws<ArgumentOutOfRangeException>(() => image[0, -1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => image.ProcessPixelRows(rows => rows.GetRowSpan(3)));
        image.Dispose();
        image.Dispose();
        Assert.Throws<ObjectDisposedException>(() => image[0, 0]);
        Assert.Throws<ObjectDisposedException>(() => image.Clone());
        Assert.Throws<ObjectDisposedException>(() => image.Mutate(picture => picture.Grayscale()));
    }

    [Fact]
    public void Conversions_between_pixel_types_round_to_the_nearest()
    {
        Rgba32 colour = default;
        colour.FromRgba64(new Rgba64(128, 129, 65535, 257));
        Assert.Equal(new Rgba32(0, 1, 255, 1), colour);
        L8 grey = default;
        grey.FromRgb24(new Rgb24(10, 20, 30));
        Assert.Equal(19, grey.PackedValue); // 18.6
        Assert.Equal(new Rgb24(1, 2, 3), Color.FromPixel(new Rgb24(1, 2, 3)).ToPixel<Rgb24>());
    }

    [Fact]
    public void A_failed_operation_in_Clone_leaves_the_source_usable()
    {
        using var image = Pictures.Sample(8, 8);
        Assert.Throws<ArgumentException>(() => image.Clone(picture => picture.Grayscale().Crop(9, 9)));
        Assert.Equal(new Rgb24(0, 0, 30), image[0, 0]);
    }
}
