namespace Sdxl.Local.Durable;

/// <content>Starting, telling, watching and ending instances.</content>
public sealed partial class SqliteOrchestrationService
{
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromMilliseconds(uint.MaxValue - 1.0); // Of timers.

    /// <summary>Starts an instance whose id is new, whatever the status of an earlier one.</summary>
    public Task CreateTaskOrchestrationAsync(TaskMessage creationMessage) => CreateTaskOrchestrationAsync(creationMessage, null);

    /// <summary>Starts an instance, at its ScheduledStartTime if it has one; an earlier one of its id is replaced wholly.</summary>
    /// <param name="dedupeStatuses">An earlier instance in one of these is not replaced; null: in any.</param>
    /// <exception cref="OrchestrationAlreadyExistsException">An instance of this id is in one of the statuses.</exception>
    public Task CreateTaskOrchestrationAsync(TaskMessage creationMessage, OrchestrationStatus[]? dedupeStatuses)
    {
        if (creationMessage.Event is not ExecutionStartedEvent started)
            throw new ArgumentException($"An orchestration starts with ExecutionStarted, not with {creationMessage.Event?.EventType}.");
        return ChangeStatesAsync(session =>
        {
            var existing = session.FindInstance(creationMessage.OrchestrationInstance.InstanceId);
            if (existing is not null && (dedupeStatuses is null || dedupeStatuses.Contains(existing.Status)))
                throw new OrchestrationAlreadyExistsException(AlreadyExists(existing));
            return Start(session, creationMessage, started);
        });
    }

    /// <summary>Delivers an event, suspension or resumption. For an unknown or ended instance it is dropped.</summary>
    public Task SendTaskOrchestrationMessageAsync(TaskMessage message) => SendTaskOrchestrationMessageBatchAsync(message);

    /// <summary>The same for several messages, all or none of which are there after a crash.</summary>
    public async Task SendTaskOrchestrationMessageBatchAsync(params TaskMessage[] messages)
    {
        await writer.RunAsync(session => Array.ForEach(messages, message => Deliver(session, message)));
        instances.Wake();
    }

    /// <summary>
    /// Terminates an instance; its sub-orchestrations go on. One that runs ends with its next step, one that has not started ends now, one
    /// that has ended or is unknown is left as it is. The reason becomes its output.
    /// </summary>
    public Task ForceTerminateTaskOrchestrationAsync(string instanceId, string? reason) => ChangeStatesAsync(session =>
    {
        if (session.FindInstance(instanceId) is not { HasEnded: false } row)
            return false;
        var isWaiting = row.Status == OrchestrationStatus.Pending && !instances.IsLeased(row.Instance);
        if (!isWaiting || row.State is not { ParentInstance: null } state) // A parent has to be told, which a step does.
            return Post(session, new OrchestrationInstance { InstanceId = row.Id }, new ExecutionTerminatedEvent(-1, reason ?? ""));
        state.OrchestrationStatus = OrchestrationStatus.Terminated;
        state.Output = reason ?? "";
        state.CompletedTime = Now;
        session.UpdateInstance(row, state, Now);
        session.DeleteAll("messages", row);
        return true;
    });

    /// <summary>Waits until an instance has ended; one that does not exist is waited for. Continuing as new is no end.</summary>
    /// <param name="executionId">Ignored, as a continuation has a new one.</param>
    /// <param name="timeout">From zero on; more than 49 days, or infinite: no timeout.</param>
    /// <exception cref="TimeoutException">It has not ended in time.</exception>
    public async Task<OrchestrationState> WaitForOrchestrationAsync(
        string instanceId, string? executionId, TimeSpan timeout, CancellationToken cancellationToken) =>
        (await WaitForStateAsync(instanceId, state => state?.OrchestrationStatus.HasEnded() == true, timeout, cancellationToken))!;

    /// <summary>Waits until the state of an instance satisfies a condition, which is looked at now and after every step.</summary>
    /// <remarks>The condition gets null while there is no such instance. The rest: <see cref="WaitForOrchestrationAsync"/>.</remarks>
    public async Task<OrchestrationState?> WaitForStateAsync(
        string instanceId, Func<OrchestrationState?, bool> isReached, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var end = new CancellationTokenSource(timeout < LongestTimeout ? timeout : Timeout.InfiniteTimeSpan, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(end.Token, cancellationToken);
        while (true)
        {
            var change = statesChanged.Next;
            var state = FindState(instanceId);
            if (isReached(state))
                return state;
            await change.WaitAsync(both.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            if (end.IsCancellationRequested)
                throw new TimeoutException(
                    $"Orchestration '{instanceId}' has not got there in {timeout}; its status is {state?.OrchestrationStatus}.");
        }
    }

    /// <returns>The newest execution's state, or nothing; older executions are not kept.</returns>
    public Task<IList<OrchestrationState>> GetOrchestrationStateAsync(string instanceId, bool allExecutions) =>
        Task.FromResult<IList<OrchestrationState>>(FindState(instanceId) is { } state ? [state] : []);

    /// <returns>The state, or null if there is no such instance, or another execution of it.</returns>
    public Task<OrchestrationState> GetOrchestrationStateAsync(string instanceId, string? executionId) =>
        Task.FromResult(FindState(instanceId) is { } state && Is(executionId, state.OrchestrationInstance.ExecutionId) ? state : null!);

    /// <returns>The events as a JSON array, oldest first; it is empty if there is no such instance, or another execution of it.</returns>
    public Task<string> GetOrchestrationHistoryAsync(string instanceId, string? executionId) => Task.FromResult(file.Read(session =>
        session.FindInstance(instanceId) is { } row && Is(executionId, row.ExecutionId) ? DurableJson.Write(session.History(row)) : "[]"));

    private OrchestrationState? FindState(string instanceId) => file.Read(session => session.FindInstance(instanceId))?.State;

    private static bool Is(string? wanted, string actual) => string.IsNullOrEmpty(wanted) || actual == wanted;

    private static string AlreadyExists(InstanceRow row) =>
        $"An orchestration with id '{row.Id}' already exists; its status is {row.Status}.";

    private bool Start(SqliteSession session, TaskMessage message, ExecutionStartedEvent started)
    {
        session.Replace(message.OrchestrationInstance, started, Now);
        var at = started.ScheduledStartTime ?? Now;
        return session.Post(message, InstanceTable.UtcTicks(at) > Now.Ticks ? at : Now);
    }

    private bool Post(SqliteSession session, OrchestrationInstance instance, HistoryEvent message) =>
        session.Post(new TaskMessage { OrchestrationInstance = instance, Event = message }, Now);

    /// <summary>Puts a message before its instance; a start makes the instance, unless it runs already.</summary>
    private void Deliver(SqliteSession session, TaskMessage message)
    {
        var id = message.OrchestrationInstance.InstanceId;
        if (message.Event is not ExecutionStartedEvent started)
        {
            if (!session.Post(message, Now))
                logger.MessageDropped(id, message.Event.EventType);
            return;
        }
        if (session.FindInstance(id) is not { HasEnded: false } running)
        {
            Start(session, message, started);
            return;
        }
        logger.MessageDropped(id, message.Event.EventType);
        if (started.ParentInstance is not { } parent)
            return;
        // Without an answer the parent would wait forever.
        var reason = AlreadyExists(running);
        var failure = new FailureDetails(typeof(OrchestrationAlreadyExistsException).FullName!, reason, null, null, false);
        var answer = new SubOrchestrationInstanceFailedEvent(-1, parent.TaskScheduleId, reason, null, failure);
        Post(session, parent.OrchestrationInstance, answer);
    }
}
