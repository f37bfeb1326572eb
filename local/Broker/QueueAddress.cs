namespace Sdxl.Local.Broker;

/// <summary>A queue or its dead-letter queue.</summary>
/// <param name="Queue">Lower case.</param>
internal readonly record struct QueueAddress(string Queue, bool Dead)
{
    private const string DeadSuffix = "/$deadletterqueue";
    private const string ManagementSuffix = "/$management";

    /// <param name="path">"/queue", "queue/$DeadLetterQueue", "queue/$management", …, without regard to case.</param>
    /// <param name="isManagement">Whether the path names the management node of the queue.</param>
    public static QueueAddress Parse(string path, out bool isManagement)
    {
        var name = path.Trim('/').ToLowerInvariant();
        isManagement = name.EndsWith(ManagementSuffix, StringComparison.Ordinal);
        if (isManagement)
            name = name[..^ManagementSuffix.Length];
        return name.EndsWith(DeadSuffix, StringComparison.Ordinal) ? new(name[..^DeadSuffix.Length], true) : new(name, false);
    }
}
