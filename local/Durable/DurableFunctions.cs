using Microsoft.DurableTask;

namespace Sdxl.Local.Durable;

/// <summary>An orchestrator's code.</summary>
/// <returns>The output, to be serialized.</returns>
public delegate Task<object?> OrchestratorBody(TaskOrchestrationContext context);

/// <summary>An activity's code.</summary>
/// <returns>The result, to be serialized.</returns>
public delegate Task<object?> ActivityBody(ActivityCall call, CancellationToken stopping);

/// <summary>One call of an activity.</summary>
/// <param name="InstanceId">The orchestration that called.</param>
/// <param name="TaskId">The call's number within it.</param>
/// <param name="Input">JSON, or null.</param>
public sealed record ActivityCall(string InstanceId, TaskName Name, int TaskId, string? Input, DataConverter Converter)
{
    public object? ReadInput(Type type) => Converter.Deserialize(Input, type);
}

/// <summary>The orchestrators and activities that the engine can run, by name without regard to case.</summary>
public sealed class DurableFunctions
{
    private readonly Dictionary<TaskName, OrchestratorBody> orchestrators = [];
    private readonly Dictionary<TaskName, ActivityBody> activities = [];

    /// <exception cref="ArgumentException">The name is taken.</exception>
    public DurableFunctions AddOrchestrator(TaskName name, OrchestratorBody body)
    {
        orchestrators.Add(name, body);
        return this;
    }

    /// <inheritdoc cref="AddOrchestrator"/>
    public DurableFunctions AddActivity(TaskName name, ActivityBody body)
    {
        activities.Add(name, body);
        return this;
    }

    internal OrchestratorBody Orchestrator(TaskName name) => orchestrators.TryGetValue(name, out var body) ? body : throw Unknown("orchestrator", name, orchestrators.Keys);

    internal ActivityBody Activity(TaskName name) => activities.TryGetValue(name, out var body) ? body : throw Unknown("activity", name, activities.Keys);

    private static ArgumentException Unknown(string what, TaskName name, IEnumerable<TaskName> known) =>
        new($"There is no {what} named '{name.Name}'. Known: {string.Join(", ", known.Select(each => each.Name).Order(StringComparer.Ordinal))}.");
}
