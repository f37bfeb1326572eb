using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Sdxl.Core.Json;

namespace Sdxl.Core.Bases;

/// <summary>
/// What a base model is: the hashes of its files, not its name. Under the same name other files may lie tomorrow, and a training that went
/// on under them would end with weights of neither.
/// </summary>
public static class BaseIdentity
{
    /// <summary>SHA-256 over names and hashes of all files of the model, in the order of their names.</summary>
    /// <param name="modelPath">Folder in diffusers' layout, or a single file (with its folder of configs beside it).</param>
    /// <param name="cacheFile">Remembers hashes by size and time of writing, because 7 GB take half a minute; null: hashes every
    /// time.</param>
    public static string Of(string modelPath, string? cacheFile)
    {
        var known = Read(cacheFile);
        var seen = new Dictionary<string, KnownHash>();
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, file) in FilesOf(Path.GetFullPath(modelPath)))
        {
            var info = new FileInfo(file.LinkTarget is null ? file.FullName : file.ResolveLinkTarget(returnFinalTarget: true)!.FullName);
            var hash =
                known.GetValueOrDefault(file.FullName) is { } before
                && before.Bytes == info.Length
                && before.Written == info.LastWriteTimeUtc
                    ? before
                    : new KnownHash(info.Length, info.LastWriteTimeUtc, HashOf(info.FullName));
            seen[file.FullName] = hash;
            sum.AppendData(Encoding.UTF8.GetBytes($"{name}\n{hash.Sha256}\n"));
        }
        if (cacheFile is not null && seen.Any(file => known.GetValueOrDefault(file.Key) != file.Value))
            Write(cacheFile, known.Concat(seen).GroupBy(file => file.Key).ToDictionary(file => file.Key, file => file.Last().Value));
        return Convert.ToHexStringLower(sum.GetHashAndReset());
    }

    private sealed record KnownHash(long Bytes, DateTime Written, string Sha256);

    private static IEnumerable<(string Name, FileInfo File)> FilesOf(string path)
    {
        var folder = new DirectoryInfo(File.Exists(path) ? Path.ChangeExtension(path, null) : path);
        var files = folder.Exists
            ? folder
                .EnumerateFiles("*", SearchOption.AllDirectories)
                .Select(file => (Path.GetRelativePath(folder.FullName, file.FullName).Replace('\\', '/'), file))
            : [];
        if (File.Exists(path))
            files = files.Append((Path.GetFileName(path), new FileInfo(path)));
        return files.OrderBy(file => file.Item1, StringComparer.Ordinal);
    }

    private static string HashOf(string file)
    {
        using var content = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(content));
    }

    private static Dictionary<string, KnownHash> Read(string? cacheFile)
    {
        try
        {
            return cacheFile is not null && File.Exists(cacheFile)
                ? SdxlJson.Deserialize<Dictionary<string, KnownHash>>(File.ReadAllText(cacheFile))
                : [];
        }
        catch (JsonException)
        {
            return []; // cut off by a kill: everything is hashed again
        }
    }

    private static void Write(string cacheFile, Dictionary<string, KnownHash> known)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(cacheFile))!);
        var temporary = cacheFile + ".tmp";
        File.WriteAllText(temporary, SdxlJson.Serialize(known));
        File.Move(temporary, cacheFile, overwrite: true);
    }
}
