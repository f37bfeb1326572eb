namespace Sdxl.Local;

/// <summary>What hosting logs: event ids 5010 to 5099. Broker, durable provider and Functions host have their own.</summary>
internal static partial class Logs
{
    [LoggerMessage(5011, LogLevel.Warning, "The uploads could not be looked through or told of; next try in two seconds. {Error}")]
    public static partial void UploadsNotSeen(this ILogger logger, string error);
    [LoggerMessage(5020, LogLevel.Warning, "{Name} (process {Pid}) ended with code {ExitCode}; it is started again in {PauseSeconds} s.")]
    public static partial void ChildDied(this ILogger logger, string name, int pid, int exitCode, double pauseSeconds);
    [LoggerMessage(5021, LogLevel.Warning, "{Name} (process {Pid}) did not stop within {PatienceSeconds} s and was killed.")]
    public static partial void ChildKilled(this ILogger logger, string name, int pid, double patienceSeconds);
    [LoggerMessage(5022, LogLevel.Information, "The host is ready at {Url}; its state is in {Folder}.")]
    public static partial void HostReady(this ILogger logger, string url, string folder);
    [LoggerMessage(5023, LogLevel.Information, "The host stops: first the worker, then the functions, then queues and storage.")]
    public static partial void HostStopping(this ILogger logger);
    [LoggerMessage(5024, LogLevel.Error, "{Name} could not be started again: {Error} Next try in {PauseSeconds} s.")]
    public static partial void ChildNotStarted(this ILogger logger, string name, string error, double pauseSeconds);
}
