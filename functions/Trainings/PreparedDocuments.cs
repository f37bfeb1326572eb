using System.Collections.Concurrent;
using Azure;
using Azure.Storage.Blobs.Models;
using Sdxl.Core.Identity;
using Sdxl.Core.Storage;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Trainings.Activities;

namespace Sdxl.Functions.Trainings;

/// <summary>
/// The documents of a data set's pictures. A growing report is asked for again and again: one listing tells which documents are new, and
/// the others are known by their ETag.
/// </summary>
public sealed class PreparedDocuments(BlobStore blobs)
{
    private const int Remembered = 5000;

    private readonly ConcurrentDictionary<string, (ETag Tag, PreparedDocument Document)> _known = new();

    /// <returns>By the picture's number; what is not prepared yet is not in it.</returns>
    public async Task<IReadOnlyDictionary<int, (PreparedDocument Document, ETag Tag)>> AllAsync(JobKey training, CancellationToken cancel)
    {
        var container = await blobs.ContainerAsync(StorageLayout.Datasets);
        var prefix = StorageLayout.Dataset(training, PreparedDocument.Folder);
        var found = new Dictionary<int, (PreparedDocument, ETag)>();
        await foreach (var blob in container.GetBlobsAsync(BlobTraits.None, BlobStates.None, prefix, cancel))
        {
            if (!int.TryParse(Path.GetFileNameWithoutExtension(blob.Name[prefix.Length..]), out var index))
                continue;
            if (_known.TryGetValue(blob.Name, out var known) && known.Tag == blob.Properties.ETag)
                found[index] = (known.Document, known.Tag);
            else if (await blobs.ReadAsync<PreparedDocument>(StorageLayout.Datasets, blob.Name, cancel) is { } read)
                found[index] = Keep(blob.Name, read.Value, read.ETag);
        }
        return found;
    }

    /// <returns>null where it is not prepared yet.</returns>
    public async Task<(PreparedDocument Document, ETag Tag)?> OneAsync(JobKey training, int index, CancellationToken cancel) =>
        await blobs.ReadAsync<PreparedDocument>(StorageLayout.Datasets, NameOf(training, index), cancel);

    /// <exception cref="RequestFailedException">412: somebody else has changed it since <paramref name="tag"/>.</exception>
    public async Task<ETag> WriteAsync(JobKey training, int index, PreparedDocument document, ETag tag, CancellationToken cancel)
    {
        await blobs.WriteAsync(StorageLayout.Datasets, NameOf(training, index), document, tag, cancel);
        return (await OneAsync(training, index, cancel))?.Tag ?? tag;
    }

    private static string NameOf(JobKey training, int index) => StorageLayout.Dataset(training, PreparedDocument.FileName(index));

    private (PreparedDocument, ETag) Keep(string name, PreparedDocument document, ETag tag)
    {
        if (_known.Count >= Remembered)
            _known.Clear();
        _known[name] = (tag, document);
        return (document, tag);
    }
}
