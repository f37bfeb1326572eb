using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Sdxl.Core.Archives;
using Sdxl.Core.Captions;
using Sdxl.Core.Inputs;
using Sdxl.Core.Trainings;
using Sdxl.Diffusion.Export;

namespace Sdxl.Tests.Fuzz;

/// <summary>Archives as they come in: the whole of what is read of them before anything is stored.</summary>
public sealed class ArchiveFuzzTests
{
    private static readonly (string Name, byte[] Bytes)[] s_files =
    [
        ("a.png", TestPictures.Png()), ("b/b.jpg", TestPictures.Jpeg()), ("b/b.txt", "a photo of TOK"u8.ToArray()),
        ("caption.csv", "caption,image_file\n\"a hat, red\",a.png\n"u8.ToArray()), ("training.json", "{\"seed\": 3}"u8.ToArray()),
        ("metadata.jsonl", "{\"file_name\":\"a.png\",\"text\":\"x\"}\n"u8.ToArray()),
    ];

    private static readonly Lazy<byte[]> s_tar = new(() =>
    {
        var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var (name, bytes) in s_files)
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(bytes) });
        }
        return stream.ToArray();
    });

    [Fact]
    public Task Zip() =>
        FuzzRun.Over(
            [Zipped(CompressionLevel.Fastest), Zipped(CompressionLevel.NoCompression), .. Reported()],
            ReadAll,
            600,
            typeof(ArchiveRefusedException),
            typeof(InputException)
        );

    [Fact]
    public Task Tar() => FuzzRun.Over([s_tar.Value], ReadAll, 600, typeof(ArchiveRefusedException), typeof(InputException));

    /// <summary>Behind the checksum, which stops most mutants.</summary>
    [Fact]
    public Task Tar_whose_checksums_are_right() => FuzzRun.Over(
        [s_tar.Value], bytes => ReadAll(WithChecksums(bytes)), 600, typeof(ArchiveRefusedException), typeof(InputException));

    [Fact]
    public Task Tar_gz() => FuzzRun.Over([Gzipped(s_tar.Value)], ReadAll, 600, typeof(ArchiveRefusedException), typeof(InputException));

    /// <summary>Weights that somebody brings: trained_model.tar, where files lie in place.</summary>
    [Fact]
    public async Task Weights_tar()
    {
        var file = Path.GetTempFileName();
        await FuzzRun.Over(
            [s_tar.Value],
            bytes =>
            {
                File.WriteAllBytes(file, WithChecksums(bytes));
                if (TrainedModelTar.IsTar(file))
                    _ = TrainedModelTar.Places(file);
            },
            64, typeof(InvalidDataException));
        File.Delete(file);
    }

    /// <summary>Every block that has a header's mark gets the checksum that it should have.</summary>
    private static byte[] WithChecksums(byte[] bytes)
    {
        var mended = bytes.ToArray();
        for (var at = 0; at + 512 <= mended.Length; at += 512)
        {
            var header = mended.AsSpan(at, 512);
            if (!header[257..].StartsWith("ustar"u8))
                continue;
            header.Slice(148, 8).Fill((byte)' ');
            var sum = 0;
            foreach (var one in header)
                sum += one;
            Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(header[148..]);
        }
        return mended;
    }

    private static void ReadAll(byte[] bytes)
    {
        using var archive = ArchiveReader.Open(new MemoryStream(bytes), "mutant");
        _ = ArchiveCaptions.Read(archive);
        _ = ArchiveSettings.Read(archive);
        foreach (var picture in archive.Contents.Pictures)
        {
            using var content = archive.Open(picture.Path);
            content.CopyTo(Stream.Null);
        }
    }

    private static byte[] Zipped(CompressionLevel level)
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true, Encoding.UTF8))
        {
            foreach (var (name, bytes) in s_files)
            {
                using var content = zip.CreateEntry(name, level).Open();
                content.Write(bytes);
            }
        }
        return stream.ToArray();
    }

    private static byte[] Gzipped(byte[] bytes)
    {
        var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(bytes);
        return stream.ToArray();
    }

    /// <summary>Small archives of the bug reports: names in old code pages, captions of every kind.</summary>
    private static IEnumerable<byte[]> Reported() =>
        Directory
            .GetFiles(TestPaths.Fixture("reports"), "*.zip")
            .Order(StringComparer.Ordinal)
            .Select(File.ReadAllBytes)
            .Where(bytes => bytes.Length < 300_000)
            .Take(6);
}
