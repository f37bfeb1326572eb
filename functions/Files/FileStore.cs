using System.Security.Cryptography;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Options;
using Sdxl.Core.Identity;
using Sdxl.Core.Storage;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Files;

/// <summary>The files that callers have sent: bytes, record, and an entry in the owner's list.</summary>
public sealed class FileStore(BlobStore blobs, RecordStore records, IOptions<SdxlOptions> options, TimeProvider time)
{
    /// <param name="content">Seekable, at its beginning.</param>
    public async Task<FileRecord> CreateAsync(
        string owner, string name, string type, IReadOnlyDictionary<string, string> metadata, Stream content, CancellationToken cancel)
    {
        var sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancel));
        content.Position = 0;
        var md5 = Convert.ToHexStringLower(await MD5.HashDataAsync(content, cancel));
        content.Position = 0;
        var now = time.GetUtcNow();
        var record = new FileRecord(
            JobId.New(), owner, name, type, content.Length, sha256, md5, metadata, now, options.Value.Retention.Files.After(now));
        // The bytes first: a record always has them.
        await (await blobs.BlobAsync(record.Blob())).UploadAsync(content, new BlobUploadOptions(), cancel);
        await blobs.WriteAsync(StorageLayout.Records, StorageLayout.FileRecord(owner, record.Id), record, cancel: cancel);
        await blobs.WriteBytesAsync(
            StorageLayout.Records, StorageLayout.FileIndex(new JobKey(owner, record.Id), now), [], "text/plain", cancel);
        return record;
    }

    /// <returns>null where the owner has no such file, or has it no more.</returns>
    public async Task<FileRecord?> FindAsync(string owner, string id, CancellationToken cancel) =>
        JobId.IsValid(id)
        && await blobs.ReadAsync<FileRecord>(StorageLayout.Records, StorageLayout.FileRecord(owner, id), cancel) is { Value: var record }
        && !(record.ExpiresAt <= time.GetUtcNow())
            ? record : null;

    /// <summary>Newest first.</summary>
    public async Task<(IReadOnlyList<FileRecord> Files, string? Next)> ListAsync(
        string owner, string? after, int size, CancellationToken cancel)
    {
        var (ids, next) = await records.PageAsync(owner, StorageLayout.FilesList, after, size, cancel);
        var files = new List<FileRecord>();
        foreach (var id in ids)
        {
            if (await FindAsync(owner, id, cancel) is { } file)
                files.Add(file);
        }
        return (files, next);
    }
}
