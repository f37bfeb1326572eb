using Microsoft.Extensions.Logging;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>Log sentences of the worker, EventIds 2000-2099.</summary>
internal static partial class Logs
{
    [LoggerMessage(EventId = 2000, Level = LogLevel.Information, Message = "Ready on {device}; waiting for jobs")]
    public static partial void Ready(this ILogger logger, string device);

    [LoggerMessage(EventId = 2001, Level = LogLevel.Information, Message = "{jobId}: taken from queue {queue}, delivery {delivery}")]
    public static partial void Taken(this ILogger logger, string jobId, string queue, int delivery);

    [LoggerMessage(EventId = 2002, Level = LogLevel.Information, Message = "{jobId}: done in {seconds} s")]
    public static partial void Done(this ILogger logger, string jobId, double seconds);

    [LoggerMessage(EventId = 2003, Level = LogLevel.Information, Message = "{jobId}: stopped at a checkpoint; another worker goes on")]
    public static partial void GivenBack(this ILogger logger, string jobId);

    [LoggerMessage(
        EventId = 2004,
        Level = LogLevel.Warning,
        Message = "{jobId}: the message's lock was lost; another worker goes on with it"
    )]
    public static partial void LockLost(this ILogger logger, Exception exception, string jobId);

    [LoggerMessage(EventId = 2005, Level = LogLevel.Error, Message = "{jobId}: failed")]
    public static partial void Failed(this ILogger logger, Exception exception, string jobId);

    [LoggerMessage(
        EventId = 2006,
        Level = LogLevel.Error,
        Message = "Message {messageId} in queue {queue} holds no job that this version can do; moved to the dead-letter queue: {problem}"
    )]
    public static partial void Unreadable(this ILogger logger, string messageId, string queue, string problem);

    [LoggerMessage(EventId = 2007, Level = LogLevel.Warning, Message = "Queue or storage cannot be reached; trying again in {seconds} s")]
    public static partial void Unreachable(this ILogger logger, Exception exception, double seconds);

    [LoggerMessage(EventId = 2008, Level = LogLevel.Information, Message = "{jobId}: canceled")]
    public static partial void Canceled(this ILogger logger, string jobId);

    [LoggerMessage(EventId = 2009, Level = LogLevel.Information, Message = "{jobId}: {line}")]
    public static partial void JobLine(this ILogger logger, string jobId, string line);

    [LoggerMessage(EventId = 2010, Level = LogLevel.Debug, Message = "The word about this worker could not be written: {error}")]
    public static partial void BeaconUnsaid(this ILogger logger, string error);

    [LoggerMessage(EventId = 2011, Level = LogLevel.Information,
        Message = "{device} convolves wrongly as libtorch has it; with channels filled up to whole blocks it is right, so that is done")]
    public static partial void PadsChannels(this ILogger logger, string device);

    [LoggerMessage(EventId = 2012, Level = LogLevel.Information, Message = "One job taken, as this worker was told: it ends")]
    public static partial void LeavesAfterJob(this ILogger logger);

    [LoggerMessage(EventId = 2013, Level = LogLevel.Information, Message = "No job for {minutes} minutes: this worker ends")]
    public static partial void LeavesIdle(this ILogger logger, double minutes);

    [LoggerMessage(
        EventId = 2014,
        Level = LogLevel.Information,
        Message = "{file}: brought from container {container}, {mebibytes} MiB, {resumedMebibytes} of them before"
    )]
    public static partial void ModelBrought(this ILogger logger, string file, string container, double mebibytes, double resumedMebibytes);

    [LoggerMessage(
        EventId = 2020,
        Level = LogLevel.Warning,
        Message = "{jobId}: another worker has taken the turn; this one leaves the job to it"
    )]
    public static partial void Superseded(this ILogger logger, string jobId);

    [LoggerMessage(
        EventId = 2021,
        Level = LogLevel.Information,
        Message = "{jobId}: the message of attempt {attempt} is left over, a later one holds the job; dropped"
    )]
    public static partial void LeftOver(this ILogger logger, string jobId, int attempt);

    [LoggerMessage(EventId = 2022, Level = LogLevel.Information, Message = "{jobId}: ended before ({end}); only its event is sent again")]
    public static partial void EndedBefore(this ILogger logger, string jobId, string end);

    [LoggerMessage(
        EventId = 2023,
        Level = LogLevel.Critical,
        Message = "{jobId}: the device is lost to this process; the job is given back and the worker ends"
    )]
    public static partial void DeviceLost(this ILogger logger, Exception exception, string jobId);

    [LoggerMessage(
        EventId = 2024,
        Level = LogLevel.Warning,
        Message = "{jobId}: no room in {folder}; what other jobs left there is removed, then it is tried once more"
    )]
    public static partial void DiskFull(this ILogger logger, Exception exception, string jobId, string folder);

    [LoggerMessage(
        EventId = 2025,
        Level = LogLevel.Information,
        Message = "Scratch: removed {folder}, {mebibytes} MiB, last used {lastUsed}"
    )]
    public static partial void ScratchRemoved(this ILogger logger, string folder, long mebibytes, DateTimeOffset lastUsed);

    [LoggerMessage(
        EventId = 2026,
        Level = LogLevel.Error,
        Message = "{jobId}: a checkpoint to be kept cannot be stored; the training goes on"
    )]
    public static partial void NotKept(this ILogger logger, Exception exception, string jobId);
}
