using System.Buffers.Binary;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Sdxl.Core.Archives;

namespace Sdxl.Tests.Core.Archives;

/// <summary>Archives made in memory, good and hostile.</summary>
internal static class TestArchives
{
    /// <summary>The beginning of a PNG, enough to be told as one.</summary>
    public static byte[] Png { get; } = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, .. "IHDR"u8];

    public static byte[] Jpeg { get; } = [0xFF, 0xD8, 0xFF, 0xE0, 0, 16, .. "JFIF\0"u8];

    public static byte[] Heic { get; } = [0, 0, 0, 24, .. "ftypheic"u8, 0, 0, 0, 0];

    public static MemoryStream Zip(params (string Name, byte[] Bytes)[] files)
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, bytes) in files)
            {
                var entry = zip.CreateEntry(name);
                using var content = entry.Open();
                content.Write(bytes);
            }
        }
        stream.Position = 0;
        return stream;
    }

    public static MemoryStream Zip(params string[] pictures) => Zip([.. pictures.Select(name => (name, Png))]);

    public static MemoryStream Tar(params TarEntry[] entries)
    {
        var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var entry in entries)
                tar.WriteEntry(entry);
        }
        stream.Position = 0;
        return stream;
    }

    public static TarEntry TarFile(string name, byte[]? bytes = null) =>
        new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(bytes ?? Png) };

    public static MemoryStream Gzip(byte[] bytes)
    {
        var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Optimal, leaveOpen: true))
            gzip.Write(bytes);
        stream.Position = 0;
        return stream;
    }

    /// <summary>The zip with the flag "encrypted" set in the local and central header of each entry.</summary>
    public static MemoryStream Encrypted(MemoryStream zip) => Patched(zip, header => header[0] |= 1, local: 6, central: 8);

    /// <summary>The zip with another compression method in each header (12 = bzip2).</summary>
    public static MemoryStream WithMethod(MemoryStream zip, byte method) =>
        Patched(zip, header => header[0] = method, local: 8, central: 10);

    public static ArchiveRefusedException Refuse(Stream stream, ArchiveLimits? limits = null)
    {
        var refused = Assert.Throws<ArchiveRefusedException>(() => ArchiveReader.Open(stream, "cats.zip", limits).Dispose());
        Assert.All(refused.Problems, problem =>
        {
            Assert.Contains("cats.zip", problem.Sentence, StringComparison.Ordinal);
            Assert.EndsWith(".", problem.Sentence, StringComparison.Ordinal);
            Assert.DoesNotContain(". ", problem.Sentence, StringComparison.Ordinal);
        });
        return refused;
    }

    public static string ReadText(Archive archive, string path)
    {
        using var reader = new StreamReader(archive.Open(path), Encoding.Latin1);
        return reader.ReadToEnd();
    }

    private delegate void Patch(Span<byte> at);

    private static MemoryStream Patched(MemoryStream zip, Patch patch, int local, int central)
    {
        var bytes = zip.ToArray();
        for (var i = 0; i + 4 <= bytes.Length; i++)
        {
            var signature = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(i));
            if (signature == 0x04034b50)
                patch(bytes.AsSpan(i + local));
            else if (signature == 0x02014b50)
                patch(bytes.AsSpan(i + central));
        }
        return new MemoryStream(bytes);
    }
}
