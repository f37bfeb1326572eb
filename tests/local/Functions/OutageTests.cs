using Azure.Core;
using Azure.Messaging.ServiceBus;
using Azure.Storage.Blobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Sdxl.Local.Functions;

namespace Sdxl.Local.Tests.Functions;

/// <summary>What triggers do while storage or queues are away.</summary>
public sealed class OutageTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TempFolder folder = new();
    private readonly ServiceProvider services = new ServiceCollection().BuildServiceProvider();

    public void Dispose()
    {
        services.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task The_blob_trigger_looks_again_after_an_outage_of_the_storage()
    {
        var asked = new SemaphoreSlim(0);
        var options = new BlobClientOptions { Retry = { MaxRetries = 1, Mode = RetryMode.Fixed, Delay = TimeSpan.FromMilliseconds(1) } };
        options.AddPolicy(new CountingPolicy(asked), HttpPipelinePosition.PerCall);
        // Nothing listens on port 1: all tries are refused, and the client throws an AggregateException of them.
        var storage = new BlobServiceClient(
            "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:1/a;", options);
        using var receipts = new BlobReceipts(folder.File("functions.db"));
        using var service = new BlobTriggerService(
            Functions(nameof(Triggers.Blob)), storage, receipts, new FunctionInvoker(services), NullLogger<BlobTriggerService>.Instance);

        await GoesOn(service, asked);
    }

    [Fact]
    public async Task The_queue_trigger_asks_again_after_any_exception()
    {
        var asked = new SemaphoreSlim(0);
        using var service = new ServiceBusTriggerService(
            Functions(nameof(Triggers.Message)), new BrokenClient(asked), new HostJson(), new FunctionInvoker(services), NullLogger<ServiceBusTriggerService>.Instance);

        await GoesOn(service, asked);
    }

    private static async Task GoesOn(BackgroundService service, SemaphoreSlim asked)
    {
        await service.StartAsync(CancellationToken.None);
        for (var time = 0; time < 3; time++)
            Assert.True(await asked.WaitAsync(Patience), $"asked {time} times only: {service.ExecuteTask!.Exception}");
        await service.StopAsync(CancellationToken.None);
        Assert.True(service.ExecuteTask!.IsCompletedSuccessfully, $"{service.ExecuteTask.Exception}");
    }

    private static IReadOnlyList<FunctionMethod> Functions(string name) => [.. FunctionMethod.Discover("Triggers", typeof(Triggers)).Where(function => function.Name == name)];

    private sealed class CountingPolicy(SemaphoreSlim asked) : Azure.Core.Pipeline.HttpPipelineSynchronousPolicy
    {
        public override void OnSendingRequest(HttpMessage message) => asked.Release();
    }

    private sealed class BrokenClient(SemaphoreSlim asked) : ServiceBusClient
    {
        public override ServiceBusReceiver CreateReceiver(string queueName) => new BrokenReceiver(asked);
    }

    private sealed class BrokenReceiver(SemaphoreSlim asked) : ServiceBusReceiver
    {
        public override Task<ServiceBusReceivedMessage> ReceiveMessageAsync(TimeSpan? maxWaitTime = default, CancellationToken cancellationToken = default)
        {
            asked.Release();
            throw new IOException("disk I/O error");
        }

        public override ValueTask DisposeAsync() => default;
    }

    private static class Triggers
    {
        [Microsoft.Azure.Functions.Worker.Function(nameof(Blob))]
        public static void Blob([Microsoft.Azure.Functions.Worker.BlobTrigger("uploads/{name}")] string content) => _ = content;

        [Microsoft.Azure.Functions.Worker.Function(nameof(Message))]
        public static void Message([Microsoft.Azure.Functions.Worker.ServiceBusTrigger("jobs")] string body) => _ = body;
    }
}
