using Sdxl.Core.Archives;

namespace Sdxl.Tests.Vision;

/// <summary>The pictures of a data set as the product finds them: by content, without rubbish, masks and captions.</summary>
internal static class Archives
{
    /// <summary>File name -> bytes; the path where two folders have a file of the same name.</summary>
    public static IReadOnlyDictionary<string, byte[]> Pictures(string name)
    {
        using var file = File.OpenRead(TestPaths.Fixture("datasets", name));
        using var archive = ArchiveReader.Open(file, name);
        var paths = archive.Contents.Pictures.Select(picture => picture.Path).ToList();
        var perName = paths.CountBy(path => Path.GetFileName(path)).ToDictionary();
        var pictures = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var path in paths)
        {
            using var stream = archive.Open(path);
            using var bytes = new MemoryStream();
            stream.CopyTo(bytes);
            pictures[perName[Path.GetFileName(path)] == 1 ? Path.GetFileName(path) : path] = bytes.ToArray();
        }
        return pictures;
    }
}
