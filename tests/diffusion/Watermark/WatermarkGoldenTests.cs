using System.Text.Json;
using Sdxl.Diffusion.Watermark;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Diffusion.Tests.Watermark;

public sealed class WatermarkGoldenTests
{
    private static readonly JsonElement s_golden = JsonSerializer.Deserialize<JsonElement>(
        File.ReadAllBytes(TestPaths.Golden("watermark", "watermark.json"))
    );

    public static TheoryData<int> Cases => new(Enumerable.Range(0, s_golden.GetProperty("cases").GetArrayLength()));

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_mark_is_read_from_the_golden_pictures_as_the_published_decoder_reads_it(int index)
    {
        foreach (var read in s_golden.GetProperty("cases")[index].GetProperty("read_back").EnumerateObject())
        {
            var (rgb, width, height) = Load(read.Name);
            Assert.Equal(read.Value.GetString(), InvisibleWatermark.Read(rgb, width, height));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_marked_picture_differs_from_the_golden_mark_by_rounding_only(int index)
    {
        var one = s_golden.GetProperty("cases")[index];
        var (rgb, width, height) = Load(one.GetProperty("plain").GetString()!);
        InvisibleWatermark.Apply(rgb, width, height);
        Assert.Equal(s_golden.GetProperty("bits").GetString(), InvisibleWatermark.Read(rgb, width, height));
        var (golden, _, _) = Load(one.GetProperty("marked").GetString()!);
        var apart = golden.Zip(rgb, (a, b) => Math.Abs(a - b)).ToList();
        Assert.True(
            apart.Count(d => d > 1) == 0,
            $"{apart.Count(d => d > 1)} of {apart.Count} bytes differ by more than one level, the most by {apart.Max()}"
        );
    }

    [Theory]
    [InlineData(230, 40, 30)]
    [InlineData(250, 240, 10)]
    [InlineData(10, 20, 240)]
    [InlineData(20, 200, 60)]
    [InlineData(200, 30, 220)]
    public void The_mark_stays_readable_on_strongly_coloured_pictures(int r, int g, int b)
    {
        const int side = 320;
        var random = new Random(r * 65536 + g * 256 + b);
        var rgb = new byte[side * side * 3];
        for (var i = 0; i < rgb.Length; i += 3)
        {
            // The colour, shaded along the picture and with grain, and stripes of a second strong colour.
            var shade = 0.55 + 0.45 * Math.Sin(i / 3 % side / 40.0);
            var stripe = i / 3 / side / 24 % 2 == 0;
            rgb[i] = Level(stripe ? r : b, shade, random);
            rgb[i + 1] = Level(g, shade, random);
            rgb[i + 2] = Level(stripe ? b : r, shade, random);
        }
        var before = rgb.ToArray();
        InvisibleWatermark.Apply(rgb, side, side);
        Assert.Equal(InvisibleWatermark.Bits, InvisibleWatermark.Read(rgb, side, side));
        Assert.True(before.Zip(rgb, (x, y) => Math.Abs(x - y)).Average() < 4, "the mark is not invisible");
    }

    [Fact]
    public void A_narrow_picture_stays_unmarked()
    {
        var rgb = new byte[255 * 300 * 3];
        InvisibleWatermark.Apply(rgb, 255, 300);
        Assert.All(rgb, level => Assert.Equal(0, level));
    }

    private static byte Level(int full, double shade, Random random) => (byte)Math.Clamp(full * shade + random.Next(-12, 13), 0, 255);

    private static (byte[] Rgb, int Width, int Height) Load(string file)
    {
        using var image = Image.Load<Rgb24>(TestPaths.Golden("watermark", file));
        var rgb = new byte[image.Width * image.Height * 3];
        image.CopyPixelDataTo(rgb);
        return (rgb, image.Width, image.Height);
    }
}
