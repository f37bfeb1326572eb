namespace Sdxl.Local.Functions;

/// <summary>Which functions app a <see cref="FunctionsHost"/> serves, and with what.</summary>
public sealed record FunctionsHostOptions
{
    /// <summary>The app's isolated worker: the dll in its built or published folder, where host.json lies too.</summary>
    public required string AppDll { get; init; }

    /// <summary>
    /// App settings; the worker gets them as environment variables, triggers find connections and %names% here.
    /// FUNCTIONS_REQUEST_BODY_SIZE_LIMIT is the largest request body in bytes (larger ones are answered 413); 104857600 without it.
    /// </summary>
    public required IReadOnlyDictionary<string, string> Settings { get; init; }

    /// <summary>Where orchestrations live; not disposed of.</summary>
    public required SqliteOrchestrationService Orchestrations { get; init; }

    public required ILoggerFactory Loggers { get; init; }

    /// <summary>Address to listen at; port 0 takes a free one.</summary>
    public string Url { get; init; } = "http://127.0.0.1:0";

    /// <summary>What the Host and Origin of requests may be; all others are answered 403. Null: anything.</summary>
    public IReadOnlyCollection<string>? HostNames { get; init; }

    /// <summary>How long a request waits for a worker that starts, before it is answered 503.</summary>
    public TimeSpan WorkerPatience { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long running functions may go on when the host stops; then they are cancelled.</summary>
    public TimeSpan StopPatience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The pause before a message whose function failed is given back; doubles with each delivery, up to 20 s.</summary>
    public TimeSpan RedeliveryPause { get; init; } = TimeSpan.FromSeconds(1);

    internal string AppFolder => Path.GetDirectoryName(Path.GetFullPath(AppDll))!;
}

/// <summary>What the parts of a running host share.</summary>
/// <param name="Stopping">Nothing new is taken.</param>
/// <param name="Overdue">What still runs is cancelled.</param>
internal sealed record HostContext(
    FunctionsHostOptions Options, HostJson HostJson, ILogger Logger, CancellationToken Stopping, CancellationToken Overdue);
