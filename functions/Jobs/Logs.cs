using Microsoft.Extensions.Logging;

namespace Sdxl.Functions.Jobs;

/// <summary>Log sentences about jobs of both kinds, EventIds 1300-1349.</summary>
internal static partial class Logs
{
    [LoggerMessage(
        EventId = 1300,
        Level = LogLevel.Warning,
        Message = "What a message asks for cannot be done now; trying again in {seconds} s"
    )]
    public static partial void Outage(this ILogger logger, Exception exception, double seconds);

    [LoggerMessage(
        EventId = 1301,
        Level = LogLevel.Error,
        Message = "The worker's event {messageId} in the dead-letter queue cannot be read; dropped: {problem}"
    )]
    public static partial void EventUnreadable(this ILogger logger, string messageId, string problem);
}
