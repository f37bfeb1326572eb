using System.Security.Cryptography;

namespace Sdxl.Cli.Models;

/// <summary>What a file must hash to: SHA-256 of its bytes (large files, LFS), or git's SHA-1 of a blob (small files).</summary>
/// <param name="Hex">Lower case, 64 or 40 digits.</param>
internal sealed record ContentHash(string Hex)
{
    public string Name => Hex.Length == 64 ? "SHA-256" : "git SHA-1";

    /// <summary>X-Linked-Etag holds an LFS file's SHA-256; ETag a small file's git hash. Both stand in quotes, perhaps after W/.</summary>
    public static ContentHash? From(HttpResponseMessage response)
    {
        var linked = response.Headers.TryGetValues("X-Linked-Etag", out var values) ? values.FirstOrDefault() : null;
        foreach (var text in new[] { linked, response.Headers.ETag?.Tag })
        {
            var hex = text?.Replace("W/", "", StringComparison.Ordinal).Trim('"').ToLowerInvariant();
            if (hex is { Length: 64 } or { Length: 40 } && hex.All(char.IsAsciiHexDigitLower))
                return new ContentHash(hex);
        }
        return null;
    }

    public static async Task<string> Sha256Async(string path, CancellationToken cancel)
    {
        await using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancel));
    }

    /// <summary>The file's hash of the same kind.</summary>
    public async Task<string> OfFileAsync(string path, CancellationToken cancel)
    {
        if (Hex.Length == 64)
            return await Sha256Async(path, cancel);
        await using var file = File.OpenRead(path);
#pragma warning disable CA5350 // git's own object name, compared with what the server says; not a signature
        using var sha1 = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
#pragma warning restore CA5350
        sha1.AppendData(System.Text.Encoding.ASCII.GetBytes(FormattableString.Invariant($"blob {file.Length}\0")));
        var buffer = new byte[1 << 16];
        while (await file.ReadAsync(buffer, cancel) is > 0 and var read)
            sha1.AppendData(buffer, 0, read);
        return Convert.ToHexStringLower(sha1.GetHashAndReset());
    }
}
