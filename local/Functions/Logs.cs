using Azure.Messaging.ServiceBus;

namespace Sdxl.Local.Functions;

/// <summary>What the Functions host logs: event ids 5100 to 5199.</summary>
internal static partial class Logs
{
    [LoggerMessage(5100, LogLevel.Information, "The functions worker (process {Pid}) serves {Count} functions after {Milliseconds} ms.")]
    public static partial void WorkerReady(this ILogger logger, int pid, int count, long milliseconds);
    [LoggerMessage(5101, LogLevel.Error, "The functions worker (process {Pid}) did not get ready: {Why}")]
    public static partial void WorkerNotReady(this ILogger logger, int pid, string why);
    [LoggerMessage(EventId = 5102, Message = "{Line}")]
    public static partial void WorkerSaid(this ILogger logger, LogLevel level, string line);
    [LoggerMessage(EventId = 5103, Message = "{Text} [{InvocationId}]")]
    public static partial void FunctionSaid(this ILogger logger, LogLevel level, string text, string invocationId);
    [LoggerMessage(5104, LogLevel.Error, "Function '{Function}' could not be loaded and is not served: {Error}")]
    public static partial void FunctionNotLoaded(this ILogger logger, string function, string error);
    [LoggerMessage(5105, LogLevel.Warning, "Function '{Function}' has a {Trigger}, which this host does not fire.")]
    public static partial void TriggerNotServed(this ILogger logger, string function, string trigger);
    [LoggerMessage(5106, LogLevel.Error, "Function '{Function}' cannot be triggered: {Error}")]
    public static partial void TriggerNotStarted(this ILogger logger, string function, string error);
    [LoggerMessage(5107, LogLevel.Error, "No trigger but HTTP is on: {Error}")]
    public static partial void TriggersNotStarted(this ILogger logger, string error);
    [LoggerMessage(5110, LogLevel.Error, "Function '{Function}' failed [{InvocationId}]: {Error}")]
    public static partial void FunctionFailed(this ILogger logger, string function, string invocationId, string error);
    [LoggerMessage(5111, LogLevel.Warning,
        "Function '{Function}' failed on message '{MessageId}' of '{Queue}', delivery {DeliveryCount}: {Error}")]
    public static partial void MessageFailed(
        this ILogger logger, string function, string messageId, string queue, int deliveryCount, string error);
    [LoggerMessage(5112, LogLevel.Warning, "Queue '{Queue}' ({Source}): {Error}")]
    public static partial void QueueFailed(this ILogger logger, string queue, ServiceBusErrorSource source, string error);
    [LoggerMessage(5113, LogLevel.Error, "Timer function '{Function}' failed; it fires again at {Next:u}. {Error}")]
    public static partial void TimerFailed(this ILogger logger, string function, DateTimeOffset? next, string error);
    [LoggerMessage(5114, LogLevel.Warning, "{InstanceId}: activity {Name} #{TaskId} failed: {Error}")]
    public static partial void ActivityFailed(this ILogger logger, string instanceId, string name, int taskId, string error);
    [LoggerMessage(5120, LogLevel.Warning, "{Running} function invocations did not end within {Seconds} s and are cancelled.")]
    public static partial void InvocationsCancelled(this ILogger logger, int running, double seconds);
    [LoggerMessage(5121, LogLevel.Warning,
        "The durable framework did not stop within {Seconds} s; what it held is taken up at the next start.")]
    public static partial void DurableNotStopped(this ILogger logger, double seconds);
}
