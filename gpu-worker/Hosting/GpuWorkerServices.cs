using Azure.Core;
using Azure.Identity;
using Azure.Messaging.ServiceBus;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Sdxl.Core.Settings;
using Sdxl.GpuWorker.Jobs;
using Sdxl.GpuWorker.Storage;
using Sdxl.GpuWorker.Telemetry;

namespace Sdxl.GpuWorker.Hosting;

/// <summary>Everything the worker needs, registered once.</summary>
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
        services.TryAddSingleton(provider => Connections.Connect(
            name => configuration[name], Connections.Storage,
            text => new BlobServiceClient(text),
            uri => new BlobServiceClient(new Uri(uri), provider.GetRequiredService<TokenCredential>())));
        services.TryAddSingleton(provider => Connections.Connect(
            name => configuration[name], Connections.ServiceBus,
            text => new ServiceBusClient(text),
            name => new ServiceBusClient(name, provider.GetRequiredService<TokenCredential>())));
        services.AddSingleton<WorkerDevice>();
        services.AddSingleton<WorkerScratch>();
        services.AddSingleton<JobBlobs>();
        services.AddSingleton<EventSender>();
        services.AddSingleton<WorkerHealth>();
        services.AddSingleton<Patience>();
        services.AddSingleton<JobTurns>();
        services.AddSingleton<JobResults>();
        services.AddSingleton<Deliveries>();
        services.AddSingleton<StepGate>();
        services.AddSingleton<VersionFiles>();
        services.AddSingleton<TrainingHandler>();
        services.AddSingleton<PredictionFiles>();
        services.AddSingleton<PredictionHandler>();
        services.AddSingleton<JobTelemetry>();
        services.AddWorkerTelemetry(configuration);
        services.AddSingleton<Retirement>();
        services.AddSingleton<WorkerBeacon>();
        services.AddHostedService<ModelsDownload>(); // first: no job is taken before its models are there
        services.AddHostedService(provider => provider.GetRequiredService<WorkerBeacon>());
        services.AddHostedService<JobLoop>();
        return services;
    }
}
