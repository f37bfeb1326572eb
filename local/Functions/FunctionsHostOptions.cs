using Azure.Messaging.ServiceBus;

namespace Sdxl.Local.Functions;

/// <summary>Which functions app a <see cref="FunctionsHost"/> serves, and with what.</summary>
public sealed record FunctionsHostOptions
{
    /// <summary>
    /// The app's isolated worker: the dll in its built or published folder. host.json and functions.metadata lie beside it.
    /// </summary>
    public required string AppDll { get; init; }

    /// <summary>App settings; the worker gets them as environment variables, triggers find connections and %names% here.</summary>
    public required IReadOnlyDictionary<string, string> Settings { get; init; }

    /// <summary>host.json; null: the one in the app's folder.</summary>
    public string? HostJsonPath { get; init; }

    /// <summary>Address to listen at; port 0 takes a free one.</summary>
    public string Url { get; init; } = "http://127.0.0.1:0";

    /// <summary>
    /// What requests may call this host in their Host header, and pages that send them in Origin; all others are answered 403. Null:
    /// anything.
    /// </summary>
    public IReadOnlyCollection<string>? HostNames { get; init; }

    /// <summary>
    /// Where orchestrations live; also an IOrchestrationServiceClient, and for queries and purges an IOrchestrationServiceQueryClient and
    /// IOrchestrationServicePurgeClient. Null: an app with durable functions is refused.
    /// </summary>
    public IOrchestrationService? Orchestrations { get; init; }

    /// <summary>Connects to the Service Bus that a trigger's connection setting names; the host disposes of the client.</summary>
    public Func<string, ServiceBusClient> ConnectServiceBus { get; init; } = connectionString => new ServiceBusClient(connectionString);

    public required ILoggerFactory Loggers { get; init; }

    /// <summary>Time of timer triggers. Everything else waits in the machine's own time.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>
    /// The largest request body in bytes; larger ones are answered 413. Null: setting FUNCTIONS_REQUEST_BODY_SIZE_LIMIT, else 104857600,
    /// as on Azure.
    /// </summary>
    public long? MaxRequestBodyBytes { get; init; }

    /// <summary>How long a request waits for a worker that starts, before it is answered 503.</summary>
    public TimeSpan WorkerPatience { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>A worker that has not loaded its functions by then is killed and started again.</summary>
    public TimeSpan WorkerStartLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long running functions may go on when the host stops; then they are cancelled.</summary>
    public TimeSpan StopPatience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The pause before a message whose function failed is given back; doubles with each delivery, up to the longest.
    /// </summary>
    public TimeSpan RedeliveryPause { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan LongestRedeliveryPause { get; init; } = TimeSpan.FromSeconds(20);

    internal string AppFolder => Path.GetDirectoryName(Path.GetFullPath(AppDll))!;
}
