using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace Sdxl.GpuWorker.Storage;

/// <summary>Blob storage as the worker uses it: folders down, files up.</summary>
public sealed class JobBlobs(BlobServiceClient service)
{
    /// <summary>
    /// Downloads every blob under <paramref name="prefix"/> (which ends in '/') that <paramref name="wanted"/> accepts into a folder.
    /// </summary>
    /// <returns>How many there were.</returns>
    public async Task<int> DownloadAsync(
        string container,
        string prefix,
        string folder,
        Func<string, bool> wanted,
        CancellationToken cancel
    )
    {
        var count = 0;
        var client = service.GetBlobContainerClient(container);
        await foreach (var blob in client.GetBlobsAsync(BlobTraits.None, BlobStates.None, prefix, cancel))
        {
            var name = blob.Name[prefix.Length..];
            if (!wanted(name))
                continue;
            var target = Path.GetFullPath(Path.Combine(folder, name));
            if (!target.StartsWith(Path.GetFullPath(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
                throw new InvalidDataException($"Blob {container}/{blob.Name} would be written outside {folder}; refused.");
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            await DownloadAsync(client.GetBlobClient(blob.Name), target, cancel);
            count++;
        }
        return count;
    }

    /// <returns>false if there is no such blob.</returns>
    public async Task<bool> DownloadFileAsync(string container, string name, string file, CancellationToken cancel)
    {
        try
        {
            await DownloadAsync(service.GetBlobContainerClient(container).GetBlobClient(name), file, cancel);
            return true;
        }
        catch (RequestFailedException e) when (e.Status is 404 or 400)
        {
            return false;
        }
    }

    public async Task UploadFileAsync(string container, string name, string file, CancellationToken cancel)
    {
        await using var content = File.OpenRead(file);
        await service.GetBlobContainerClient(container).GetBlobClient(name).UploadAsync(
            content, new BlobUploadOptions { HttpHeaders = new BlobHttpHeaders { ContentType = ContentType(file) } }, cancel);
    }

    public async Task UploadAsync(string container, string name, byte[] bytes, CancellationToken cancel) =>
        await service.GetBlobContainerClient(container).GetBlobClient(name).UploadAsync(
            new BinaryData(bytes), new BlobUploadOptions { HttpHeaders = new BlobHttpHeaders { ContentType = ContentType(name) } }, cancel);

    /// <returns>null if there is no such blob.</returns>
    public async Task<BinaryData?> ReadAsync(string container, string name, CancellationToken cancel)
    {
        try
        {
            return (await service.GetBlobContainerClient(container).GetBlobClient(name).DownloadContentAsync(cancel)).Value.Content;
        }
        catch (RequestFailedException e) when (e.Status is 404 or 400) // 400: a name that storage does not even take
        {
            return null;
        }
    }

    public async Task<bool> ExistsAsync(string container, string name, CancellationToken cancel) =>
        await service.GetBlobContainerClient(container).GetBlobClient(name).ExistsAsync(cancel);

    /// <returns>The content and which writing it is; null if there is no such blob.</returns>
    public async Task<(BinaryData Content, ETag Tag)?> ReadTaggedAsync(string container, string name, CancellationToken cancel)
    {
        try
        {
            var found = (await service.GetBlobContainerClient(container).GetBlobClient(name).DownloadContentAsync(cancel)).Value;
            return (found.Content, found.Details.ETag);
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
    }

    /// <summary>Writes over a known writing of a blob alone.</summary>
    /// <param name="over">null: only where there is none.</param>
    /// <returns>false: another writing is there by now.</returns>
    public async Task<bool> TryUploadAsync(string container, string name, byte[] bytes, ETag? over, CancellationToken cancel)
    {
        try
        {
            await service
                .GetBlobContainerClient(container)
                .GetBlobClient(name)
                .UploadAsync(
                    new BinaryData(bytes),
                    new BlobUploadOptions
                    {
                        HttpHeaders = new BlobHttpHeaders { ContentType = ContentType(name) },
                        Conditions = over is { } tag
                            ? new BlobRequestConditions { IfMatch = tag }
                            : new BlobRequestConditions { IfNoneMatch = ETag.All },
                    },
                    cancel
                );
            return true;
        }
        catch (RequestFailedException e) when (e.Status is 409 or 412)
        {
            return false;
        }
    }

    /// <summary>Which writing of a blob is there.</summary>
    /// <returns>null if there is no such blob.</returns>
    public async Task<ETag?> TagAsync(string container, string name, CancellationToken cancel)
    {
        try
        {
            return (await service.GetBlobContainerClient(container).GetBlobClient(name).GetPropertiesAsync(null, cancel)).Value.ETag;
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
    }

    /// <summary>A blob that grows at its end.</summary>
    public AppendedBlob Appended(string container, string name) =>
        new(service.GetBlobContainerClient(container).GetAppendBlobClient(name), ContentType(name));

    public async Task<IReadOnlyList<string>> ListAsync(string container, string prefix, CancellationToken cancel)
    {
        var names = new List<string>();
        await foreach (
            var blob in service.GetBlobContainerClient(container).GetBlobsAsync(BlobTraits.None, BlobStates.None, prefix, cancel)
        )
            names.Add(blob.Name);
        return names;
    }

    public Task DeleteAsync(string container, string name, CancellationToken cancel) =>
        service.GetBlobContainerClient(container).GetBlobClient(name).DeleteIfExistsAsync(cancellationToken: cancel);

    /// <summary>Deletes a blob unless it was written again since.</summary>
    public async Task DeleteAsync(string container, string name, ETag tag, CancellationToken cancel)
    {
        try
        {
            await service
                .GetBlobContainerClient(container)
                .GetBlobClient(name)
                .DeleteIfExistsAsync(DeleteSnapshotsOption.None, new BlobRequestConditions { IfMatch = tag }, cancel);
        }
        catch (RequestFailedException e) when (e.Status == 412)
        {
            // Written again: that one stays.
        }
    }

    private static async Task DownloadAsync(BlobClient blob, string target, CancellationToken cancel)
    {
        // A download that was cut off must not look whole: other name first.
        await blob.DownloadToAsync(target + ".part", cancel);
        File.Move(target + ".part", target, overwrite: true);
    }

    private static string ContentType(string name) => Path.GetExtension(name) switch
    {
        ".png" => "image/png",
        ".jpg" => "image/jpeg",
        ".json" => "application/json",
        ".html" => "text/html; charset=utf-8",
        ".jsonl" or ".txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
}
