using Sdxl.Pictures;
using Sdxl.Pictures.Colours;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Webp;

namespace Sdxl.Tests.Pictures;

/// <summary>Profiles of primaries and curves are converted to sRGB in every format that carries one; others are named.</summary>
public sealed class ColourProfileTests
{
    private static byte[] Png(byte[] profile, byte[] pixels, byte colour = 2) =>
        HandPng.Of(pixels.Length / (colour == 2 ? 3 : 1), 1, 8, colour, [0, .. pixels], false,
            [.. "iCCP"u8, .. "name\0\0"u8, .. HandPng.Zlib(profile, 1)]);

    private static byte[] Converted(byte[] profile, params byte[] pixels) => Shared.Loader.Load(Png(profile, pixels), "a").Pixels.Data;

    private static void AssertNear(byte[] expected, byte[] found, int levels = 1) =>
        Assert.All(expected.Zip(found), pair => Assert.InRange(pair.Second, pair.First - levels, pair.First + levels));

    public static TheoryData<string, byte[]> SrgbInOtherWords => new()
    {
        { "function", HandProfile.Rgb(HandProfile.Srgb, HandProfile.SrgbCurve) },
        { "table", HandProfile.Rgb(HandProfile.Srgb,
            HandProfile.Table([.. Enumerable.Range(0, 1024).Select(i => (int)Math.Round(65535 * Light(i / 1023.0)))])) },
        { "five parameters", HandProfile.Rgb(HandProfile.Srgb,
            HandProfile.Function(4, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0, 0)) },
    };

    private static double Light(double value) => value <= 0.04045 ? value / 12.92 : Math.Pow((value + 0.055) / 1.055, 2.4);

    [Theory]
    [MemberData(nameof(SrgbInOtherWords))]
    public void SRGB_in_any_words_changes_no_bit(string words, byte[] profile)
    {
        _ = words;
        byte[] pixels = [.. Enumerable.Range(0, 300).Select(i => (byte)(i * 37))];
        Assert.Equal(pixels, Converted(profile, pixels));
    }

    [Fact]
    public void Gamma_is_undone()
    {
        // Light 0.5 of gamma 1 is 188 in sRGB, of gamma 1.8 from 128/255 it is 0.2892: 147.
        AssertNear([188, 188, 188, 0, 0, 0, 255, 255, 255],
            Converted(HandProfile.Rgb(HandProfile.Srgb, HandProfile.Gamma(1)), 128, 128, 128, 0, 0, 0, 255, 255, 255));
        AssertNear([147, 147, 147], Converted(HandProfile.Rgb(HandProfile.Srgb, HandProfile.Gamma(1.8)), 128, 128, 128));
        AssertNear([147, 147, 147], Converted(HandProfile.Rgb(HandProfile.Srgb, HandProfile.Function(0, 1.8)), 128, 128, 128));
        AssertNear([147, 147, 147], Converted(HandProfile.Rgb(HandProfile.Srgb, HandProfile.Function(1, 1.8, 1, 0)), 128, 128, 128));
    }

    [Fact]
    public void Primaries_in_another_order_change_places()
    {
        var swapped = HandProfile.Rgb([HandProfile.Srgb[1], HandProfile.Srgb[2], HandProfile.Srgb[0]], HandProfile.SrgbCurve);
        AssertNear([30, 10, 20, 250, 0, 128], Converted(swapped, 10, 20, 30, 0, 128, 250));
    }

    [Fact]
    public void Display_P3_agrees_with_the_published_matrices()
    {
        var p3 = HandProfile.Rgb([[0.51512, 0.24120, -0.00105], [0.29198, 0.69225, 0.04189], [0.15710, 0.06657, 0.78407]],
            HandProfile.SrgbCurve);
        // Computed with the matrices of CSS Color 4 (section 10): P3 to XYZ, XYZ to sRGB; what sRGB lacks is cut off.
        AssertNear([255, 0, 0, 215, 93, 97, 0, 183, 78, 17, 61, 208], Converted(p3, 255, 0, 0, 200, 100, 100, 60, 180, 90, 30, 60, 200));
    }

    [Fact]
    public void White_stays_white_under_primaries_that_are_not_adapted()
    {
        double[][] relativeToD65 = [[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]];
        AssertNear([255, 255, 255, 128, 128, 128],
            Converted(HandProfile.Rgb(relativeToD65, HandProfile.SrgbCurve), 255, 255, 255, 128, 128, 128), 0);
    }

    [Fact]
    public void Grey_pictures_have_grey_profiles()
    {
        var linear = HandProfile.Of("GRAY", "linear", ("kTRC", HandProfile.Gamma(1)));
        AssertNear([188, 188, 188], Shared.Loader.Load(Png(linear, [128], colour: 0), "a").Pixels.Data);
    }

    [Fact]
    public void Every_format_that_carries_a_profile_is_converted()
    {
        var swapped = HandProfile.Rgb([HandProfile.Srgb[1], HandProfile.Srgb[0], HandProfile.Srgb[2]], HandProfile.SrgbCurve);
        using var image = Samples.Rgb(16, 16);
        var plain = Samples.Encode(image, new JpegEncoder { Quality = 95 });
        var halves = new[] { swapped[..100], swapped[100..] };
        byte[] Segment(int number)
        {
            var (part, length) = (halves[number - 1], 16 + halves[number - 1].Length);
            return [0xFF, 0xE2, (byte)(length >> 8), (byte)length, .. "ICC_PROFILE\0"u8, (byte)number, 2, .. part];
        }
        byte[] jpeg = [.. plain[..2], .. Segment(2), .. Segment(1), .. plain[2..]]; // in any order
        var webp = Samples.Encode(image, new WebpEncoder { FileFormat = WebpFileFormatType.Lossless });
        byte[] withChunk = [.. webp, .. "ICCP"u8, .. BitConverter.GetBytes(swapped.Length), .. swapped, .. new byte[swapped.Length % 2]];
        BitConverter.GetBytes(withChunk.Length - 8).CopyTo(withChunk, 4);
        foreach (var (without, with) in new[] { (plain, jpeg), (webp, withChunk) })
        {
            var (expected, found) = (Shared.Loader.Load(without, "a").Pixels.Data, Shared.Loader.Load(with, "b"));
            Assert.Null(found.ColourWarning);
            AssertNear([.. expected.Chunk(3).SelectMany(p => new[] { p[1], p[0], p[2] })], found.Pixels.Data);
        }
        var tiff = HandTiff.Rgb(1, 1, 10, 20, 30);
        AssertNear([20, 10, 30], Shared.Loader.Load(tiff.Undefined(34675, swapped).Bytes(), "c").Pixels.Data);
    }

    [Fact]
    public void A_masks_numbers_are_no_colours()
    {
        var linear = HandProfile.Of("GRAY", "linear", ("kTRC", HandProfile.Gamma(1)));
        Assert.Equal([128], Shared.Loader.LoadMask(Png(linear, [128], colour: 0), "a", 16).Data);
    }

    public static TheoryData<byte[], string> Others => new()
    {
        { HandProfile.Of("CMYK", "US Web Coated (SWOP) v2", ("A2B0", [.. "mft2"u8, .. new byte[60]])),
            "'US Web Coated (SWOP) v2' is for inks (CMYK)" },
        { HandProfile.Of("RGB ", "printer", ("A2B0", [.. "mft2"u8, .. new byte[60]])), "'printer' is made of tables (LUT)" },
        { HandProfile.Of("RGB ", "half"), "'half' cannot be read" },
        { HandProfile.Of("Lab ", "lab"), "'lab' is of an unknown kind ('Lab')" },
        { HandProfile.Rgb([[0, 0, 0], [0, 0, 0], [0, 0, 0]], HandProfile.Gamma(2.2), "no light"), "'no light' cannot be read" },
        { HandProfile.Rgb(HandProfile.Srgb, HandProfile.Table([.. new int[5]])[..14], "cut"), "'cut' cannot be read" },
        { "nonsense"u8.ToArray(), " cannot be read" },
    };

    [Theory]
    [MemberData(nameof(Others))]
    public void Profiles_that_are_not_applied_are_named_and_the_picture_stays(byte[] profile, string says)
    {
        var loaded = Shared.Loader.Load(Png(profile, [1, 2, 3]), "a");
        Assert.Equal([1, 2, 3], loaded.Pixels.Data);
        Assert.Contains($"Its colour profile{(says[0] == ' ' ? "" : " ")}{says} and is not applied", loaded.ColourWarning,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_profile_of_a_JPEG_of_inks_is_named_whatever_it_holds_and_half_a_profile_is_none()
    {
        var (whole, half) = (new Sdxl.Pictures.Formats.JpegProfile(), new Sdxl.Pictures.Formats.JpegProfile());
        var profile = HandProfile.Rgb(HandProfile.Srgb, HandProfile.Gamma(1.8));
        whole.Take([.. "ICC_PROFILE\0"u8, 1, 1, .. profile]);
        half.Take([.. "ICC_PROFILE\0"u8, 1, 2, .. profile]);
        Assert.Contains("'by hand' is for inks (CMYK)", whole.Read(isCmyk: true).Warning, StringComparison.Ordinal);
        Assert.NotNull(whole.Read(isCmyk: false).Conversion);
        Assert.Contains("is incomplete", half.Read(isCmyk: false).Warning, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_turned_at_random_in_a_profile_give_a_conversion_or_a_warning_and_nothing_else()
    {
        var random = new Random(5);
        var profile = HandProfile.Rgb(HandProfile.Srgb, HandProfile.Table([.. Enumerable.Range(0, 64).Select(i => i * 1000)]));
        for (var i = 0; i < 5000; i++)
        {
            var turned = profile[..random.Next(1, profile.Length + 1)];
            for (var times = random.Next(1, 6); times > 0; times--)
                turned[random.Next(turned.Length)] = (byte)random.Next(256);
            var read = ColourProfile.Read(turned);
            Assert.True(read.Warning is null || read.Conversion is null);
        }
    }

    [Fact]
    public void A_packed_profile_of_a_gibibyte_takes_no_memory()
    {
        var bomb = HandPng.Of(1, 1, 8, 0, [0, 200], false, [.. "iCCP"u8, .. "a\0\0"u8, .. HandPng.Zlib(new byte[1 << 20], 1024)]);
        Assert.InRange(PeakMemory.Megabytes(() => Shared.Loader.Load(bomb, "a")), 0, 64);
    }
}
