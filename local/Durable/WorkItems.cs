namespace Sdxl.Local.Durable;

/// <summary>A step of an orchestration, and what the step takes from the file.</summary>
/// <param name="instance">Row of the instance.</param>
/// <param name="token">Of its lease.</param>
/// <param name="messages">Numbers of the messages that the step consumes.</param>
internal sealed class OrchestrationItem(long instance, long token, IReadOnlyList<long> messages) : TaskOrchestrationWorkItem
{
    public long Instance { get; } = instance;

    public long Token { get; } = token;

    public IReadOnlyList<long> Messages { get; } = messages;
}

/// <summary>An activity to run.</summary>
/// <param name="number">Row of the activity.</param>
/// <param name="token">Of its lease.</param>
internal sealed class ActivityItem(long number, long token) : TaskActivityWorkItem
{
    public long Number { get; } = number;

    public long Token { get; } = token;
}
