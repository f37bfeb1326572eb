namespace Sdxl.Local.Durable;

/// <summary>
/// The Durable Task Framework's storage in one SQLite file, for one process. <c>TaskHubWorker</c> takes its work here, <c>TaskHubClient</c>
/// and the Functions host's sidecar start, watch and end orchestrations here. Each call that changes something is a transaction, synced to
/// the disk before the call returns (what waits is committed together): a process that dies loses a step or keeps it, never half of it.
/// The client's part works before <see cref="StartAsync"/> and after the stop.
/// </summary>
/// <remarks>
/// As in Azure: activities run at least once; those that an orchestration has scheduled run even if it ends before them; messages for
/// unknown or ended instances are dropped. Only the newest execution of an instance is kept.
/// </remarks>
public sealed partial class SqliteOrchestrationService
    : IOrchestrationService, IOrchestrationServiceClient, IOrchestrationServiceQueryClient, IOrchestrationServicePurgeClient,
        IAsyncDisposable
{
    private const int FetchFailureDelaySeconds = 1;
    private const int MaxHistories = 32;

    private readonly SqliteOrchestrationOptions options;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly SqliteFile file;
    private readonly StoreWriter writer;
    private readonly WorkQueue instances;
    private readonly WorkQueue activities;
    private readonly Signal statesChanged = new();
    private long lastFamily;

    // Of the orchestrations that ran last: one with 1,200 activities takes up to 1,200 steps, and each would read the whole history from
    // JSON again. A step takes its history out and puts it back once it is committed.
    private readonly ConcurrentDictionary<long, IList<HistoryEvent>> histories = new();

    /// <param name="databasePath">Made if missing, with its folder; held exclusively until the service is disposed.</param>
    /// <param name="options">Concurrency and times.</param>
    /// <param name="time">Decides when timers are due and leases end. The framework itself always uses the system's clock.</param>
    /// <param name="logger">Told of dropped messages and lost leases.</param>
    /// <exception cref="InvalidDataException">The file is another program's or version's; the message says what to do.</exception>
    /// <exception cref="IOException">Another process has it open.</exception>
    public SqliteOrchestrationService(string databasePath, SqliteOrchestrationOptions options, TimeProvider time, ILogger logger)
    {
        (this.options, this.time, this.logger) = (options, time, logger);
        file = new SqliteFile(databasePath, DurableSchema.Statements, DurableSchema.Version);
        writer = new StoreWriter(file, atBegin: _ => { }, options.AtCommit);
        instances = new WorkQueue(file, time, options, options.MaxConcurrentOrchestrators);
        activities = new WorkQueue(file, time, options, options.MaxConcurrentActivities);
    }

    public int TaskOrchestrationDispatcherCount => 1;
    public int TaskActivityDispatcherCount => 1;
    public int MaxConcurrentTaskOrchestrationWorkItems => options.MaxConcurrentOrchestrators;
    public int MaxConcurrentTaskActivityWorkItems => options.MaxConcurrentActivities;
    public BehaviorOnContinueAsNew EventBehaviourForContinueAsNew => BehaviorOnContinueAsNew.Carryover;

    private DateTime Now => time.GetUtcNow().UtcDateTime;

    /// <summary>Frees everything that an earlier worker of this process held; its late results are dropped.</summary>
    public Task StartAsync()
    {
        instances.FreeAll();
        activities.FreeAll();
        return Task.CompletedTask;
    }

    // The worker takes no more; what it completes is still written. The file has been made by the constructor.
    public Task StopAsync() => Task.CompletedTask;
    public Task StopAsync(bool isForced) => Task.CompletedTask;
    public Task CreateIfNotExistsAsync() => Task.CompletedTask;

    // All instances go, the file stays.
    public Task DeleteAsync() => ChangeStatesAsync(session => session.Execute($"DELETE FROM instances"));
    public Task DeleteAsync(bool deleteInstanceStore) => deleteInstanceStore ? DeleteAsync() : Task.CompletedTask;
    public Task CreateAsync() => DeleteAsync();
    public Task CreateAsync(bool recreateInstanceStore) => DeleteAsync(recreateInstanceStore);

    // A transaction has room for any number, and an abandoned item rests by itself and holds nothing else back.
    public bool IsMaxMessageCountExceeded(int currentMessageCount, OrchestrationRuntimeState runtimeState) => false;
    public int GetDelayInSecondsAfterOnProcessException(Exception exception) => 0;
    public int GetDelayInSecondsAfterOnFetchException(Exception exception) =>
        exception is OperationCanceledException ? 0 : FetchFailureDelaySeconds;

    public Task<TaskOrchestrationWorkItem> LockNextTaskOrchestrationWorkItemAsync(TimeSpan receiveTimeout, CancellationToken cancel) =>
        instances.TakeAsync(TakeOrchestration, receiveTimeout, cancel);

    public Task RenewTaskOrchestrationWorkItemLockAsync(TaskOrchestrationWorkItem workItem)
    {
        workItem.LockedUntilUtc = instances.Renew(((OrchestrationItem)workItem).Lease, $"Orchestration '{workItem.InstanceId}'");
        return Task.CompletedTask;
    }

    /// <summary>Writes all that a step has brought about; a step of a lost lease, or of a replaced instance, is dropped.</summary>
    public async Task CompleteTaskOrchestrationWorkItemAsync(
        TaskOrchestrationWorkItem workItem, OrchestrationRuntimeState newOrchestrationRuntimeState, IList<TaskMessage> outboundMessages,
        IList<TaskMessage> orchestratorMessages, IList<TaskMessage> timerMessages, TaskMessage? continuedAsNewMessage,
        OrchestrationState? orchestrationState)
    {
        var item = (OrchestrationItem)workItem;
        var isWritten = await writer.RunAsync(session =>
        {
            if (!instances.Owns(item.Lease) || session.FindInstance(item.Lease.Row) is not { } row)
                return false;
            session.DeleteMessages(item.Messages);
            if (orchestrationState is null) // The framework found the messages to be nobody's.
                return true;
            if (orchestrationState.OrchestrationInstance.ExecutionId != row.ExecutionId) // Continued as new: NewEvents are all.
                session.DeleteAll("history", row);
            foreach (var happened in newOrchestrationRuntimeState.NewEvents)
                session.AppendHistory(row, happened);
            session.UpdateInstance(row, orchestrationState, Now);
            if (orchestrationState.OrchestrationStatus.HasEnded())
                session.DeleteAll("messages", row);
            foreach (var activity in outboundMessages)
                session.AddActivity(row, activity);
            foreach (var timer in timerMessages)
                session.Post(timer, ((TimerFiredEvent)timer.Event).FireAt);
            foreach (var message in orchestratorMessages)
                Deliver(session, message);
            if (continuedAsNewMessage is not null)
                session.Post(continuedAsNewMessage, Now);
            return true;
        });
        if (!isWritten)
            logger.WorkDropped(item.InstanceId);
        else if (orchestrationState?.OrchestrationStatus.HasEnded() == false)
            KeepHistory(item.Lease.Row, newOrchestrationRuntimeState.Events);
        instances.Wake();
        if (outboundMessages.Count > 0)
            activities.Wake();
        statesChanged.Set();
    }

    /// <summary>Takes nothing back, and lets the step be taken again after <see cref="SqliteOrchestrationOptions.RetryDelay"/>.</summary>
    public Task AbandonTaskOrchestrationWorkItemAsync(TaskOrchestrationWorkItem workItem) =>
        instances.AbandonAsync(((OrchestrationItem)workItem).Lease);

    /// <summary>Lets the instance's next step be taken. The framework calls it after each step, completed or abandoned.</summary>
    public Task ReleaseTaskOrchestrationWorkItemAsync(TaskOrchestrationWorkItem workItem) =>
        instances.ReturnAsync(((OrchestrationItem)workItem).Lease);

    /// <summary>In turn over the families of orchestrations (an instance with its sub-orchestrations), the oldest family first.</summary>
    public Task<TaskActivityWorkItem> LockNextTaskActivityWorkItem(TimeSpan receiveTimeout, CancellationToken cancel) =>
        activities.TakeAsync(TakeActivity, receiveTimeout, cancel);

    public Task<TaskActivityWorkItem> RenewTaskActivityWorkItemLockAsync(TaskActivityWorkItem workItem)
    {
        workItem.LockedUntilUtc = activities.Renew(((ActivityItem)workItem).Lease, $"Activity {workItem.Id}");
        return Task.FromResult(workItem);
    }

    /// <summary>Writes the result. That of a lost lease is dropped: another run has brought or will bring one.</summary>
    public async Task CompleteTaskActivityWorkItemAsync(TaskActivityWorkItem workItem, TaskMessage responseMessage)
    {
        var lease = ((ActivityItem)workItem).Lease;
        var isWritten = await writer.RunAsync(session =>
        {
            var isOurs = activities.Owns(lease) && session.DeleteActivity(lease.Row);
            if (isOurs)
                Deliver(session, responseMessage);
            return isOurs;
        });
        if (!isWritten)
            logger.WorkDropped(workItem.Id);
        await activities.ReturnAsync(lease);
        instances.Wake();
    }

    /// <inheritdoc cref="AbandonTaskOrchestrationWorkItemAsync"/>
    public Task AbandonTaskActivityWorkItemAsync(TaskActivityWorkItem workItem) => activities.AbandonAsync(((ActivityItem)workItem).Lease);

    /// <summary>Commits what waits and frees the file.</summary>
    public ValueTask DisposeAsync() => writer.DisposeAsync();

    private async Task<T> ChangeStatesAsync<T>(Func<SqliteSession, T> work)
    {
        var result = await writer.RunAsync(work);
        instances.Wake();
        statesChanged.Set();
        return result;
    }

    private void KeepHistory(long instance, IList<HistoryEvent> events)
    {
        if (histories.Count >= MaxHistories)
            histories.TryRemove(histories.Keys.FirstOrDefault(), out _);
        histories[instance] = events;
    }

    // A row that cannot be read throws, which the framework logs. Its lease stays, so it holds up nothing else until the lease runs out.
    private (TaskOrchestrationWorkItem?, TimeSpan?) TakeOrchestration(SqliteSession session, string busy)
    {
        var now = Now;
        if (session.NextInstance(now, busy) is not { } instance)
            return (null, session.NextMessageIn(now));
        var lease = instances.Lease(instance);
        var row = session.FindInstance(instance)!;
        var messages = session.Messages(row, now);
        var item = new OrchestrationItem(lease, messages.ConvertAll(message => message.Number))
        {
            InstanceId = row.Id,
            OrchestrationRuntimeState = new(histories.TryRemove(instance, out var events) ? events : session.History(row)),
            NewMessages = messages.ConvertAll(message => message.Message),
            LockedUntilUtc = now + options.LockDuration,
        };
        return (item, null);
    }

    private (TaskActivityWorkItem?, TimeSpan?) TakeActivity(SqliteSession session, string busy)
    {
        if (session.NextActivity(lastFamily, busy) is not { } next)
            return (null, null);
        lastFamily = next.Family;
        var lease = activities.Lease(next.Number);
        var message = DurableJson.Read<TaskMessage>(next.Message, $"Activity {next.Number}");
        var id = $"{message.OrchestrationInstance.InstanceId}/{next.Number}";
        return (new ActivityItem(lease) { Id = id, TaskMessage = message, LockedUntilUtc = Now + options.LockDuration }, null);
    }
}
