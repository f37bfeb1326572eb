namespace Sdxl.Local.Broker;

/// <summary>What the broker says; ids 3000–3099.</summary>
internal static partial class Logs
{
    [LoggerMessage(3000, LogLevel.Information, "The broker listens on {Address}, port {Port}, messages in '{Path}', queues {Queues}.")]
    public static partial void Listening(this ILogger logger, IPAddress address, int port, string path, string queues);
    [LoggerMessage(3001, LogLevel.Debug, "Connection from {Client} opened.")]
    public static partial void Connected(this ILogger logger, string client);
    [LoggerMessage(3002, LogLevel.Debug, "Connection from {Client} failed to open: {Problem}")]
    public static partial void ConnectionFailed(this ILogger logger, string client, string problem);
    [LoggerMessage(3003, LogLevel.Warning, "{What} '{Name}' refused, {Condition}: {Reason}")]
    public static partial void Refused(this ILogger logger, string what, string name, string condition, string reason);
    [LoggerMessage(3005, LogLevel.Error, "A commit failed; its senders and receivers are told so and may try again.")]
    public static partial void CommitFailed(this ILogger logger, Exception problem);
    [LoggerMessage(3006, LogLevel.Debug, "Message {Sequence} of '{Queue}' did not reach its receiver and goes back.")]
    public static partial void DeliveryFailed(this ILogger logger, long sequence, string queue, Exception problem);
}
