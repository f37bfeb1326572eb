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
}
