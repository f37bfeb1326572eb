using System.Buffers.Binary;
using Sdxl.Vision;
using Sdxl.Pictures;

namespace Sdxl.Tests.Pictures;

/// <summary>What decoders do not tell: cut off files, further frames and pages, a TIFF's orientation.</summary>
public sealed class PictureStructureTests
{
    private static readonly byte[] s_gifHead = Convert.FromHexString("47494638396101000100800000000000FFFFFF"), s_gifFrame = Convert.FromHexString("2C0000000001000100000202440100");

    [Fact]
    public void Of_an_animation_and_of_a_document_the_first_is_used_and_that_is_said()
    {
        Assert.Equal(3, Load([.. s_gifHead, .. s_gifFrame, .. s_gifFrame, .. s_gifFrame, 0x3B]).Frames);
        Assert.Equal(1, Load([.. s_gifHead, .. s_gifFrame, 0x3B]).Frames);
        var document = Tiff(4, 2, 1, pages: 10);
        Assert.Equal(10, Load(document).Frames);
        using var preparer = new PicturePreparer(Shared.Models);
        using var stream = new MemoryStream(document);
        using var prepared = preparer.Prepare(stream, "scan.tiff", null, new PreparationSettings { Resolution = 2, Caption = "given" });
        Assert.Contains("It holds 10 pictures (frames or pages); only the first is used.", prepared.Warnings);
    }

    /// <summary>The first row is red, the others are blue: where the red row lies tells the orientation.</summary>
    [Theory]
    [InlineData(1, 4, 2, 0, 0)]
    [InlineData(3, 4, 2, 3, 1)]
    [InlineData(6, 2, 4, 1, 0)]
    [InlineData(8, 2, 4, 0, 3)]
    public void A_tiff_comes_out_upright(int orientation, int width, int height, int redX, int redY)
    {
        var loaded = Load(Tiff(4, 2, orientation, pages: 1));
        Assert.Equal((width, height), (loaded.Width, loaded.Height));
        Assert.Equal((width, height), (loaded.Pixels.Width, loaded.Pixels.Height));
        Assert.Equal([255, 0, 0], loaded.Pixels.Data.AsSpan((redY * width + redX) * 3, 3).ToArray());
        Assert.Equal([0, 0, 255], loaded.Pixels.Data.AsSpan(((height - 1 - redY) * width + width - 1 - redX) * 3, 3).ToArray());
    }

    [Fact]
    public void Gif_tiff_and_bmp_that_are_cut_off_are_refused()
    {
        foreach (var file in new[] { [.. s_gifHead, .. s_gifFrame], Tiff(4, 2, 1, pages: 1), Bmp() })
        {
            Load(file);
            for (var length = 0; length < file.Length; length++)
                Assert.Throws<PictureRefusedException>(() => Load(file[..length]));
        }
    }

    [Fact]
    public void A_tiff_whose_directories_lead_in_a_circle_is_refused()
    {
        var file = Tiff(4, 2, 1, pages: 2);
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

    /// <summary>Uncompressed red green blue; all pages alike, data after the directories.</summary>
    private static byte[] Tiff(int width, int height, int orientation, int pages)
    {
        const int Entries = 10, DirectoryBytes = 2 + Entries * 12 + 4 + 6;
        var pixels = Enumerable.Range(0, width * height).SelectMany(i => i < width ? new byte[] { 255, 0, 0 } : [0, 0, 255]).ToArray();
        var dataAt = 8 + pages * DirectoryBytes;
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("II*\0"u8);
        writer.Write(8);
        for (var page = 0; page < pages; page++)
        {
            var at = 8 + page * DirectoryBytes;
            writer.Write((short)Entries);
            Entry(256, 3, 1, width);
            Entry(257, 3, 1, height);
            Entry(258, 3, 3, at + DirectoryBytes - 6);
            Entry(259, 3, 1, 1);
            Entry(262, 3, 1, 2);
            Entry(273, 4, 1, dataAt);
            Entry(274, 3, 1, orientation);
            Entry(277, 3, 1, 3);
            Entry(278, 3, 1, height);
            Entry(279, 4, 1, pixels.Length);
            writer.Write(page + 1 < pages ? at + DirectoryBytes : 0);
            writer.Write((short)8);
            writer.Write((short)8);
            writer.Write((short)8);
        }
        writer.Write(pixels);
        return stream.ToArray();

        void Entry(short tag, short type, int count, int value)
        {
            writer.Write(tag);
            writer.Write(type);
            writer.Write(count);
            writer.Write(value);
        }
    }

    private static byte[] Bmp()
    {
        var image = PixelGrid.Flat(3, 2, 3, 100);
        byte[] header = [(byte)'B', (byte)'M', 0, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 24, 0, .. new byte[24]];
        byte[] file = [.. header, .. image.Data[..9], 0, 0, 0, .. image.Data[..9], 0, 0, 0];
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(2), file.Length);
        return file;
    }
}
