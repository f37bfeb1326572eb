using Azure.Messaging;
using Azure.Messaging.ServiceBus;
using Azure.Storage.Blobs.Models;

namespace Sdxl.Local.Hosting;

/// <summary>
/// Stands in for Event Grid, which Azurite does not have: looks through the uploads container every two seconds and sends for each new or
/// changed blob the CloudEvent that Event Grid would send to the queue. Remembers in SQLite what it has told; a word that was sent twice
/// starts nothing, the app sees to that.
/// </summary>
internal sealed class UploadsWatcher(BlobServiceClient storage, ServiceBusClient queues, string path, ILogger logger) : IAsyncDisposable
{
    private const int Version = 1;

    private const string Schema = "CREATE TABLE IF NOT EXISTS told (blob TEXT PRIMARY KEY, etag TEXT NOT NULL) WITHOUT ROWID;";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource stopping = new();
    private readonly SqliteFile receipts = new(path, Schema, Version);
    private Task watching = Task.CompletedTask;

    public void Start() => watching = Task.Run(WatchAsync);

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await watching;
        receipts.Dispose();
        stopping.Dispose();
    }

    private async Task WatchAsync()
    {
        await using var sender = queues.CreateSender(Queues.Uploads);
        var told = receipts
            .Read(session => session.Query("SELECT blob, etag FROM told", row => (Blob: row.GetString(0), ETag: row.GetString(1))))
            .ToDictionary(row => row.Blob, row => row.ETag);
        using var timer = new PeriodicTimer(Interval);
        try
        {
            do
                await LookAsync(told, sender);
            while (await timer.WaitForNextTickAsync(stopping.Token));
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    private async Task LookAsync(Dictionary<string, string> told, ServiceBusSender sender)
    {
        try
        {
            await foreach (
                var blob in storage
                    .GetBlobContainerClient(StorageLayout.Uploads)
                    .GetBlobsAsync(BlobTraits.None, BlobStates.None, null, stopping.Token)
            )
            {
                var etag = blob.Properties.ETag.ToString()!;
                if (told.GetValueOrDefault(blob.Name) == etag)
                    continue;
                await sender.SendMessageAsync(MessageOf(blob, etag), stopping.Token);
                receipts.Write(session =>
                    session.Execute("INSERT OR REPLACE INTO told VALUES ($blob, $etag)", ("$blob", blob.Name), ("$etag", etag))
                );
                told[blob.Name] = etag;
            }
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !stopping.IsCancellationRequested)
        {
            // Storage or queue away, the container not there yet: the next look finds what this one missed.
            logger.UploadsNotSeen(exception.Message);
        }
    }

    /// <summary>As Event Grid's system topic of a storage account delivers it to a queue.</summary>
    private ServiceBusMessage MessageOf(BlobItem blob, string etag)
    {
        var container = storage.GetBlobContainerClient(StorageLayout.Uploads);
        var happened = new CloudEvent($"/storageAccounts/{storage.AccountName}", StorageLayout.BlobCreated, new
        {
            api = "PutBlob",
            eTag = etag,
            contentType = blob.Properties.ContentType,
            contentLength = blob.Properties.ContentLength,
            blobType = "BlockBlob",
            url = container.GetBlobClient(blob.Name).Uri,
        })
        {
            Subject = $"/blobServices/default/containers/{StorageLayout.Uploads}/blobs/{blob.Name}",
            Time = blob.Properties.LastModified,
        };
        return new ServiceBusMessage(BinaryData.FromObjectAsJson(happened))
        {
            MessageId = happened.Id,
            ContentType = "application/cloudevents+json",
        };
    }
}
