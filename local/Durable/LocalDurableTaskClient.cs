using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using DurableTask.Core.Exceptions;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace Sdxl.Local.Durable;

/// <summary>
/// The durable client over the local engine. Where the abstract type leaves a choice, it does what the Functions extension does:
/// a start with the id of an orchestration that is pending, running or suspended throws <see cref="OrchestrationAlreadyExistsException"/>,
/// with the id of an ended one it replaces that one. <see cref="StartOrchestrationOptions.DedupeStatuses"/> says otherwise: the states listed
/// there throw, an orchestration in any other state is replaced. An event for a missing or ended orchestration is dropped.
/// </summary>
public sealed class LocalDurableTaskClient : DurableTaskClient
{
    private static readonly OrchestrationRuntimeStatus[] DefaultDedupe =
        [OrchestrationRuntimeStatus.Pending, OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Suspended];

    private readonly DurableEngine engine;

    internal LocalDurableTaskClient(DurableEngine engine)
        : base("local")
    {
        this.engine = engine;
    }

    public override Task<string> ScheduleNewOrchestrationInstanceAsync(
        TaskName orchestratorName, object? input = null, StartOrchestrationOptions? options = null, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        engine.Functions.Orchestrator(orchestratorName); // throws where there is none
        var id = options?.InstanceId is { Length: > 0 } asked ? asked : Guid.NewGuid().ToString("N");
        var dedupe = options?.DedupeStatuses is { } statuses ? [.. statuses.Select(ParseStatus)] : DefaultDedupe;
        RejectImpossible(dedupe);

        var now = engine.Time.GetUtcNow();
        var version = options?.Version is { } given ? given.Version : string.Empty;
        var tags = JsonSerializer.Serialize(options?.Tags ?? ImmutableDictionary<string, string>.Empty);
        var row = new InstanceRow(
            id, 0, orchestratorName.Name, version, OrchestrationRuntimeStatus.Pending, engine.Converter.Serialize(input), null, null, null, now, now,
            null, 0, -1, null, tags);
        var startAt = options?.StartAt is { } later && later > now ? later : now;
        engine.Store.Create(row, startAt, existing => !dedupe.Contains(existing.Status) ? true : throw new OrchestrationAlreadyExistsException(
            $"An orchestration with the instance id '{id}' already exists: '{existing.Name}', {existing.Status}."));
        return Task.FromResult(id);
    }

    public override Task RaiseEventAsync(string instanceId, string eventName, object? eventPayload = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        ArgumentException.ThrowIfNullOrEmpty(eventName);
        cancellation.ThrowIfCancellationRequested();
        Post(instanceId, HistoryKind.EventRaised, eventName, engine.Converter.Serialize(eventPayload));
        return Task.CompletedTask;
    }

    public override Task<OrchestrationMetadata> WaitForInstanceStartAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
        WaitFor(instanceId, row => row.Status != OrchestrationRuntimeStatus.Pending, getInputsAndOutputs, cancellation);

    public override Task<OrchestrationMetadata> WaitForInstanceCompletionAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
        WaitFor(instanceId, row => row.HasEnded, getInputsAndOutputs, cancellation);

    public override Task TerminateInstanceAsync(string instanceId, TerminateInstanceOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        cancellation.ThrowIfCancellationRequested();
        if (options?.Recursive == true)
        {
            foreach (var child in engine.Store.Children(instanceId))
                TerminateInstanceAsync(child, options, cancellation);
        }
        Post(instanceId, HistoryKind.Terminate, null, engine.Converter.Serialize(options?.Output));
        return Task.CompletedTask;
    }

    public override Task SuspendInstanceAsync(string instanceId, string? reason = null, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        Post(instanceId, HistoryKind.Suspend, null, reason);
        return Task.CompletedTask;
    }

    public override Task ResumeInstanceAsync(string instanceId, string? reason = null, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        Post(instanceId, HistoryKind.Resume, null, reason);
        return Task.CompletedTask;
    }

    public override Task<OrchestrationMetadata?> GetInstancesAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return Task.FromResult(engine.Store.Find(instanceId) is { } row ? Describe(row, getInputsAndOutputs) : null);
    }

    public override AsyncPageable<OrchestrationMetadata> GetAllInstancesAsync(OrchestrationQuery? filter = null)
    {
        filter ??= new OrchestrationQuery();
        return Pageable.Create<OrchestrationMetadata>((token, sizeHint, cancellation) =>
        {
            cancellation.ThrowIfCancellationRequested();
            var size = Math.Max(1, sizeHint ?? filter.PageSize);
            var rows = engine.Store.List(filter, size, ParseToken(token ?? filter.ContinuationToken));
            var next = rows.Count < size ? null : string.Create(CultureInfo.InvariantCulture, $"{rows[^1].CreatedAt.UtcTicks}|{rows[^1].Id}");
            return Task.FromResult(new Page<OrchestrationMetadata>([.. rows.Select(row => Describe(row, filter.FetchInputsAndOutputs))], next));
        });
    }

    public override Task<PurgeResult> PurgeInstanceAsync(
        string instanceId, PurgeInstanceOptions? options = null, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return Task.FromResult(new PurgeResult(engine.Store.Purge([instanceId], options?.Recursive == true), true));
    }

    public override Task<PurgeResult> PurgeAllInstancesAsync(
        PurgeInstancesFilter filter, PurgeInstanceOptions? options = null, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        var query = new OrchestrationQuery(filter.CreatedFrom, filter.CreatedTo, filter.Statuses);
        var ids = engine.Store.List(query, int.MaxValue, null).Where(row => row.HasEnded).Select(row => row.Id);
        return Task.FromResult(new PurgeResult(engine.Store.Purge(ids, options?.Recursive == true), true));
    }

    /// <summary>The engine owns the file; nothing to close here.</summary>
    public override ValueTask DisposeAsync() => default;

    private void Post(string instanceId, HistoryKind kind, string? name, string? payload) =>
        engine.Store.Post(instanceId, new HistoryEvent(kind, engine.Time.GetUtcNow(), Name: name, Payload: payload));

    private async Task<OrchestrationMetadata> WaitFor(string id, Func<InstanceRow, bool> reached, bool details, CancellationToken cancellation)
    {
        while (true)
        {
            var change = engine.NextChange;
            var row = engine.Store.Find(id) ?? throw new ArgumentException($"There is no orchestration with the instance id '{id}'.", nameof(id));
            if (reached(row))
                return Describe(row, details);
            await change.WaitAsync(cancellation);
        }
    }

    private OrchestrationMetadata Describe(InstanceRow row, bool details) => new(row.Name, row.Id)
    {
        DataConverter = details ? engine.Converter : null,
        RuntimeStatus = row.Status,
        CreatedAt = row.CreatedAt,
        LastUpdatedAt = row.UpdatedAt,
        SerializedInput = details ? row.Input : null,
        SerializedOutput = details ? row.Output : null,
        SerializedCustomStatus = details ? row.CustomStatus : null,
        FailureDetails = details && row.Failure is { } failure ? FailureJson.Read(failure) : null,
        Tags = JsonSerializer.Deserialize<Dictionary<string, string>>(row.Tags)!,
    };

    private static OrchestrationRuntimeStatus ParseStatus(string name) => Enum.TryParse<OrchestrationRuntimeStatus>(name, ignoreCase: true, out var status)
        ? status
        : throw new ArgumentException($"Invalid orchestration runtime status for deduplication: '{name}'.");

    /// <summary>A running orchestration would be ended first and then, being terminated, forbid the new one.</summary>
    private static void RejectImpossible(OrchestrationRuntimeStatus[] dedupe)
    {
        if (dedupe.Contains(OrchestrationRuntimeStatus.Terminated) && DefaultDedupe.Except(dedupe).Any())
            throw new ArgumentException($"Deduplication by {OrchestrationRuntimeStatus.Terminated} needs {string.Join(", ", DefaultDedupe)} too.");
    }

    private static (long, string)? ParseToken(string? token)
    {
        if (token is null)
            return null;
        var bar = token.IndexOf('|', StringComparison.Ordinal);
        return bar > 0 && long.TryParse(token.AsSpan(0, bar), CultureInfo.InvariantCulture, out var ticks)
            ? (ticks, token[(bar + 1)..])
            : throw new ArgumentException($"'{token}' is not a continuation token of this client.");
    }
}
