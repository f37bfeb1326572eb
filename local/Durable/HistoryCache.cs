namespace Sdxl.Local.Durable;

/// <summary>
/// The histories of the orchestrations that ran last. An orchestration with 1,200 activities takes up to 1,200 steps, and each would read
/// the whole history from JSON again.
/// </summary>
internal sealed class HistoryCache
{
    private const int MaxInstances = 32;

    private readonly Lock gate = new();
    private readonly Dictionary<long, OrchestrationRuntimeState> states = [];

    /// <summary>
    /// The state after a committed step replaces that after the step before; the history of an ended instance is not needed again.
    /// </summary>
    public void Keep(long instance, OrchestrationRuntimeState state)
    {
        lock (gate)
        {
            states.Remove(instance);
            if (state.OrchestrationStatus.HasEnded())
                return;
            if (states.Count >= MaxInstances)
                states.Remove(states.Keys.First());
            states.Add(instance, state);
        }
    }

    /// <returns>The events, or null unless they are just as many as the file has, of the same execution.</returns>
    public IList<HistoryEvent>? Find(InstanceRow row, long length)
    {
        lock (gate)
            return states.TryGetValue(row.Instance, out var state) && state.Events.Count == length
                && state.OrchestrationInstance?.ExecutionId == row.ExecutionId ? state.Events : null;
    }
}
