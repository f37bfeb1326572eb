using Azure.Core;
using Azure.Identity;
using Azure.Messaging.ServiceBus;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Sdxl.GpuWorker.Jobs;
using Sdxl.GpuWorker.Storage;

namespace Sdxl.GpuWorker.Hosting;

/// <summary>Everything the worker needs, registered once; the container and the local host call this.</summary>
public static class GpuWorkerServices
{
    /// <summary>Seconds a stopping worker gets: finish the step, write the checkpoint, upload it, give the message back.</summary>
    private const int ShutdownSeconds = 120;

    public static IServiceCollection AddGpuWorker(this IServiceCollection services, IConfiguration configuration)
    {
        services.Configure<WorkerOptions>(configuration.GetSection(WorkerOptions.Section));
        services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(ShutdownSeconds));
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<TokenCredential>(_ => new DefaultAzureCredential());
        services.TryAddSingleton(provider => Connect(
            configuration, "SdxlStorage", "blobServiceUri",
            text => new BlobServiceClient(text),
            uri => new BlobServiceClient(new Uri(uri), provider.GetRequiredService<TokenCredential>())));
        services.TryAddSingleton(provider => Connect(
            configuration, "SdxlServiceBus", "fullyQualifiedNamespace",
            text => new ServiceBusClient(text),
            name => new ServiceBusClient(name, provider.GetRequiredService<TokenCredential>())));
        services.AddSingleton<WorkerDevice>();
        services.AddSingleton<JobBlobs>();
        services.AddSingleton<EventSender>();
        services.AddSingleton<TrainingHandler>();
        services.AddSingleton<PredictionFiles>();
        services.AddSingleton<PredictionHandler>();
        services.AddHostedService<JobLoop>();
        return services;
    }

    private static T Connect<T>(IConfiguration configuration, string name, string identityKey, Func<string, T> byText, Func<string, T> byIdentity)
    {
        if (configuration[name] is { Length: > 0 } text)
            return byText(text);
        if (configuration[$"{name}:{identityKey}"] is { Length: > 0 } address)
            return byIdentity(address);
        throw new InvalidOperationException(
            $"Setting '{name}' is missing. Set it to a connection string, or set '{name}__{identityKey}' to use the managed identity.");
    }
}
