using System.Buffers.Binary;
using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using Sdxl.Core.Archives;
using static Sdxl.Tests.Core.Archives.TestArchives;

namespace Sdxl.Tests.Core.Archives;

/// <summary>One bad archive, one clear sentence.</summary>
public sealed class HostileArchiveTests
{
    public static TheoryData<string, byte[], string> NoArchives => new()
    {
        { "empty", [], "is an empty file (0 bytes)" },
        { "png", Png, "not an archive but a PNG picture" },
        { "jpeg", Jpeg, "not an archive but a JPEG picture" },
        { "pdf", "%PDF-1.7\n"u8.ToArray(), "not an archive but a PDF document" },
        { "html", "<!DOCTYPE html><html>"u8.ToArray(), "an HTML page, which is what a download link often gives" },
        { "rar", [.. "Rar!"u8, 0x1A, 0x07, 0x01, 0x00], "is a RAR archive, which is not read here" },
        { "7z", [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C, 0, 4], "is a 7z archive, which is not read here" },
        { "bzip2", "BZh91AY&SY"u8.ToArray(), "is a bzip2 file, which is not read here" },
        { "text", "hello\n"u8.ToArray(), "not an archive but plain text" },
        { "noise", [0, 1, 2, 3, 4], "not an archive that can be read" },
        { "gzip of text", Gzip("hello"u8.ToArray()).ToArray(), "is a gzip of plain text, not of a tar" },
    };

    [Theory]
    [MemberData(nameof(NoArchives))]
    public void What_is_no_archive_is_named_for_what_it_is(string what, byte[] bytes, string sentence)
    {
        var refused = Refuse(new MemoryStream(bytes));
        Assert.Equal(ArchiveRefusal.NotAnArchive, refused.Refusal);
        Assert.Contains(sentence, refused.Message, StringComparison.Ordinal);
        Assert.NotEmpty(what);
    }

    [Fact]
    public void Empty_archives_are_refused_whatever_their_format()
    {
        Assert.Equal(ArchiveRefusal.Empty, Refuse(Zip(Array.Empty<string>())).Refusal);
        Assert.Equal(ArchiveRefusal.Empty, Refuse(new MemoryStream(new byte[10240])).Refusal);
        Assert.Equal(ArchiveRefusal.Empty, Refuse(Gzip(new byte[10240])).Refusal);
    }

    [Fact]
    public void An_archive_without_pictures_says_what_it_holds()
    {
        var refused = Refuse(Zip(("read me.md", "hello"u8.ToArray()), ("b.jpg", "<html>no</html>"u8.ToArray())));
        Assert.Equal(ArchiveRefusal.NoPictures, refused.Refusal);
        Assert.Contains("only 2 other files such as 'b.jpg' (an HTML page)", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_archive_with_only_heic_pictures_says_what_to_do()
    {
        var refused = Refuse(Zip(("IMG_1.HEIC", Heic)));
        Assert.Equal(ArchiveRefusal.NoPictures, refused.Refusal);
        Assert.Contains("'IMG_1.HEIC' is a HEIC picture; save the pictures as JPEG or PNG", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_archive_with_only_rubbish_is_refused() =>
        Assert.Equal(ArchiveRefusal.NoPictures, Refuse(Zip("__MACOSX/._a.png", ".DS_Store", "Thumbs.db")).Refusal);

    [Fact]
    public void An_archive_in_an_archive_is_refused_by_that_name() =>
        Assert.Equal(ArchiveRefusal.NestedArchive, Refuse(Zip(("cats.zip", Zip("a.png").ToArray()))).Refusal);

    [Fact]
    public void An_encrypted_zip_is_refused()
    {
        var refused = Refuse(Encrypted(Zip("a.png", "b.png")));
        Assert.Equal(ArchiveRefusal.Encrypted, refused.Refusal);
        Assert.Contains(
            "'a.png' is encrypted, 'b.png' is encrypted; pack the archive again without a password",
            refused.Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("../evil.png", "leads out")]
    [InlineData("a/../../x.png", "leads out")]
    [InlineData(@"a\..\..\x.png", "leads out")]
    [InlineData("/etc/x.png", "absolute")]
    [InlineData(@"\\server\share\x.png", "absolute")]
    [InlineData(@"C:\x.png", "drive letter")]
    [InlineData("a\0b.png", "control character")]
    [InlineData("__MACOSX/../../x.png", "leads out")]
    public void Names_that_leave_the_folder_are_refused(string name, string why)
    {
        var refused = Refuse(Zip("good.png", name));
        Assert.Equal(ArchiveRefusal.UnsafePath, refused.Refusal);
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../evil.png")]
    [InlineData("/etc/x.png")]
    public void Names_that_leave_the_folder_are_refused_in_a_tar(string name) =>
        Assert.Equal(ArchiveRefusal.UnsafePath, Refuse(Tar(TarFile("good.png"), TarFile(name))).Refusal);

    [Theory]
    [InlineData(TarEntryType.SymbolicLink, "a symbolic link to '/etc/passwd'")]
    [InlineData(TarEntryType.HardLink, "a hard link to '/etc/passwd'")]
    [InlineData(TarEntryType.Fifo, "a pipe")]
    [InlineData(TarEntryType.CharacterDevice, "a device")]
    public void Links_and_devices_in_a_tar_are_refused(TarEntryType type, string what)
    {
        var entry = new PaxTarEntry(type, "link.png");
        if (type is TarEntryType.SymbolicLink or TarEntryType.HardLink)
            entry.LinkName = "/etc/passwd";
        var refused = Refuse(Tar(TarFile("good.png"), entry));
        Assert.Equal(ArchiveRefusal.Link, refused.Refusal);
        Assert.Contains($"'link.png' is {what}", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_symbolic_link_in_a_zip_is_refused()
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            var entry = zip.CreateEntry("link.png");
            entry.ExternalAttributes = unchecked((int)0xA1FF0000);
            using var content = entry.Open();
            content.Write("/etc/passwd"u8);
        }
        Assert.Equal(ArchiveRefusal.Link, Refuse(stream).Refusal);
    }

    [Fact]
    public void Doubled_paths_are_refused()
    {
        var refused = Refuse(Zip("a.png", "./a.png"));
        Assert.Equal(ArchiveRefusal.DuplicatePath, refused.Refusal);
        Assert.Contains("'a.png' is there twice", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_problems_are_told_at_once()
    {
        var refused = Refuse(Tar(TarFile("../x.png"), TarFile("a.png"), TarFile("a.png"), new PaxTarEntry(TarEntryType.Fifo, "pipe")));
        Assert.Equal(
            [ArchiveRefusal.UnsafePath, ArchiveRefusal.DuplicatePath, ArchiveRefusal.Link],
            refused.Problems.Select(problem => problem.Refusal)
        );
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_bomb_is_refused_by_the_bytes_that_come_out(bool zipped)
    {
        byte[] zeros = [.. Png, .. new byte[8 << 20]];
        var bomb = zipped ? Zip(("good.png", Png), ("bomb.png", zeros)) : Gzip(Tar(TarFile("bomb.png", zeros)).ToArray());
        var refused = Refuse(bomb, new ArchiveLimits { RatioFromBytes = 1 << 20 });
        Assert.Equal(ArchiveRefusal.TooLarge, refused.Refusal);
        Assert.Contains("looks like a zip bomb", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bomb_that_claims_to_be_small_is_refused()
    {
        var bytes = Zip(("bomb.png", [.. Png, .. new byte[8 << 20]])).ToArray();
        for (var i = 0; i + 4 <= bytes.Length; i++)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(i)) == 0x02014b50)
                BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(i + 24), 100);
        }
        Assert.Contains(
            Refuse(new MemoryStream(bytes), new ArchiveLimits { RatioFromBytes = 1 << 20 }).Refusal,
            new[] { ArchiveRefusal.TooLarge, ArchiveRefusal.Damaged }
        );
    }

    [Fact]
    public void Too_many_entries_too_long_files_and_too_many_bytes_are_refused()
    {
        var noise = RandomNumberGenerator.GetBytes(2000);
        Assert.Contains(
            "entries where 3 are allowed",
            Refuse(Zip("a.png", "b.png", "c.png", "d.png"), new ArchiveLimits { MaxEntries = 3 }).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "entries where 3 are allowed",
            Refuse(Tar([.. "abcd".Select(letter => TarFile($"{letter}.png"))]), new ArchiveLimits { MaxEntries = 3 }).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "more than the 1 KiB that one file may have",
            Refuse(Zip(("a.png", noise)), new ArchiveLimits { MaxEntryBytes = 1024 }).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "unpacks to more than the 3 KiB",
            Refuse(Zip(("a.png", noise), ("b.png", noise)), new ArchiveLimits { MaxTotalBytes = 3072 }).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_zip_cut_at_any_place_is_refused_as_damaged()
    {
        var whole = Zip(("a.png", [.. Png, .. RandomNumberGenerator.GetBytes(300)]), ("b.png", Png)).ToArray();
        for (var length = 4; length < whole.Length; length++)
            Assert.Equal(ArchiveRefusal.Damaged, Refuse(new MemoryStream(whole[..length])).Refusal);
    }

    [Fact]
    public void A_zip_with_one_wrong_byte_in_a_picture_is_refused_by_its_checksum()
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            using var content = zip.CreateEntry("a.png", CompressionLevel.NoCompression).Open();
            content.Write([.. Png, .. new byte[1000]]);
        }
        var bytes = stream.ToArray();
        bytes[600] ^= 1;
        var refused = Refuse(new MemoryStream(bytes));
        Assert.Equal(ArchiveRefusal.Damaged, refused.Refusal);
        Assert.Contains("'a.png' has checksum", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>Found by the fuzzer's long form: TarReader makes room for what such a header claims, or throws what it throws for nothing
    /// else.</summary>
    [Theory]
    [InlineData("27777777777")] // 3 GiB
    [InlineData("04000000000")] // 512 MiB
    [InlineData("00004000001")] // one byte more than any header needs
    [InlineData("\u0080\0\0\0\0\0\0\0\u0001\0\0")] // of base 256
    public void An_extended_header_that_claims_more_than_names_need_is_refused_without_room_made_for_it(string claimed)
    {
        var tar = Tar(TarFile("a.png", Png), TarFile("b.png", Png)).ToArray();
        var second = 1024 + 512 + ((Png.Length + 511) / 512 * 512); // behind the first's extended header, its text, its own, its bytes
        foreach (var header in new[] { 0, second })
        {
            var hostile = tar.ToArray();
            Assert.Equal((byte)'x', hostile[header + 156]); // POSIX pax: size at 124, checksum at 148
            System.Text.Encoding.Latin1.GetBytes(claimed).CopyTo(hostile, header + 124);
            hostile.AsSpan(header + 148, 8).Fill((byte)' ');
            var sum = hostile.Skip(header).Take(512).Sum(one => one);
            System.Text.Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(hostile, header + 148);
            var before = GC.GetAllocatedBytesForCurrentThread();

            var refused = Refuse(new MemoryStream(hostile));

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
            Assert.Equal(ArchiveRefusal.Damaged, refused.Refusal);
            Assert.Contains(
                header == 0 ? "its first header makes no sense" : "what follows entry 'a.png' makes no sense",
                refused.Message,
                StringComparison.Ordinal
            );
        }
    }

    [Fact]
    public void A_tar_with_one_wrong_bit_in_a_header_is_refused_as_damaged()
    {
        var tar = Tar(TarFile("a.png", Png)).ToArray();
        tar[1024] ^= 1; // the name's first letter, in the entry's own header
        Assert.Equal(ArchiveRefusal.Damaged, Refuse(new MemoryStream(tar)).Refusal);
    }

    /// <summary>As some old programs did; such a header behind the first is no damage.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_checksum_of_signed_bytes_is_right_as_well(bool signed)
    {
        var tar = Tar(TarFile("a.png", Png)).ToArray();
        var header = tar.AsSpan(1024, 512);
        header[0] = 0xE9; // the extended header says the name that counts
        header.Slice(148, 8).Fill((byte)' ');
        var sum = 0;
        foreach (var one in header)
            sum += signed ? (sbyte)one : one;
        System.Text.Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(header[148..]);
        using var archive = ArchiveReader.Open(new MemoryStream(tar), "old.tar");
        Assert.Equal(["a.png"], archive.Contents.Pictures.Select(picture => picture.Path));
    }

    [Fact]
    public void A_tar_of_a_name_that_fills_a_block_of_its_own_is_read()
    {
        // The extended header's text is exactly as long as a header, and has what one would refuse where its claim would stand.
        var name = new string('n', 100) + new string('界', 97) + "xx.png";
        foreach (var more in Enumerable.Range(0, 30))
        {
            using var archive = ArchiveReader.Open(Tar(TarFile(new string('x', more) + name, Png)), "long.tar");
            Assert.Equal([new string('x', more) + name], archive.Contents.Pictures.Select(picture => picture.Path));
        }
    }

    [Fact]
    public void A_cut_tar_and_a_cut_gzip_are_refused_as_damaged()
    {
        var tar = Tar(TarFile("a.png", RandomNumberGenerator.GetBytes(5000)), TarFile("b.png", RandomNumberGenerator.GetBytes(5000)))
            .ToArray();
        Assert.Equal(ArchiveRefusal.Damaged, Refuse(new MemoryStream(tar[..8000])).Refusal);
        var gzip = Gzip(tar).ToArray();
        Assert.Equal(ArchiveRefusal.Damaged, Refuse(new MemoryStream(gzip[..(gzip.Length / 2)])).Refusal);
        gzip[gzip.Length / 2] ^= 0xFF;
        Assert.Equal(ArchiveRefusal.Damaged, Refuse(new MemoryStream(gzip)).Refusal);
    }

    [Fact]
    public void An_unknown_compression_method_is_refused_by_that_name() =>
        Assert.Equal(ArchiveRefusal.UnsupportedCompression, Refuse(WithMethod(Zip("a.png"), 12)).Refusal);

    [Fact]
    public void Noise_never_gives_anything_but_a_refusal()
    {
        var random = new Random(7);
        var zip = Zip(("a.png", [.. Png, .. new byte[500]]), ("caption.csv", "a,a.png"u8.ToArray())).ToArray();
        var tar = Tar(TarFile("a.png"), TarFile("b/c.png")).ToArray();
        foreach (var good in new[] { zip, tar, Gzip(tar).ToArray() })
        {
            for (var round = 0; round < 300; round++)
            {
                var bytes = good.ToArray();
                for (var change = 0; change < 3; change++)
                    bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                try
                {
                    using var archive = ArchiveReader.Open(new MemoryStream(bytes), "noise.zip");
                    Assert.NotEmpty(archive.Contents.Pictures);
                }
                catch (ArchiveRefusedException e)
                {
                    Assert.NotEmpty(e.Problems);
                }
            }
        }
    }

    [Fact]
    public void Control_characters_of_a_name_never_reach_the_message()
    {
        var refused = Refuse(Zip("good.png", "a\u001b[31m.png"));
        Assert.DoesNotContain('\u001b', refused.Message);
    }
}
