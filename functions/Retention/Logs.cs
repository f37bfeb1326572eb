using Microsoft.Extensions.Logging;

namespace Sdxl.Functions.Retention;

/// <summary>Log sentences of what removes things, EventIds 1300-1399.</summary>
internal static partial class Logs
{
    [LoggerMessage(EventId = 1300, Level = LogLevel.Information,
        Message = "swept: {uploads} uploads, {datasets} data sets, {scratch} runs' leftovers, {predictions} predictions, {files} files")]
    public static partial void Swept(this ILogger logger, int uploads, int datasets, int scratch, int predictions, int files);
}
