namespace Microsoft.DurableTask;

/// <summary>What an activity knows about its call: its own name and the orchestration that called it.</summary>
public abstract class TaskActivityContext
{
    public abstract TaskName Name { get; }

    public abstract string InstanceId { get; }

    public virtual string Version => string.Empty;
}
