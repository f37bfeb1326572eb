using System.Buffers.Binary;
using System.Formats.Tar;
using System.Text;
using Sdxl.Core.Archives;
using Sdxl.Core.Captions;

namespace Sdxl.Tests.Core.Archives;

/// <summary>Names of zips that do not say their code page.</summary>
public sealed class ZipNamesTests
{
    static ZipNamesTests() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    [Theory]
    [InlineData(437, "Grüße aus Köln.png", "Café au lait.png")]
    [InlineData(850, "Grüße aus Köln.png", "Mañana.png")]
    [InlineData(1252, "Grüße aus Köln.png", "Café au lait.png")]
    [InlineData(852, "Zażółć gęślą jaźń.png", "Příliš žluťoučký kůň.png")]
    [InlineData(866, "Кошка на диване.png", "Собака.png")]
    [InlineData(1251, "Кошка на диване.png", "Собака.png")]
    [InlineData(932, "スクリーンショット.png", "写真の猫.png")]
    [InlineData(936, "我的猫.png", "小狗在公园.png")]
    [InlineData(950, "我的貓.png", "小狗在公園.png")]
    [InlineData(949, "고양이 사진.png", "강아지.png")]
    [InlineData(737, "Η γάτα μου.png", "Σκύλος.png")]
    public void The_code_page_is_guessed_from_all_names(int codePage, params string[] names)
    {
        using var archive = ArchiveReader.Open(Zip(codePage, [.. names, "plain.png"]), "old.zip");
        Assert.Equal([.. names.Append("plain.png").Order(StringComparer.Ordinal)], archive.Contents.Pictures.Select(picture => picture.Path)
            .Order(StringComparer.Ordinal));
        Assert.Empty(archive.Contents.Warnings);
    }

    [Theory]
    [InlineData(866, 1251, "Кот.png", "Пёс.png")]
    [InlineData(437, 1252, "Bär.png", "Vögel.png")]
    [InlineData(932, 932, "犬.png", "表.png")]
    [InlineData(936, 936, "小.png", "大.png")] // the first alone is UTF-8 as well
    [InlineData(949, 65001, "꽃.png", "새.png")]
    public void The_caption_file_helps_to_tell_the_names_and_joins_them(int ofNames, int ofTable, string first, string second)
    {
        var table = Encoding.GetEncoding(ofTable).GetBytes($"caption,image_file\r\nTOK one,{first}\r\nTOK two,{second}\r\n");
        using var archive = ArchiveReader.Open(Zip(ofNames, [first, second], ("caption.csv", table)), "old.zip");
        var captions = ArchiveCaptions.Read(archive).ByPicture;
        Assert.Equal(["TOK one", "TOK two"], [captions[first].Text, captions[second].Text]);
    }

    [Fact]
    public void Utf_8_without_the_flag_is_utf_8()
    {
        using var archive = ArchiveReader.Open(Zip(65001, ["Schöne Grüße.png", "猫.png"]), "mac.zip");
        Assert.Equal(["Schöne Grüße.png", "猫.png"], archive.Contents.Pictures.Select(picture => picture.Path));
    }

    [Fact]
    public void Info_zips_unicode_path_counts_where_its_checksum_fits()
    {
        using var right = ArchiveReader.Open(ZipWithUnicodePath("M?ller.png", "Müller.png", spoilChecksum: false), "a.zip");
        using var stale = ArchiveReader.Open(ZipWithUnicodePath("renamed.png", "Müller.png", spoilChecksum: true), "b.zip");
        Assert.Equal("Müller.png", Assert.Single(right.Contents.Pictures).Path);
        Assert.Equal("renamed.png", Assert.Single(stale.Contents.Pictures).Path);
    }

    [Fact]
    public void A_unicode_path_that_leaves_the_folder_is_refused() =>
        Assert.Equal(ArchiveRefusal.UnsafePath,
            TestArchives.Refuse(ZipWithUnicodePath("harmless.png", "../evil.png", spoilChecksum: false)).Refusal);

    [Fact]
    public void Names_that_no_page_makes_sense_of_stay_apart()
    {
        var names = Enumerable.Range(0, 32)
            .Select(i => new byte[] { 0xFF, (byte)(0x80 + i), 0xFE, (byte)(0xC0 + i), (byte)'.', (byte)'p', (byte)'n', (byte)'g' })
            .ToList();
        using var archive = ArchiveReader.Open(Raw([.. names.Select(name => (name, TestArchives.Png, Array.Empty<byte>()))]), "noise.zip");
        Assert.Equal(32, archive.Contents.Pictures.Select(picture => picture.Path).Distinct().Count());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Names_of_an_old_tar_are_told_apart_likewise(bool isZipped)
    {
        var tar = TestArchives.Tar(new UstarTarEntry(TarEntryType.RegularFile,
            "a/M~1ller.png") { DataStream = new MemoryStream(TestArchives.Png) },
            new UstarTarEntry(TarEntryType.RegularFile, "a/M~2ller.png") { DataStream = new MemoryStream(TestArchives.Png) }).ToArray();
        for (var at = 0; at < tar.Length; at += 512)
        {
            var name = tar.AsSpan(at, 100);
            if (name.IndexOf((byte)'~') is not (>= 0 and var mark))
                continue;
            name[mark] = name[mark + 1] == '1' ? (byte)0x81 : (byte)0x94; // ü and ö of code page 437
            name[(mark + 2)..].CopyTo(name[(mark + 1)..]);
            tar.AsSpan(at + 148, 8).Fill((byte)' ');
            var sum = 0;
            foreach (var value in tar.AsSpan(at, 512))
                sum += value;
            Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(tar, at + 148);
        }
        using var archive = ArchiveReader.Open(isZipped ? TestArchives.Gzip(tar) : new MemoryStream(tar), "old.tar");
        Assert.Equal(["a/Möller.png", "a/Müller.png"], archive.Contents.Pictures.Select(picture => picture.Path));
    }

    private static MemoryStream Zip(int codePage, string[] pictures, params (string Name, byte[] Bytes)[] others) => Raw(
        [.. pictures.Select(name => (Encoding.GetEncoding(codePage).GetBytes(name), TestArchives.Png, Array.Empty<byte>())), .. others
            .Select(o => (Encoding.ASCII.GetBytes(o.Name), o.Bytes, Array.Empty<byte>()))]);

    /// <summary>Extra field 0x7075: size, version 1, CRC-32 of the plain name, UTF-8.</summary>
    private static MemoryStream ZipWithUnicodePath(string plain, string unicode, bool spoilChecksum)
    {
        var (name, path) = (Encoding.ASCII.GetBytes(plain), Encoding.UTF8.GetBytes(unicode));
        var field = new byte[9 + path.Length];
        BinaryPrimitives.WriteUInt16LittleEndian(field, 0x7075);
        BinaryPrimitives.WriteUInt16LittleEndian(field.AsSpan(2), (ushort)(5 + path.Length));
        field[4] = 1;
        BinaryPrimitives.WriteUInt32LittleEndian(field.AsSpan(5), Crc(name) ^ (spoilChecksum ? 1u : 0));
        path.CopyTo(field.AsSpan(9));
        return Raw([(name, TestArchives.Png, field)]);
    }

    /// <summary>A zip with stored files, the UTF-8 flag not set.</summary>
    private static MemoryStream Raw((byte[] Name, byte[] Bytes, byte[] Extra)[] files)
    {
        var (zip, directory) = (new MemoryStream(), new MemoryStream());
        foreach (var (name, bytes, extra) in files)
        {
            var offset = (uint)zip.Position;
            byte[] common = [20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0x58, .. U32(Crc(bytes)), .. U32((uint)bytes.Length),
                .. U32((uint)bytes.Length), .. U16(name.Length), .. U16(extra.Length)];
            zip.Write([.. U32(0x04034b50), .. common, .. name, .. extra, .. bytes]);
            directory.Write([.. U32(0x02014b50), 20, 0, .. common, .. U16(0), .. U16(0), .. U16(0), .. U32(0), .. U32(offset), .. name,
                .. extra]);
        }
        var start = (uint)zip.Position;
        zip.Write(directory.ToArray());
        zip.Write([.. U32(0x06054b50), 0, 0, 0, 0, .. U16(files.Length), .. U16(files.Length), .. U32((uint)directory.Length),
            .. U32(start), 0, 0]);
        zip.Position = 0;
        return zip;
    }

    private static byte[] U16(int value) => BitConverter.GetBytes((ushort)value);

    private static byte[] U32(uint value) => BitConverter.GetBytes(value);

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = ~0u;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
        }
        return ~crc;
    }
}
