using Microsoft.Extensions.Logging;

namespace Sdxl.Local;

/// <summary>What this room logs: event ids 5000 to 5999.</summary>
internal static partial class Logs
{
    [LoggerMessage(5000, LogLevel.Information, "{InstanceId}: orchestration '{Name}' {Status} after {Turns} history lines.")]
    public static partial void OrchestrationEnded(this ILogger logger, string instanceId, string name, string status, int turns);

    [LoggerMessage(5001, LogLevel.Error, "{InstanceId}: orchestration '{Name}' failed: {Error}")]
    public static partial void OrchestrationFailed(this ILogger logger, string instanceId, string name, string error);

    [LoggerMessage(5002, LogLevel.Warning, "{InstanceId}: activity '{Name}' #{TaskId} failed.")]
    public static partial void ActivityFailed(this ILogger logger, Exception exception, string instanceId, string name, int taskId);

    [LoggerMessage(5003, LogLevel.Information, "{InstanceId}: '{Name}' is tried again, attempt {Attempt}.")]
    public static partial void RetryingTask(this ILogger logger, string instanceId, string name, int attempt);

    [LoggerMessage(5004, LogLevel.Error, "{InstanceId}: a turn of the orchestration could not be stored; it is tried again in {DelaySeconds} s.")]
    public static partial void TurnNotStored(this ILogger logger, Exception exception, string instanceId, double delaySeconds);

    [LoggerMessage(5005, LogLevel.Error, "The store of the orchestrations could not be read or written; next try in {DelaySeconds} s.")]
    public static partial void StoreNotRead(this ILogger logger, Exception exception, double delaySeconds);

    [LoggerMessage(5010, LogLevel.Error, "Function '{Function}' failed ({Trigger}).")]
    public static partial void FunctionFailed(this ILogger logger, Exception exception, string function, string trigger);

    [LoggerMessage(5011, LogLevel.Warning, "Container '{Container}' could not be looked through; next try in a second. {Error}")]
    public static partial void ContainerNotScanned(this ILogger logger, string container, string error);

    [LoggerMessage(5012, LogLevel.Warning, "Queue '{Queue}': {Error}")]
    public static partial void QueueNotRead(this ILogger logger, string queue, string error);

    [LoggerMessage(5020, LogLevel.Warning, "{Name} (process {Pid}) ended with code {ExitCode}; it is started again in {PauseSeconds} s.")]
    public static partial void ChildDied(this ILogger logger, string name, int pid, int exitCode, double pauseSeconds);

    [LoggerMessage(5021, LogLevel.Warning, "{Name} (process {Pid}) did not stop within {PatienceSeconds} s and was killed.")]
    public static partial void ChildKilled(this ILogger logger, string name, int pid, double patienceSeconds);

    [LoggerMessage(5022, LogLevel.Information, "The host is ready at {Url}; its state is in {Folder}.")]
    public static partial void HostReady(this ILogger logger, string url, string folder);

    [LoggerMessage(5023, LogLevel.Information, "The host stops: first the worker, then the functions, then the storage.")]
    public static partial void HostStopping(this ILogger logger);
}
