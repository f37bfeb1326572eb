using System.Reflection;
using System.Text.Json;
using Azure.Messaging.ServiceBus;
using Azure.Storage.Blobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.DurableTask.Client;
using Microsoft.DurableTask.Converters;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sdxl.Local.Durable;

namespace Sdxl.Local.Functions;

/// <summary>What a <see cref="FunctionHost"/> needs.</summary>
public sealed record FunctionHostOptions
{
    /// <summary>Where the [Function] methods are.</summary>
    public required Assembly Functions { get; init; }

    /// <summary>Folder for durable.db and functions.db.</summary>
    public required string StateFolder { get; init; }

    /// <summary>host.json; null or missing: defaults.</summary>
    public string? HostJsonPath { get; init; }

    /// <summary>Address to listen at; port 0 takes a free one.</summary>
    public string Url { get; init; } = "http://127.0.0.1:0";

    /// <summary>Adds settings and the functions' services. BlobServiceClient and ServiceBusClient are in the container already.</summary>
    public required Action<WebApplicationBuilder> Configure { get; init; }

    public required BlobServiceClient Storage { get; init; }

    public required ServiceBusClient ServiceBus { get; init; }
}

/// <summary>Runs an assembly of functions: HTTP on Kestrel, blob and Service Bus triggers, orchestrations on the durable engine.</summary>
public static class FunctionHost
{
    /// <summary>The largest request body; a zip of pictures fits.</summary>
    public const long MaxBodyBytes = 250L * 1024 * 1024;

    public static WebApplication Build(FunctionHostOptions options)
    {
        var functions = FunctionMethod.Discover(options.Functions);
        var hostJson = HostJson.Read(options.HostJsonPath);
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseUrls(options.Url).ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = MaxBodyBytes);

        AddHostServices(builder.Services, functions, hostJson, options);
        options.Configure(builder);

        var app = builder.Build();
        HttpBinding.Map(app, functions, hostJson.RoutePrefix);
        return app;
    }

    private static void AddHostServices(
        IServiceCollection services, IReadOnlyList<FunctionMethod> functions, HostJson hostJson, FunctionHostOptions options)
    {
        services.AddMvcCore();
        services.Configure<FormOptions>(form => form.MultipartBodyLengthLimit = MaxBodyBytes);
        services.Configure<JsonSerializerOptions>(json => json.PropertyNameCaseInsensitive = true); // the worker's own default
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(hostJson);
        services.AddSingleton<IEnumerable<FunctionMethod>>(functions);
        services.AddSingleton<FunctionInvoker>();
        services.AddSingleton(options.Storage);
        services.AddSingleton(options.ServiceBus);
        services.AddSingleton(_ => new BlobReceipts(Path.Combine(options.StateFolder, "functions.db")));
        services.AddSingleton(provider => new DurableEngine(
            DurableBinding.Register(functions, provider.GetRequiredService<FunctionInvoker>),
            new DurableEngineOptions
            {
                DatabasePath = Path.Combine(options.StateFolder, "durable.db"),
                MaxConcurrentActivities = hostJson.MaxConcurrentActivities,
                Converter = new JsonDataConverter(provider.GetRequiredService<IOptions<JsonSerializerOptions>>().Value),
            },
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>()));
        services.AddSingleton<DurableTaskClient>(provider => provider.GetRequiredService<DurableEngine>().Client);
        services.AddHostedService<DurableEngineService>();
        services.AddHostedService<ServiceBusTriggerService>();
        services.AddHostedService<BlobTriggerService>();
    }
}
