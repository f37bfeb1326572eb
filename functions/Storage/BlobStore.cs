using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Sdxl.Core.Json;
using Sdxl.Core.Storage;

namespace Sdxl.Functions.Storage;

/// <summary>Blob storage as this app uses it: JSON documents, files, log lines. Containers are made at first use.</summary>
public sealed class BlobStore(BlobServiceClient service)
{
    private Task? _containers;

    /// <summary>The account's blob endpoint, to recognise URLs that point into it.</summary>
    public Uri Endpoint => service.Uri;

    /// <summary>A blob by container and name.</summary>
    public async Task<BlobClient> BlobAsync(string container, string name) => (await ContainerAsync(container)).GetBlobClient(name);

    /// <summary>A blob by "container/name", as records and requests write it.</summary>
    public Task<BlobClient> BlobAsync(string path)
    {
        var slash = path.IndexOf('/');
        return slash > 0
            ? BlobAsync(path[..slash], path[(slash + 1)..])
            : throw new ArgumentException($"Blob path '{path}' has no container; expected container/name.", nameof(path));
    }

    public async Task<BlobContainerClient> ContainerAsync(string container)
    {
        await EnsureContainersAsync();
        return service.GetBlobContainerClient(container);
    }

    /// <summary>Makes the containers that do not exist yet; once a process.</summary>
    public Task EnsureContainersAsync()
    {
        // A failed attempt (storage not up yet) is tried again by the next caller.
        if (_containers is null or { IsFaulted: true } or { IsCanceled: true })
            _containers = CreateAsync();
        return _containers;

        async Task CreateAsync()
        {
            foreach (var name in StorageLayout.Containers)
                await service.GetBlobContainerClient(name).CreateIfNotExistsAsync();
        }
    }

    /// <summary>Reads a JSON document; null if there is none.</summary>
    public async Task<(T Value, ETag ETag)?> ReadAsync<T>(string container, string name, CancellationToken cancel = default)
    {
        try
        {
            var content = await (await BlobAsync(container, name)).DownloadContentAsync(cancel);
            return (SdxlJson.Deserialize<T>(content.Value.Content.ToString()), content.Value.Details.ETag);
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
    }

    /// <summary>Writes a JSON document. <paramref name="ifMatch"/>: only over that version; null: whatever is there.</summary>
    /// <returns>The document's new tag.</returns>
    public async Task<ETag> WriteAsync<T>(string container, string name, T value, ETag? ifMatch = null,
        CancellationToken cancel = default)
    {
        var options = new BlobUploadOptions
        {
            HttpHeaders = new BlobHttpHeaders { ContentType = "application/json" },
            Conditions = ifMatch is { } tag ? new BlobRequestConditions { IfMatch = tag } : null,
        };
        var blob = await BlobAsync(container, name);
        return (await blob.UploadAsync(BinaryData.FromString(SdxlJson.Serialize(value)), options, cancel)).Value.ETag;
    }

    /// <summary>Removes a blob if it is still that version.</summary>
    /// <returns>false where it is another one by now, or gone.</returns>
    public async Task<bool> DeleteAsync(string container, string name, ETag ifMatch, CancellationToken cancel = default)
    {
        try
        {
            await (await BlobAsync(container, name)).DeleteAsync(
                DeleteSnapshotsOption.None, new BlobRequestConditions { IfMatch = ifMatch }, cancel);
            return true;
        }
        catch (RequestFailedException e) when (e.Status is 404 or 412)
        {
            return false;
        }
    }

    /// <summary>Writes a JSON document if there is none.</summary>
    /// <returns>false if there is one.</returns>
    public async Task<bool> CreateAsync<T>(string container, string name, T value, CancellationToken cancel = default) =>
        await TryCreateAsync(container, name, value, cancel) is not null;

    /// <summary>Writes a JSON document if there is none.</summary>
    /// <returns>Its tag; null if there is one.</returns>
    public async Task<ETag?> TryCreateAsync<T>(string container, string name, T value, CancellationToken cancel = default)
    {
        try
        {
            var made = await (await BlobAsync(container, name)).UploadAsync(
                BinaryData.FromString(SdxlJson.Serialize(value)),
                new BlobUploadOptions
                {
                    HttpHeaders = new BlobHttpHeaders { ContentType = "application/json" },
                    Conditions = new BlobRequestConditions { IfNoneMatch = ETag.All },
                },
                cancel);
            return made.Value.ETag;
        }
        catch (RequestFailedException e) when (e.Status is 409 or 412)
        {
            return null;
        }
    }

    public async Task WriteBytesAsync(
        string container,
        string name,
        byte[] bytes,
        string contentType,
        CancellationToken cancel = default
    ) =>
        await (await BlobAsync(container, name)).UploadAsync(
            new BinaryData(bytes), new BlobUploadOptions { HttpHeaders = new BlobHttpHeaders { ContentType = contentType } }, cancel);

    public async Task<byte[]> ReadBytesAsync(string container, string name, CancellationToken cancel = default) =>
        (await (await BlobAsync(container, name)).DownloadContentAsync(cancel)).Value.Content.ToArray();

    public async Task<bool> ExistsAsync(string container, string name, CancellationToken cancel = default) =>
        await (await BlobAsync(container, name)).ExistsAsync(cancel);

    /// <summary>Names that begin with a prefix, in order of names.</summary>
    public async Task<IReadOnlyList<string>> ListAsync(string container, string prefix, CancellationToken cancel = default)
    {
        var names = new List<string>();
        await foreach (var blob in (await ContainerAsync(container)).GetBlobsAsync(BlobTraits.None, BlobStates.None, prefix, cancel))
            names.Add(blob.Name);
        return names;
    }

    /// <summary>How many bytes the blobs have whose names begin with a prefix.</summary>
    public async Task<long> BytesAsync(string container, string prefix, CancellationToken cancel = default)
    {
        long bytes = 0;
        await foreach (var blob in (await ContainerAsync(container)).GetBlobsAsync(BlobTraits.None, BlobStates.None, prefix, cancel))
            bytes += blob.Properties.ContentLength ?? 0;
        return bytes;
    }

    /// <summary>Removes every blob whose name begins with <paramref name="prefix"/>.</summary>
    public async Task DeleteAllAsync(string container, string prefix, CancellationToken cancel = default)
    {
        var client = await ContainerAsync(container);
        await foreach (var blob in client.GetBlobsAsync(BlobTraits.None, BlobStates.None, prefix, cancel))
            await client.DeleteBlobIfExistsAsync(blob.Name, cancellationToken: cancel);
    }

    /// <summary>Copies a blob within a container, without its bytes coming here.</summary>
    public async Task CopyAsync(string container, string from, string to, CancellationToken cancel = default)
    {
        var client = await ContainerAsync(container);
        var copy = await client.GetBlobClient(to).StartCopyFromUriAsync(client.GetBlobClient(from).Uri, cancellationToken: cancel);
        await copy.WaitForCompletionAsync(cancel);
    }

    public async Task<string?> ReadTextAsync(string container, string name, CancellationToken cancel = default)
    {
        try
        {
            return (await (await BlobAsync(container, name)).DownloadContentAsync(cancel)).Value.Content.ToString();
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
    }

    /// <summary>Adds lines to a log (append blob). Lines of concurrent writers do not mix.</summary>
    public async Task AppendLinesAsync(string container, string name, IReadOnlyList<string> lines, CancellationToken cancel = default)
    {
        if (lines.Count == 0)
            return;
        var blob = (await ContainerAsync(container)).GetAppendBlobClient(name);
        var text = BinaryData.FromString(string.Concat(lines.Select(line => line.ReplaceLineEndings(" ") + "\n")));
        await blob.CreateIfNotExistsAsync(
            new AppendBlobCreateOptions { HttpHeaders = new BlobHttpHeaders { ContentType = "text/plain; charset=utf-8" } }, cancel);
        await blob.AppendBlockAsync(text.ToStream(), cancellationToken: cancel);
    }

    /// <summary>Adds a line to a log unless it stands there: for what may be done twice.</summary>
    public async Task AppendLineOnceAsync(string container, string name, string line, CancellationToken cancel = default)
    {
        var text = line.ReplaceLineEndings(" ") + "\n";
        if (await ReadTextAsync(container, name, cancel) is not { } log || !log.EndsWith(text, StringComparison.Ordinal))
            await AppendLinesAsync(container, name, [line], cancel);
    }
}
