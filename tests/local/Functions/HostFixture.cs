using System.Reflection;
using Azure.Messaging.ServiceBus;
using Azure.Storage.Blobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Sdxl.Local.Azurite;
using Sdxl.Local.Broker;
using Sdxl.Local.Functions;
using Sdxl.Tests;

namespace Sdxl.Local.Tests.Functions;

/// <summary>Functions on the local host, with a real Azurite and the local broker, all in a folder of its own.</summary>
public abstract class HostFixture : IAsyncLifetime
{
    private AzuriteServer azurite = null!;
    private WebApplication app = null!;

    public static string AzuriteScript => TestPaths.Root + "/tools/npm/node_modules/azurite/dist/src/blob/main.js";

    public HttpClient Http { get; private set; } = null!;

    public BlobServiceClient Storage { get; private set; } = null!;

    public ServiceBusClient ServiceBus { get; private set; } = null!;

    public IServiceProvider Services => app.Services;

    internal BrokerFile Broker { get; private set; } = null!;

    private protected TempFolder Folder { get; } = new();

    public abstract Task InitializeAsync();

    public async Task DisposeAsync()
    {
        await StopHostAsync();
        Broker.Dispose();
        await azurite.DisposeAsync();
        Folder.Dispose();
    }

    private protected async Task StartStorageAsync(params IEnumerable<QueueSettings> queues)
    {
        azurite = await AzuriteServer.StartAsync(AzuriteScript, Folder.File("azurite"), NullLogger.Instance, CancellationToken.None);
        Storage = azurite.CreateClient();
        Broker = new BrokerFile(Folder.File("broker.db"), TimeProvider.System);
        Broker.Declare(queues);
        ServiceBus = new LocalServiceBusClient(Broker);
    }

    protected async Task StartHostAsync(Assembly functions, string? hostJson, Action<WebApplicationBuilder> configure)
    {
        app = FunctionHost.Build(new FunctionHostOptions
        {
            Functions = functions,
            StateFolder = Folder.Path,
            HostJsonPath = hostJson,
            Storage = Storage,
            ServiceBus = ServiceBus,
            Configure = configure,
        });
        await app.StartAsync();
        var url = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        Http = new HttpClient { BaseAddress = new Uri(url) };
    }

    protected async Task StopHostAsync()
    {
        Http.Dispose();
        await app.StopAsync();
        await app.DisposeAsync();
    }
}
