using Microsoft.Extensions.Logging;

namespace Sdxl.Functions.Storage;

/// <summary>Log sentences of the records and their outbox, EventIds 1300-1349.</summary>
internal static partial class Logs
{
    [LoggerMessage(
        EventId = 1300,
        Level = LogLevel.Warning,
        Message = "{kind} {job}: what the record owes could not be sent now; the timer tries again"
    )]
    public static partial void LeftToTheTimer(this ILogger logger, Exception exception, string kind, string job);
}
