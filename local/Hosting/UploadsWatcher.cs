using Azure.Messaging;
using Azure.Messaging.ServiceBus;
using Azure.Storage.Blobs.Models;

namespace Sdxl.Local.Hosting;

/// <summary>
/// Stands in for Event Grid, which Azurite does not have: looks through the uploads container every two seconds and sends for each new or
/// changed blob the CloudEvent that Event Grid would send to the queue. Remembers in SQLite what it has told; a word that was sent twice
/// starts nothing, the app sees to that.
/// </summary>
internal sealed class UploadsWatcher : IAsyncDisposable
{
    private const string Schema = "CREATE TABLE IF NOT EXISTS told (blob TEXT PRIMARY KEY, etag TEXT NOT NULL) WITHOUT ROWID;";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly BlobContainerClient container;
    private readonly ServiceBusSender queue;
    private readonly ILogger logger;
    private readonly SqliteFile receipts;
    private readonly CancellationTokenSource stopping = new();
    private readonly Task watching;

    public UploadsWatcher(BlobServiceClient storage, ServiceBusClient queues, string path, ILogger logger)
    {
        (container, this.logger) = (storage.GetBlobContainerClient(StorageLayout.Uploads), logger);
        (queue, receipts) = (queues.CreateSender(Queues.Uploads), new SqliteFile(path, Schema, version: 1));
        watching = Task.Run(WatchAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await queue.DisposeAsync();
        receipts.Dispose();
    }

    private async Task WatchAsync()
    {
        for (; ; await Task.Delay(Interval, stopping.Token))
        {
            try
            {
                await foreach (var blob in container.GetBlobsAsync(BlobTraits.None, BlobStates.None, null, stopping.Token))
                    await TellAsync(blob, blob.Properties.ETag.ToString()!);
            }
            catch (Exception exception) when (!stopping.IsCancellationRequested)
            {
                // Storage or queue away, the container not there yet: the next look finds what this one missed.
                logger.UploadsNotSeen(exception.Message);
            }
        }
    }

    private async Task TellAsync(BlobItem blob, string etag)
    {
        if (receipts.Read(session => session.Scalar($"SELECT 1 FROM told WHERE blob = {blob.Name} AND etag = {etag}")) is not null)
            return;
        await queue.SendMessageAsync(MessageOf(blob, etag), stopping.Token);
        receipts.Write(session => session.Execute($"INSERT OR REPLACE INTO told VALUES ({blob.Name}, {etag})"));
    }

    /// <summary>As Event Grid's system topic of a storage account delivers it to a queue.</summary>
    private ServiceBusMessage MessageOf(BlobItem blob, string etag)
    {
        var happened = new CloudEvent($"/storageAccounts/{container.AccountName}", StorageLayout.BlobCreated, new
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
        return new(BinaryData.FromObjectAsJson(happened)) { MessageId = happened.Id, ContentType = "application/cloudevents+json" };
    }
}
