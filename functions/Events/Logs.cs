using Microsoft.Extensions.Logging;

namespace Sdxl.Functions.Events;

/// <summary>Log sentences of events and webhooks, EventIds 1350-1399.</summary>
internal static partial class Logs
{
    [LoggerMessage(EventId = 1350, Level = LogLevel.Warning, Message = "Event {eventId}: {receiver} did not take it, try {tries}: {error}")]
    public static partial void NotTaken(this ILogger logger, string eventId, string receiver, int tries, string error);

    [LoggerMessage(EventId = 1351, Level = LogLevel.Information, Message = "{job}: its webhook did not take word of the log: {error}")]
    public static partial void LogsNotTaken(this ILogger logger, string job, string error);

    [LoggerMessage(
        EventId = 1352,
        Level = LogLevel.Warning,
        Message = "{messageType} of queue events: storage is away; again in {seconds} s"
    )]
    public static partial void Later(this ILogger logger, Exception exception, string messageType, int seconds);
}
