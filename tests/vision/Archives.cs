using System.IO.Compression;

namespace Sdxl.Tests.Vision;

/// <summary>The pictures of a fixture's zip, by their bare names.</summary>
internal static class Archives
{
    public static IReadOnlyDictionary<string, byte[]> Pictures(string zip)
    {
        using var archive = ZipFile.OpenRead(TestPaths.Fixture("datasets", zip));
        var pictures = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var entry in archive.Entries.Where(entry => Path.GetExtension(entry.Name) is ".jpg" or ".png" && !entry.Name.StartsWith("._", StringComparison.Ordinal)))
        {
            using var stream = entry.Open();
            using var bytes = new MemoryStream();
            stream.CopyTo(bytes);
            pictures[entry.Name] = bytes.ToArray();
        }
        return pictures;
    }
}
