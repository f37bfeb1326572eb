using Azure.Messaging.ServiceBus;
using Azure.Storage.Blobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Sdxl.Local.Azurite;
using Sdxl.Local.Broker;
using Sdxl.Local.Functions;
using Sdxl.Tests;

namespace Sdxl.Local.Tests.Functions;

/// <summary>The sample functions on the local host, with a real Azurite and the local broker.</summary>
public sealed class FunctionHostFixture : IAsyncLifetime
{
    private readonly TempFolder folder = new();
    private AzuriteServer azurite = null!;
    private BrokerFile broker = null!;
    private WebApplication app = null!;

    internal SampleLog Log { get; private set; } = new();

    internal HttpClient Http { get; private set; } = null!;

    internal BlobServiceClient Storage { get; private set; } = null!;

    internal ServiceBusClient ServiceBus { get; private set; } = null!;

    internal BrokerFile Broker => broker;

    internal BlobReceipts Receipts => app.Services.GetRequiredService<BlobReceipts>();

    public static string AzuriteScript => TestPaths.Root + "/tools/npm/node_modules/azurite/dist/src/blob/main.js";

    public async Task InitializeAsync()
    {
        azurite = await AzuriteServer.StartAsync(AzuriteScript, folder.File("azurite"), NullLogger.Instance, CancellationToken.None);
        Storage = azurite.CreateClient();
        broker = new BrokerFile(folder.File("broker.db"), TimeProvider.System);
        broker.Declare(new QueueSettings("jobs") { MaxDeliveryCount = 3 }, new QueueSettings("own"));
        ServiceBus = new LocalServiceBusClient(broker);
        await StartHost();
    }

    /// <summary>A new host on the same state.</summary>
    internal async Task RestartHost()
    {
        await StopHost();
        Log = new SampleLog();
        await StartHost();
    }

    public async Task DisposeAsync()
    {
        await StopHost();
        broker.Dispose();
        await azurite.DisposeAsync();
        folder.Dispose();
    }

    private async Task StartHost()
    {
        app = FunctionHost.Build(new FunctionHostOptions
        {
            Functions = typeof(SampleFunctions).Assembly,
            StateFolder = folder.Path,
            Storage = Storage,
            ServiceBus = ServiceBus,
            Configure = builder =>
            {
                builder.Logging.ClearProviders();
                builder.Services.AddSingleton(Log);
            },
        });
        await app.StartAsync();
        var url = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        Http = new HttpClient { BaseAddress = new Uri(url) };
    }

    private async Task StopHost()
    {
        Http.Dispose();
        await app.StopAsync();
        await app.DisposeAsync();
    }
}
