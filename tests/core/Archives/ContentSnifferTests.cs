using System.Text;
using Sdxl.Core.Archives;

namespace Sdxl.Tests.Core.Archives;

public sealed class ContentSnifferTests
{
    [Theory]
    [InlineData("heic", "mif1 heic", ContentKind.Heic)]
    [InlineData("heix", "", ContentKind.Heic)]
    [InlineData("mif1", "mif1 heic miaf", ContentKind.Heic)]
    [InlineData("avif", "avif mif1 miaf", ContentKind.Avif)]
    [InlineData("mif1", "avif miaf", ContentKind.Avif)]
    [InlineData("mif1", "miaf MA1B avif", ContentKind.Avif)]
    [InlineData("msf1", "avis", ContentKind.Avif)]
    [InlineData("mif1", "miaf", ContentKind.Heic)]
    [InlineData("crx ", "crx isom", ContentKind.CameraRaw)]
    [InlineData("isom", "iso2 avc1 mp41", ContentKind.Video)]
    [InlineData("qt  ", "qt", ContentKind.Video)]
    public void Phones_pictures_are_told_by_all_their_brands(string major, string compatible, ContentKind expected)
    {
        var brands = compatible.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(brand => Encoding.ASCII.GetBytes(brand.PadRight(4))).ToArray();
        byte[] head = [0, 0, 0, (byte)(16 + brands.Length), .. "ftyp"u8, .. Encoding.ASCII.GetBytes(major), 0, 0, 0, 0, .. brands, 0, 0, 0,
            8, .. "mdat"u8];
        Assert.Equal(expected, ContentSniffer.Tell(head));
    }

    [Fact]
    public void Where_no_brand_tells_the_coding_does()
    {
        byte[] head = [0, 0, 0, 20, .. "ftypmif1"u8, 0, 0, 0, 0, .. "miaf"u8, 0, 0, 0, 40, .. "meta"u8, 0, 0, 0, 0, .. "infe"u8, 2, 0, 0,
            0, 0, 1, 0, 0, .. "av01"u8];
        Assert.Equal(ContentKind.Avif, ContentSniffer.Tell(head));
    }
}
