using System.Text;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Tests.Pictures;

/// <summary>All eight orientations in every format that has them, in every spelling of EXIF's number.</summary>
public sealed class OrientationTests
{
    private const int Side = 16; // pixels of each coloured square: JPEG's blocks

    // The stored picture is three squares wide and two high: red at the top left, blue beside it, the rest green.
    private static readonly Rgb24 s_red = new(255, 0, 0), s_blue = new(0, 0, 255), s_green = new(0, 255, 0);

    /// <summary>Where red and blue come out, in squares. Source: EXIF 2.32, tag 274: which side row 0 and column 0 are.</summary>
    private static readonly ((int X, int Y) Red, (int X, int Y) Blue)[] s_upright =
    [
        ((0, 0), (1, 0)), ((2, 0), (1, 0)), ((2, 1), (1, 1)), ((0, 1), (1, 1)), ((0, 0), (0, 1)), ((1, 0), (1, 1)), ((1, 2), (1, 1)),
            ((0, 2), (0, 1)),
    ];

    public static TheoryData<string, bool, bool> Cases
    {
        get
        {
            var cases = new TheoryData<string, bool, bool>();
            foreach (var format in new[] { "jpeg", "webp", "webp, prefixed", "png eXIf", "png eXIf, prefixed", "png tEXt", "png zTXt",
                "png iTXt", "png APP1 text", "tiff" })
            {
                foreach (var bigEndian in new[] { false, true })
                {
                    cases.Add(format, bigEndian, false);
                    cases.Add(format, bigEndian, true);
                }
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_orientation_comes_out_upright(string format, bool bigEndian, bool asLong)
    {
        using var image = new Image<Rgb24>(3 * Side, 2 * Side, s_green);
        image.ProcessPixelRows(rows =>
        {
            for (var y = 0; y < Side; y++)
            {
                rows.GetRowSpan(y)[..Side].Fill(s_red);
                rows.GetRowSpan(y)[Side..(2 * Side)].Fill(s_blue);
            }
        });
        for (var orientation = 1; orientation <= 8; orientation++)
        {
            var loaded = Shared.Loader.Load(File(image, format, bigEndian, asLong, orientation), "a");
            Assert.Equal(orientation >= 5 ? (2 * Side, 3 * Side) : (3 * Side, 2 * Side), (loaded.Width, loaded.Height));
            var (red, blue) = s_upright[orientation - 1];
            for (var y = 0; y < loaded.Height / Side; y++)
            {
                for (var x = 0; x < loaded.Width / Side; x++)
                {
                    var at = 3 * ((y * Side + Side / 2) * loaded.Width + x * Side + Side / 2);
                    var strongest = loaded.Pixels.Data.AsSpan(at, 3) is var pixel && pixel[0] > 200 ? s_red : pixel[2] > 200 ? s_blue
                        : s_green;
                    Assert.Equal((orientation, (x, y) == red ? s_red : (x, y) == blue ? s_blue : s_green), (orientation, strongest));
                }
            }
        }
    }

    /// <summary>A block of one entry.</summary>
    private static byte[] Exif(bool bigEndian, bool asLong, int orientation)
    {
        byte[] Number(int bytes, int value) =>
            [.. Enumerable.Range(0, bytes).Select(i => (byte)(value >> 8 * (bigEndian ? bytes - 1 - i : i)))];
        byte[] value = asLong ? Number(4, orientation) : [.. Number(2, orientation), 0, 0];
        return [.. bigEndian ? "MM\0*"u8 : "II*\0"u8, .. Number(4, 8), .. Number(2, 1), .. Number(2, 274), .. Number(2, asLong ? 4 : 3),
            .. Number(4, 1), .. value, 0, 0, 0, 0];
    }

    private static byte[] File(Image<Rgb24> image, string format, bool bigEndian, bool asLong, int orientation)
    {
        var exif = Exif(bigEndian, asLong, orientation);
        byte[] prefixed = [.. "Exif\0\0"u8, .. exif];
        switch (format)
        {
            case "jpeg":
                var jpeg = Samples.Encode(image, new JpegEncoder { Quality = 100 });
                return [.. jpeg[..2], 0xFF, 0xE1, 0, (byte)(2 + prefixed.Length), .. prefixed, .. jpeg[2..]];
            case "webp" or "webp, prefixed":
                var block = format == "webp" ? exif : prefixed;
                byte[] webp = [.. Samples.Encode(image, new WebpEncoder { FileFormat = WebpFileFormatType.Lossless }), .. "EXIF"u8,
                    .. BitConverter.GetBytes(block.Length), .. block];
                BitConverter.GetBytes(webp.Length - 8).CopyTo(webp, 4);
                return webp;
            case "tiff":
                var tiff = new HandTiff(bigEndian).Short(256, image.Width).Short(257, image.Height).Short(258, 8, 8, 8).Short(259,
                    1).Short(262, 2).Short(277, 3)
                    .Short(278, image.Height).Strip(Pixels(image));
                return (asLong ? tiff.Long(274, orientation) : tiff.Short(274, orientation)).Bytes();
        }
        var rows = Pixels(image).Chunk(3 * image.Width).SelectMany(row => row.Prepend((byte)0)).ToArray();
        return HandPng.Of(image.Width, image.Height, 8, 2, rows, false, format switch
        {
            "png eXIf" => [.. "eXIf"u8, .. exif],
            "png eXIf, prefixed" => [.. "eXIf"u8, .. prefixed],
            "png tEXt" => [.. "tEXtRaw profile type exif\0"u8, .. Raw("exif", exif)],
            "png zTXt" => [.. "zTXtRaw profile type exif\0\0"u8, .. HandPng.Zlib(Raw("exif", prefixed), 1)],
            "png iTXt" => [.. "iTXtRaw profile type exif\0\u0001\0\0\0"u8, .. HandPng.Zlib(Raw("exif", exif), 1)],
            _ => [.. "tEXtRaw profile type APP1\0"u8, .. Raw("generic profile", prefixed)],
        });
    }

    /// <summary>As ImageMagick writes it: lines of 72 digits.</summary>
    private static byte[] Raw(string name, byte[] bytes) => Encoding.ASCII.GetBytes(
        $"\n{name}\n{bytes.Length,8}\n{string.Concat(Convert.ToHexStringLower(bytes).Chunk(72).Select(line => new string(line) + "\n"))}");

    private static byte[] Pixels(Image<Rgb24> image)
    {
        var pixels = new byte[3 * image.Width * image.Height];
        image.CopyPixelDataTo(pixels);
        return pixels;
    }
}
