using Microsoft.Extensions.Logging;

namespace Sdxl.Functions.Trainings;

/// <summary>Log sentences of the trainings, EventIds 1000-1099.</summary>
internal static partial class Logs
{
    [LoggerMessage(EventId = 1000, Level = LogLevel.Information, Message = "{trainingId}: started from {archive} ({source})")]
    public static partial void TrainingStarted(this ILogger logger, string trainingId, string archive, string source);

    [LoggerMessage(EventId = 1001, Level = LogLevel.Information, Message = "{trainingId}: canceled")]
    public static partial void TrainingCanceled(this ILogger logger, string trainingId);

    [LoggerMessage(EventId = 1002, Level = LogLevel.Warning, Message = "{trainingId}: failed: {error}")]
    public static partial void TrainingFailed(this ILogger logger, string trainingId, string error);

    [LoggerMessage(EventId = 1003, Level = LogLevel.Information,
        Message = "{trainingId}: the upload event of {blob} came again; nothing started")]
    public static partial void UploadSeenBefore(this ILogger logger, string trainingId, string blob);

    [LoggerMessage(EventId = 1008, Level = LogLevel.Information, Message = "upload {blob}: it is gone again; nothing started")]
    public static partial void UploadIsGone(this ILogger logger, string blob);

    [LoggerMessage(EventId = 1009, Level = LogLevel.Information,
        Message = "upload {blob}: it is empty (a folder's mark, or not written yet); nothing started")]
    public static partial void UploadIsEmpty(this ILogger logger, string blob);

    [LoggerMessage(EventId = 1010, Level = LogLevel.Information, Message = "{trainingId}: metadata '{key}' of {blob} is no input; ignored")]
    public static partial void MetadataIgnored(this ILogger logger, string trainingId, string key, string blob);

    [LoggerMessage(EventId = 1011, Level = LogLevel.Warning,
        Message = "{trainingId}: was recorded and not started; its request died in between. Started now")]
    public static partial void LostTrainingStarted(this ILogger logger, string trainingId);

    [LoggerMessage(EventId = 1004, Level = LogLevel.Information, Message = "{trainingId}: picture {picture} prepared in {milliseconds} ms")]
    public static partial void PicturePrepared(this ILogger logger, string trainingId, string picture, long milliseconds);

    [LoggerMessage(EventId = 1005, Level = LogLevel.Warning, Message = "{trainingId}: picture {picture} skipped: {reason}")]
    public static partial void PictureSkipped(this ILogger logger, string trainingId, string picture, string reason);

    [LoggerMessage(EventId = 1006, Level = LogLevel.Information, Message = "{trainingId}: published as {version}")]
    public static partial void Published(this ILogger logger, string trainingId, string version);

    [LoggerMessage(EventId = 1007, Level = LogLevel.Warning,
        Message = "{jobId}: a worker's '{eventType}' came for a job that is not running; ignored")]
    public static partial void EventForNobody(this ILogger logger, string jobId, string eventType);
}
