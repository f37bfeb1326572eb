using System.Collections.Concurrent;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Sdxl.Local.Functions;

/// <summary>Starts blob functions: looks through their containers every second; a failed version is tried five times, then given up.</summary>
internal sealed class BlobTriggerService(
    IEnumerable<FunctionMethod> functions, BlobServiceClient storage, BlobReceipts receipts, FunctionInvoker invoker, ILogger<BlobTriggerService> logger)
    : BackgroundService
{
    private const int MaxAttempts = 5; // as the Functions host

    private static readonly TimeSpan ScanInterval = TimeSpan.FromSeconds(1);

    private readonly List<(FunctionMethod Function, BlobPathPattern Path)> triggers =
        [.. functions.Where(function => function.Trigger is BlobTriggerAttribute).Select(function => (function, new BlobPathPattern(((BlobTriggerAttribute)function.Trigger).BlobPath)))];

    private readonly ConcurrentDictionary<(string Function, string Blob), Task> running = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (triggers.Count == 0)
            return;
        using var timer = new PeriodicTimer(ScanInterval);
        try
        {
            do
            {
                foreach (var container in triggers.Select(trigger => trigger.Path.Container).Distinct())
                    await Scan(container, stoppingToken);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await Task.WhenAll(running.Values);
        }
    }

    private async Task Scan(string container, CancellationToken stopping)
    {
        try
        {
            await foreach (var blob in storage.GetBlobContainerClient(container).GetBlobsAsync(BlobTraits.None, BlobStates.None, null, stopping))
            {
                foreach (var (function, path) in triggers)
                {
                    if (path.Container == container && path.Match(blob.Name) is { } placeholders)
                        Consider(function, container, blob, placeholders, stopping);
                }
            }
        }
        catch (RequestFailedException exception) when (exception.Status == 404)
        {
            // The container does not exist yet.
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !stopping.IsCancellationRequested)
        {
            // An outage comes as an AggregateException of all tries, a locked file as a SqliteException: none of them may end the host.
            logger.ContainerNotScanned(container, exception.Message);
        }
    }

    private void Consider(FunctionMethod function, string container, BlobItem blob, Dictionary<string, object?> placeholders, CancellationToken stopping)
    {
        var key = (function.Name, $"{container}/{blob.Name}");
        var etag = blob.Properties.ETag.ToString()!;
        if (running.ContainsKey(key) || receipts.OpenAttempts(function.Name, container, blob.Name, etag) is not { } attempts)
            return;
        var start = new TaskCompletionSource();
        running[key] = Task.Run(async () =>
        {
            await start.Task; // so that the removal below comes after the entry
            try
            {
                await Run(function, container, blob.Name, etag, attempts + 1, placeholders, stopping);
            }
            finally
            {
                running.TryRemove(key, out _);
            }
        }, CancellationToken.None);
        start.SetResult();
    }

    private async Task Run(
        FunctionMethod function, string container, string blobName, string etag, int attempt, Dictionary<string, object?> placeholders, CancellationToken stopping)
    {
        var client = storage.GetBlobContainerClient(container).GetBlobClient(blobName);
        placeholders["BlobTrigger"] = $"{container}/{blobName}";
        placeholders["Uri"] = client.Uri;
        Stream? opened = null;
        try
        {
            // Content is fetched before binding, because binding is synchronous.
            var content = await Content(function.TriggerParameter.ParameterType, client, stopping);
            opened = content as Stream;
            await invoker.Invoke(function, new Invocation { TriggerValue = _ => content, BindingData = placeholders }, stopping);
            receipts.Write(function.Name, container, blobName, etag, attempt, "done", null);
        }
        catch (Exception) when (stopping.IsCancellationRequested)
        {
            // No receipt: it runs again after the next start.
        }
        catch (Exception exception)
        {
            logger.FunctionFailed(exception, function.Name, $"{container}/{blobName}, attempt {attempt} of {MaxAttempts}");
            receipts.Write(function.Name, container, blobName, etag, attempt, attempt < MaxAttempts ? "open" : "poison", exception.Message);
        }
        finally
        {
            if (opened is not null)
                await opened.DisposeAsync();
        }
    }

    private async Task<object> Content(Type type, BlobClient client, CancellationToken stopping)
    {
        if (type == typeof(BlobClient) || type == typeof(BlobBaseClient))
            return client;
        if (type == typeof(BlockBlobClient))
            return storage.GetBlobContainerClient(client.BlobContainerName).GetBlockBlobClient(client.Name);
        if (type == typeof(Stream))
            return await client.OpenReadAsync(cancellationToken: stopping);
        var content = (await client.DownloadContentAsync(stopping)).Value.Content;
        return Payload.Convert(content, type);
    }
}
