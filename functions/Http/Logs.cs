using Microsoft.Extensions.Logging;

namespace Sdxl.Functions.Http;

/// <summary>Log sentences of the HTTP API, EventIds 1200-1299.</summary>
internal static partial class Logs
{
    [LoggerMessage(EventId = 1200, Level = LogLevel.Error, Message = "{function}: answered 500, invocation {invocationId}")]
    public static partial void Unexpected(this ILogger logger, Exception exception, string function, string invocationId);
}
