using System.Text;
using Sdxl.Core.Archives;
using static Sdxl.Tests.Core.Archives.TestArchives;

namespace Sdxl.Tests.Core.Archives;

public sealed class ArchiveContentsTests
{
    private static ArchiveContents Sort(params string[] names)
    {
        using var archive = ArchiveReader.Open(Zip([.. names.Select(name => (name, Bytes(name)))]), "cats.zip");
        return archive.Contents;
    }

    private static byte[] Bytes(string name) => Path.GetExtension(name).ToLowerInvariant() switch
    {
        ".png" => Png,
        ".jpg" or ".jpeg" => Jpeg,
        ".heic" => Heic,
        _ => Encoding.UTF8.GetBytes($"text of {name}"),
    };

    [Fact]
    public void Zip_tar_and_tar_gz_are_told_by_content()
    {
        var tar = Tar(TarFile("a.png"), TarFile("b/c.png")).ToArray();
        foreach (
            var (bytes, format) in new[]
            {
                (Zip("a.png", "b/c.png").ToArray(), ArchiveFormat.Zip),
                (tar, ArchiveFormat.Tar),
                (Gzip(tar).ToArray(), ArchiveFormat.TarGz),
            }
        )
        {
            using var archive = ArchiveReader.Open(new MemoryStream(bytes), "pictures.jpg");
            Assert.Equal(format, archive.Format);
            Assert.Equal(["a.png", "b/c.png"], archive.Contents.Pictures.Select(picture => picture.Path));
        }
    }

    [Fact]
    public void Entries_of_a_tar_gz_can_be_read_in_any_order()
    {
        using var archive = ArchiveReader.Open(
            Gzip(Tar([.. Enumerable.Range(0, 20).Select(i => TarFile($"{i}.png", [.. Png, .. new byte[1000 * i], (byte)i]))]).ToArray()),
            "a.tgz"
        );
        foreach (var i in new[] { 3, 19, 0, 7, 7, 12 })
        {
            using var stream = archive.Open($"{i}.png");
            Assert.Equal(Png.Length + 1000 * i + 1, stream.Length);
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            Assert.Equal(i, bytes[^1]);
            Assert.Equal(0, stream.Read(bytes));
        }
    }

    [Fact]
    public void A_tar_gz_is_decompressed_once_however_often_its_reader_steps_back()
    {
        using var packed = new CountedStream(
            Gzip(Tar([.. Enumerable.Range(0, 200).Select(i => TarFile($"{i:D3}.png", [.. Png, .. NoiseOf(i)]))]).ToArray())
        );
        using var archive = ArchiveReader.Open(packed, "a.tgz");
        for (var i = 199; i >= 0; i--)
        {
            using var stream = archive.Open($"{i:D3}.png");
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            Assert.Equal(NoiseOf(i), bytes[Png.Length..]);
        }
        Assert.InRange(packed.BytesRead, packed.Length, 2 * packed.Length); // and the head, to tell what it is
    }

    private static byte[] NoiseOf(int seed)
    {
        var bytes = new byte[1000];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private sealed class CountedStream(MemoryStream inner) : Stream
    {
        public long BytesRead { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => inner.Length;

        public override long Position { get => inner.Position; set => inner.Position = value; }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = inner.Read(buffer, offset, count);
            BytesRead += read;
            return read;
        }

        public override long Seek(long offset, SeekOrigin origin) => inner.Seek(offset, origin);

        public override void Flush() { }

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }

    [Fact]
    public void Rubbish_of_macos_and_windows_is_no_picture()
    {
        var contents = Sort(
            "a.png",
            "__MACOSX/._a.png",
            "__MACOSX/a.png",
            "._a.png",
            "x/.DS_Store",
            "Thumbs.db",
            "x/desktop.ini",
            ".hidden/b.png"
        );
        Assert.Equal(["a.png"], contents.Pictures.Select(picture => picture.Path));
        Assert.Empty(contents.Skipped);
    }

    [Fact]
    public void Keys_are_unique_where_folders_repeat_a_name()
    {
        var contents = Sort("one/Cat 1.png", "two/cat-1.png", "three/cat 1.jpg", "猫.png", "犬.png");
        Assert.Equal(5, contents.Pictures.Select(picture => picture.Key).Distinct().Count());
        Assert.All(contents.Pictures, picture => Assert.Matches("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", picture.Key));
    }

    [Fact]
    public void A_mask_beside_its_picture_is_no_picture()
    {
        var contents = Sort("x/Cat.jpg", "x/cat_MASK.png", "x/dog.png", "y/dog_mask.png", "x/dog_mask.jpg");
        Assert.Equal(["x/Cat.jpg", "x/dog.png", "y/dog_mask.png"], contents.Pictures.Select(picture => picture.Path));
        Assert.Equal(["x/cat_MASK.png", "x/dog_mask.jpg", null], contents.Pictures.Select(picture => picture.MaskPath));
        Assert.Contains("'y/dog_mask.png' is named like a mask", Assert.Single(contents.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_mask_and_the_mask_of_a_mask_are_left_out()
    {
        var contents = Sort("a.png", "a_mask.jpg", "a_mask.png", "a_mask_mask.png");
        Assert.Equal("a_mask.jpg", Assert.Single(contents.Pictures).MaskPath);
        Assert.Equal(["a_mask.png", "a_mask_mask.png"], contents.Skipped.Select(skipped => skipped.Name));
    }

    [Fact]
    public void Captions_and_settings_are_found_beside_the_pictures()
    {
        var contents = Sort("p/a.png", "p/A.txt", "p/b.txt", "p/My Captions.CSV", "p/other.csv", "p/training.json", "p/q/training.json");
        Assert.Equal("p/A.txt", Assert.Single(contents.Pictures).CaptionTextPath);
        Assert.Equal(["p/My Captions.CSV"], contents.CaptionFilePaths);
        Assert.Equal("p/training.json", contents.SettingsPath);
        Assert.Equal(["p/b.txt", "p/other.csv", "p/q/training.json"], contents.Skipped.Select(skipped => skipped.Name));
    }

    [Fact]
    public void Captions_stand_beside_their_pictures_as_other_trainers_have_them()
    {
        var contents = Sort("p/a.png", "p/a.caption", "p/b.png", "p/b.png.txt", "p/c.png", "p/c.json", "p/d.png", "p/d.txt", "p/d.caption");
        Assert.Equal(["p/a.caption", "p/b.png.txt", "p/c.json", "p/d.txt"], contents.Pictures.Select(picture => picture.CaptionTextPath));
        Assert.Equal("It is a second caption of 'p/d.png'; 'p/d.txt' counts.", Assert.Single(contents.Skipped).Reason);
    }

    [Fact]
    public void Captions_of_another_folder_are_taken_where_the_name_is_the_only_one()
    {
        var contents = Sort("images/a.png", "images/b.png", "x/b.png", "captions/a.txt", "captions/b.txt");
        Assert.Equal(["captions/a.txt", null, null], contents.Pictures.Select(picture => picture.CaptionTextPath));
        Assert.Equal("1 caption of other folders is taken by name: 'captions/a.txt' for 'images/a.png'.", Assert.Single(contents.Warnings));
        Assert.Equal("captions/b.txt", Assert.Single(contents.Skipped).Name);
    }

    [Fact]
    public void A_file_is_a_picture_by_its_content_and_skipped_with_the_reason()
    {
        using var archive = ArchiveReader.Open(
            Zip(("a.dat", Png), ("b.jpg", "not a picture"u8.ToArray()), ("c.png", []), ("d.heic", Heic), ("e.zip", Zip("x.png").ToArray())),
            "cats.zip"
        );
        Assert.Equal(["a.dat"], archive.Contents.Pictures.Select(picture => picture.Path));
        Assert.Equal(
            ["It is named .jpg but is plain text.", "It is empty (0 bytes).",
                "It is a HEIC picture, which is not read here: save it as JPEG or PNG (iPhones: Settings, Camera, Formats, Most "
                    + "Compatible).",
                "It is an archive inside the archive: unpack it first."],
            archive.Contents.Skipped.Select(skipped => skipped.Reason));
    }

    [Fact]
    public void Backslashes_of_old_windows_tools_separate_folders()
    {
        using var archive = ArchiveReader.Open(Zip(("cats\\a.png", Png)), "cats.zip");
        Assert.Equal("cats/a.png", Assert.Single(archive.Contents.Pictures).Path);
    }
}
