using Sdxl.Core.Storage;

namespace Sdxl.Functions.Files;

/// <summary>A file that a caller has sent: records/{owner}/files/{id}.json; its bytes are files/{owner}/{id}.</summary>
/// <param name="Name">As its sender calls it.</param>
/// <param name="ExpiresAt">Removed then; null: kept.</param>
public sealed record FileRecord(
    string Id, string Owner, string Name, string ContentType, long Size, string Sha256, string Md5,
    IReadOnlyDictionary<string, string> Metadata, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt)
{
    /// <summary>container/name of its bytes.</summary>
    public string Blob() => $"{StorageLayout.Files}/{StorageLayout.File(Owner, Id)}";
}
