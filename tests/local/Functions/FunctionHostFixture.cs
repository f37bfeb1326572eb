using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sdxl.Local.Broker;
using Sdxl.Local.Functions;

namespace Sdxl.Local.Tests.Functions;

/// <summary>The sample functions on the local host.</summary>
public sealed class FunctionHostFixture : HostFixture
{
    internal SampleLog Log { get; private set; } = new();

    internal BlobReceipts Receipts => Services.GetRequiredService<BlobReceipts>();

    public override async Task InitializeAsync()
    {
        await StartStorageAsync(new QueueSettings("jobs") { MaxDeliveryCount = 3 }, new QueueSettings("own"));
        await StartHost();
    }

    /// <summary>A new host on the same state.</summary>
    internal async Task RestartHost()
    {
        await StopHostAsync();
        Log = new SampleLog();
        await StartHost();
    }

    private Task StartHost() => StartHostAsync(typeof(SampleFunctions).Assembly, hostJson: null, builder =>
    {
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(Log);
    });
}
