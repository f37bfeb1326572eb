using Azure.Messaging.ServiceBus;

namespace Sdxl.Local.Broker;

/// <summary>A queue or its dead-letter queue.</summary>
internal readonly record struct QueueAddress(string Queue, bool DeadLetter)
{
    private const string DeadLetterSuffix = "/$deadletterqueue";

    /// <summary>As the client writes it.</summary>
    public string Path => DeadLetter ? Queue + "/$DeadLetterQueue" : Queue;

    /// <param name="path">"queue" or "queue/$deadletterqueue", without regard to case.</param>
    public static QueueAddress Parse(string path, SubQueue subQueue = SubQueue.None)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (subQueue == SubQueue.TransferDeadLetter)
            throw new NotSupportedException($"Queue '{path}': the local broker forwards nothing, so it has no transfer dead-letter queue.");
        var name = path.ToLowerInvariant();
        return name.EndsWith(DeadLetterSuffix, StringComparison.Ordinal)
            ? new QueueAddress(name[..^DeadLetterSuffix.Length], true)
            : new QueueAddress(name, subQueue == SubQueue.DeadLetter);
    }
}
