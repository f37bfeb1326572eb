using System.Buffers.Binary;
using Sdxl.Pictures;

namespace Sdxl.Tests.Pictures;

/// <summary>What decoders do not tell: cut off files, further frames and pages, a TIFF's orientation.</summary>
public sealed class PictureStructureTests
{
    private static readonly byte[] s_gifHead = Convert.FromHexString("47494638396101000100800000000000FFFFFF"),
        s_gifFrame = Convert.FromHexString("2C0000000001000100000202440100");

    [Fact]
    public void Of_an_animation_and_of_a_document_the_first_is_used_and_all_are_counted()
    {
        Assert.Equal(3, Load([.. s_gifHead, .. s_gifFrame, .. s_gifFrame, .. s_gifFrame, 0x3B]).Frames);
        Assert.Equal(1, Load([.. s_gifHead, .. s_gifFrame, 0x3B]).Frames);
        Assert.Equal(10, Load(LargePictures.SmallTiff(4, 2, 1, pages: 10)).Frames);
    }

    /// <summary>The first row is red, the others are blue: where the red row lies tells the orientation.</summary>
    [Theory]
    [InlineData(1, 4, 2, 0, 0)]
    [InlineData(3, 4, 2, 3, 1)]
    [InlineData(6, 2, 4, 1, 0)]
    [InlineData(8, 2, 4, 0, 3)]
    public void A_tiff_comes_out_upright(int orientation, int width, int height, int redX, int redY)
    {
        var loaded = Load(LargePictures.SmallTiff(4, 2, orientation, pages: 1));
        Assert.Equal((width, height), (loaded.Width, loaded.Height));
        Assert.Equal((width, height), (loaded.Pixels.Width, loaded.Pixels.Height));
        Assert.Equal([255, 0, 0], loaded.Pixels.Data.AsSpan((redY * width + redX) * 3, 3).ToArray());
        Assert.Equal([0, 0, 255], loaded.Pixels.Data.AsSpan(((height - 1 - redY) * width + width - 1 - redX) * 3, 3).ToArray());
    }

    [Fact]
    public void Gif_tiff_and_bmp_that_are_cut_off_are_refused()
    {
        foreach (var file in new[] { [.. s_gifHead, .. s_gifFrame], LargePictures.SmallTiff(4, 2, 1, pages: 1), Bmp() })
        {
            Load(file);
            for (var length = 0; length < file.Length; length++)
                Assert.Throws<PictureRefusedException>(() => Load(file[..length]));
        }
    }

    [Fact]
    public void A_tiff_whose_directories_lead_in_a_circle_is_refused()
    {
        var file = LargePictures.SmallTiff(4, 2, 1, pages: 2);
        // The last directory's link leads back to the first.
        var first = BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(4));
        var second = BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan((int)first + 2 + 10 * 12));
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan((int)second + 2 + 10 * 12), first);
        var refusal = Assert.Throws<PictureRefusedException>(() => Load(file));
        Assert.Contains("circular directory offsets", refusal.Message, StringComparison.Ordinal);
    }

    private static LoadedPicture Load(byte[] file)
    {
        using var stream = new MemoryStream(file);
        return Shared.Loader.Load(stream, "a");
    }

    private static byte[] Bmp()
    {
        var image = PixelGrid.Flat(3, 2, 3, 100);
        byte[] header =
        [
            (byte)'B',
            (byte)'M',
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            54,
            0,
            0,
            0,
            40,
            0,
            0,
            0,
            3,
            0,
            0,
            0,
            2,
            0,
            0,
            0,
            1,
            0,
            24,
            0,
            .. new byte[24],
        ];
        byte[] file = [.. header, .. image.Data[..9], 0, 0, 0, .. image.Data[..9], 0, 0, 0];
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(2), file.Length);
        return file;
    }
}
