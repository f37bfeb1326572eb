using System.Text.RegularExpressions;
using Sdxl.Pictures;
using Sdxl.Pictures.Formats;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Tiff.Constants;
using SixLabors.ImageSharp.Metadata.Profiles.Icc;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Tests.Pictures;

/// <summary>
/// The advisories on ImageSharp 2.1.13 (docs/security.md): each file is what its advisory speaks of, and none gets through the door.
/// </summary>
[Collection(nameof(Alone))]
public sealed partial class AdvisoryTests
{
    /// <summary>
    /// GHSA-j9gm-c75j-xc9q: re-encoding a narrow picture of 1 bit with the file's own compression writes beyond a buffer.
    /// </summary>
    [Fact]
    public void A_narrow_group_3_fax_does_not_get_in_so_that_none_is_written_again()
    {
        const int Rows = 300;
        const string EndOfLine = "000000000001",
            WhiteOne = "000111";
        var file = HandTiff
            .Grey(1, Rows, Bits(string.Concat(Enumerable.Repeat(EndOfLine + WhiteOne, Rows))))
            .Short(258, 1)
            .Short(259, 3)
            .Short(262, 0)
            .Bytes();
        Assert.Equal(TiffCompression.CcittGroup3Fax, CompressionThatImageSharpInherits(file));
        Assert.Contains("this is a fax-compressed TIFF", Refusal(file));
    }

    /// <summary>GHSA-jjfr-hcj7-qf5w: the same with group 4.</summary>
    [Fact]
    public void A_narrow_group_4_fax_does_not_get_in_so_that_none_is_written_again()
    {
        const int Rows = 300;
        const string SameAsAbove = "1",
            EndOfBlock = "000000000001000000000001";
        var file = HandTiff
            .Grey(1, Rows, Bits(string.Concat(Enumerable.Repeat(SameAsAbove, Rows)) + EndOfBlock))
            .Short(258, 1)
            .Short(259, 4)
            .Short(262, 0)
            .Bytes();
        Assert.Equal(TiffCompression.CcittGroup4Fax, CompressionThatImageSharpInherits(file));
        Assert.Contains("this is a fax-compressed TIFF", Refusal(file));
    }

    /// <summary>GHSA-wmxv-xphr-5c9g: a directory of 2^60 entries in a file of 40 bytes keeps a thread busy for years.</summary>
    [Fact]
    public void A_BigTIFF_of_endless_entries_is_refused_by_its_first_bytes()
    {
        byte[] file = [.. "II+\0"u8, 8, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, .. BitConverter.GetBytes(1L << 60), .. new byte[16]];
        Assert.Contains("this is a BigTIFF", Refusal(file));
    }

    /// <summary>
    /// GHSA-gwg2-r3hj-4w44: the colour table of an ICC profile is allocated as it claims. Profiles do not reach ImageSharp, and
    /// what reads them here takes no memory by a claim.
    /// </summary>
    [Fact]
    public void An_icc_profile_that_claims_gigabytes_stays_outside()
    {
        var profile = HostileProfile();
        using var image = Samples.Rgb(16, 16);
        image.Metadata.IccProfile = new IccProfile(profile);
        var jpeg = Samples.Encode(image, new JpegEncoder());
        var png = HandPng.Of(1, 1, 8, 0, [0, 200], false, [.. "iCCP"u8, .. "a\0\0"u8, .. HandPng.Zlib(profile, 1)]);
        foreach (var (file, name) in new[] { (jpeg, "ICC_PROFILE"), (png, "iCCP") })
        {
            Assert.Contains(name, Latin(file), StringComparison.Ordinal);
            Assert.DoesNotContain(name, Latin(Shown(file)), StringComparison.Ordinal);
            Assert.InRange(PeakMemory.Megabytes(() => Shared.Loader.Load(file, "a")), 0, 16);
        }
    }

    /// <summary>
    /// GHSA-j3p4-wp97-rph4: histogram equalization takes a brightness outside 0..1 as an index. Such a brightness comes from numbers of
    /// floating point.
    /// </summary>
    [Fact]
    public void A_tiff_of_floating_point_brighter_than_white_is_refused()
    {
        var file = HandTiff.Grey(1, 1, BitConverter.GetBytes(1e6f)).Short(258, 32).Short(339, 3).Bytes();
        using (var seen = Image.Load<RgbaVector>(file))         // a good file as far as ImageSharp is concerned
            Assert.Equal(1, seen[0, 0].R);
        Assert.Contains("this is a TIFF of 32 bits a channel", Refusal(file));
    }

    /// <summary>What the five advisories need beside a file, and every other door than this room's.</summary>
    [Fact]
    public void No_room_opens_pictures_past_the_door_or_calls_what_the_advisories_name()
    {
        string[] rooms = ["core", "pictures", "diffusion", "vision", "functions", "gpu-worker", "local", "cli"];
        var found = rooms
            .SelectMany(room => Directory.EnumerateFiles(Path.Combine(TestPaths.Root, room), "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .SelectMany(file =>
                Forbidden().Matches(File.ReadAllText(file)).Select(match => $"{Path.GetRelativePath(TestPaths.Root, file)}: {match.Value}")
            );
        Assert.Empty(found);
        Assert.Matches(Forbidden(), "using var image = Image.Load<Rgb24>(bytes);");
    }

    [GeneratedRegex(
        @"\bImage\.(Load|LoadAsync|Identify|IdentifyAsync|DetectFormat)\b(?!PixelData)|TiffEncoder|SaveAsTiff|HistogramEqualization|IccProfile"
    )]
    private static partial Regex Forbidden();

    private static TiffCompression? CompressionThatImageSharpInherits(byte[] file)
    {
        using var image = Image.Load<Rgb24>(file);
        return image.Frames.RootFrame.Metadata.GetTiffMetadata().Compression;
    }

    /// <summary>A lookup table of 15 channels with 255 grid points each. Source: ICC.1:2010, section 10.8.</summary>
    private static byte[] HostileProfile()
    {
        var profile = new byte[128 + 4 + 12 + 60];
        profile[3] = (byte)profile.Length;
        "acsp"u8.CopyTo(profile.AsSpan(36));
        profile[131] = 1;
        "A2B0"u8.CopyTo(profile.AsSpan(132));
        (profile[139], profile[143]) = (144, 60);
        "mft1"u8.CopyTo(profile.AsSpan(144));
        (profile[152], profile[153], profile[154]) = (15, 15, 255);
        return profile;
    }

    private static byte[] Shown(byte[] file)
    {
        using var stream = new MemoryStream();
        PictureStructure.Of(file, new PictureLimits()).Parts.OpenRead().CopyTo(stream);
        return stream.ToArray();
    }

    private static string Latin(byte[] bytes) => System.Text.Encoding.Latin1.GetString(bytes);

    private static byte[] Bits(string bits) =>
        [.. bits.PadRight((bits.Length + 7) / 8 * 8, '0').Chunk(8).Select(eight => Convert.ToByte(new string(eight), 2))];

    private static string Refusal(byte[] file) => Assert.Throws<PictureRefusedException>(() => Shared.Loader.Load(file, "a")).Message;
}
