using Azure.Messaging.ServiceBus;
using Azure.Storage.Blobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sdxl.GpuWorker.Hosting;
using Sdxl.Local.Broker;

namespace Sdxl.Local.Hosting;

/// <summary>The GPU worker, with the local broker and Azurite behind it.</summary>
internal static class WorkerHost
{
    public static async Task<int> RunAsync(LocalArguments arguments)
    {
        if (arguments.Storage is null)
            throw new FormatException("worker needs --storage CONNECTIONSTRING.");
        // A worker whose host was killed may still be finishing its step in the same scratch folder.
        await using var turn = await FileLock.Take(arguments.State.WorkerLock, CancellationToken.None);

        var builder = Host.CreateApplicationBuilder();
        ModelSettings.Apply(builder.Configuration, arguments);
        LocalLogging.Configure(builder.Logging);
        builder.Services.AddSingleton(new BlobServiceClient(arguments.Storage));
        builder.Services.AddSingleton(_ => new BrokerFile(arguments.State.BrokerFile, TimeProvider.System));
        builder.Services.AddSingleton<ServiceBusClient>(provider => new LocalServiceBusClient(provider.GetRequiredService<BrokerFile>()));
        if (arguments.ParentId is { } parent)
            builder.Services.AddHostedService(provider => new ParentWatch(parent, provider.GetRequiredService<IHostApplicationLifetime>()));
        builder.Services.AddGpuWorker(builder.Configuration);
        using var host = builder.Build();
        await host.RunAsync();
        return 0;
    }
}
