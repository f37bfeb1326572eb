namespace Sdxl.Local.Durable;

/// <summary>What the durable provider logs: event ids 5000 to 5009.</summary>
internal static partial class Logs
{
    [LoggerMessage(5000, LogLevel.Debug, "{InstanceId}: {EventType} was dropped: the orchestration is unknown, has ended or already runs.")]
    public static partial void MessageDropped(this ILogger logger, string instanceId, EventType eventType);

    [LoggerMessage(5001, LogLevel.Warning, "{Work}: its result was dropped; its lock had run out, or the orchestration was replaced.")]
    public static partial void WorkDropped(this ILogger logger, string work);
}
