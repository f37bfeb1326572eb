namespace Sdxl.Local.Durable;

/// <summary>
/// The Durable Task Framework's storage in one SQLite file, for one process. <c>TaskHubWorker</c> takes its work here, <c>TaskHubClient</c>
/// and the Functions host's sidecar start, watch and end orchestrations here. Each call that changes something is one transaction, on the
/// disk before the call returns: a process that dies loses a step or keeps it, never half of it. The client's part works before <see
/// cref="StartAsync"/> and after the stop.
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

    private readonly SqliteOrchestrationOptions options;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly DurableFile file;
    private readonly Leases instanceLeases;
    private readonly Leases activityLeases;
    private readonly Signal messagesChanged = new();
    private readonly Signal activitiesChanged = new();
    private readonly Signal statesChanged = new();
    private readonly HistoryCache histories = new();
    private long lastFamily;

    /// <param name="databasePath">Made if missing, with its folder; held exclusively until the service is disposed.</param>
    /// <param name="options">Concurrency and times.</param>
    /// <param name="time">Decides when timers are due and leases end. The framework itself always uses the system's clock.</param>
    /// <param name="logger">Told of dropped messages and lost leases.</param>
    /// <exception cref="InvalidDataException">The file is another program's or version's; the message says what to do.</exception>
    /// <exception cref="IOException">Another process has it open.</exception>
    public SqliteOrchestrationService(string databasePath, SqliteOrchestrationOptions options, TimeProvider time, ILogger logger)
    {
        this.options = options;
        this.time = time;
        this.logger = logger;
        instanceLeases = new Leases(time, options.OrchestratorLock, options.RetryDelay, options.MaxConcurrentOrchestrators);
        activityLeases = new Leases(time, options.ActivityLock, options.RetryDelay, options.MaxConcurrentActivities);
        file = new DurableFile(databasePath, options.AroundCommit);
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
        instanceLeases.Clear();
        activityLeases.Clear();
        messagesChanged.Set();
        activitiesChanged.Set();
        return Task.CompletedTask;
    }

    /// <summary>Nothing is to be stopped: the worker takes no more, and what it completes is still written.</summary>
    public Task StopAsync(bool isForced) => Task.CompletedTask;

    public Task StopAsync() => StopAsync(isForced: false);

    /// <summary>Nothing: the constructor has made the file.</summary>
    public Task CreateIfNotExistsAsync() => Task.CompletedTask;

    public Task CreateAsync() => DeleteAsync();

    public Task CreateAsync(bool recreateInstanceStore) => DeleteAsync(recreateInstanceStore);

    public Task DeleteAsync() => DeleteAsync(deleteInstanceStore: true);

    /// <summary>Deletes all instances; the file stays.</summary>
    public async Task DeleteAsync(bool deleteInstanceStore)
    {
        if (deleteInstanceStore)
            await file.WriteAsync(session => session.Execute("DELETE FROM instances"));
        statesChanged.Set();
    }

    /// <summary>Never: a transaction has room for any number.</summary>
    public bool IsMaxMessageCountExceeded(int currentMessageCount, OrchestrationRuntimeState runtimeState) => false;

    /// <summary>None: the abandoned item rests by itself and holds nothing else back.</summary>
    public int GetDelayInSecondsAfterOnProcessException(Exception exception) => 0;

    public int GetDelayInSecondsAfterOnFetchException(Exception exception) =>
        exception is OperationCanceledException ? 0 : FetchFailureDelaySeconds;

    public Task<TaskOrchestrationWorkItem> LockNextTaskOrchestrationWorkItemAsync(
        TimeSpan receiveTimeout, CancellationToken cancellationToken) =>
        Poll<TaskOrchestrationWorkItem>(messagesChanged, TakeOrchestration, receiveTimeout, cancellationToken);

    public Task RenewTaskOrchestrationWorkItemLockAsync(TaskOrchestrationWorkItem workItem)
    {
        var item = (OrchestrationItem)workItem;
        if (!instanceLeases.Renew(item.Instance, item.Token))
            throw new InvalidOperationException($"Orchestration '{item.InstanceId}' is no longer locked by this step.");
        item.LockedUntilUtc = Now + options.OrchestratorLock;
        return Task.CompletedTask;
    }

    /// <summary>
    /// Writes all that a step has brought about. The step of a lost lease, or of an instance that was replaced meanwhile, is dropped.
    /// </summary>
    public async Task CompleteTaskOrchestrationWorkItemAsync(
        TaskOrchestrationWorkItem workItem,
        OrchestrationRuntimeState newOrchestrationRuntimeState,
        IList<TaskMessage> outboundMessages,
        IList<TaskMessage> orchestratorMessages,
        IList<TaskMessage> timerMessages,
        TaskMessage? continuedAsNewMessage,
        OrchestrationState? orchestrationState)
    {
        var item = (OrchestrationItem)workItem;
        var isWritten = await file.WriteAsync(session =>
        {
            if (!instanceLeases.Owns(item.Instance, item.Token) || session.FindInstance(item.Instance) is not { } row)
                return false;
            var now = Now;
            session.DeleteMessages(item.Messages);
            if (orchestrationState is null) // The framework found the messages to be nobody's.
                return true;
            if (orchestrationState.OrchestrationInstance.ExecutionId != row.ExecutionId) // Continued as new: NewEvents are all.
                session.DeleteHistory(row);
            session.AppendHistory(row, newOrchestrationRuntimeState.NewEvents);
            session.UpdateInstance(row, orchestrationState, now);
            if (orchestrationState.OrchestrationStatus.HasEnded())
                session.DeleteMessages(row);
            foreach (var activity in outboundMessages)
                session.AddActivity(row, activity);
            foreach (var timer in timerMessages)
                session.Post(timer, ((TimerFiredEvent)timer.Event).FireAt);
            foreach (var message in orchestratorMessages)
                Deliver(session, message, now);
            if (continuedAsNewMessage is not null)
                session.Post(continuedAsNewMessage, now);
            return true;
        });
        if (!isWritten)
            logger.StepDropped(item.InstanceId);
        else if (orchestrationState is not null)
            histories.Keep(item.Instance, newOrchestrationRuntimeState);
        messagesChanged.Set();
        if (outboundMessages.Count > 0)
            activitiesChanged.Set();
        statesChanged.Set();
    }

    /// <summary>Takes nothing back, and lets the step be taken again after <see cref="SqliteOrchestrationOptions.RetryDelay"/>.</summary>
    public Task AbandonTaskOrchestrationWorkItemAsync(TaskOrchestrationWorkItem workItem)
    {
        var item = (OrchestrationItem)workItem;
        instanceLeases.Abandon(item.Instance, item.Token);
        messagesChanged.Set(); // Who waits must know of the new time.
        return Task.CompletedTask;
    }

    /// <summary>Lets the instance's next step be taken. The framework calls it after each step, completed or abandoned.</summary>
    public Task ReleaseTaskOrchestrationWorkItemAsync(TaskOrchestrationWorkItem workItem)
    {
        var item = (OrchestrationItem)workItem;
        if (instanceLeases.Return(item.Instance, item.Token))
            messagesChanged.Set();
        return Task.CompletedTask;
    }

    /// <summary>
    /// Activities are handed out in turn over the families of orchestrations (an instance with its sub-orchestrations), the oldest family
    /// first.
    /// </summary>
    public Task<TaskActivityWorkItem> LockNextTaskActivityWorkItem(TimeSpan receiveTimeout, CancellationToken cancellationToken) =>
        Poll<TaskActivityWorkItem>(activitiesChanged, TakeActivity, receiveTimeout, cancellationToken);

    public Task<TaskActivityWorkItem> RenewTaskActivityWorkItemLockAsync(TaskActivityWorkItem workItem)
    {
        var item = (ActivityItem)workItem;
        if (!activityLeases.Renew(item.Number, item.Token))
            throw new InvalidOperationException($"Activity {item.Id} is no longer locked by this run.");
        item.LockedUntilUtc = Now + options.ActivityLock;
        return Task.FromResult(workItem);
    }

    /// <summary>Writes the result. That of a lost lease is dropped: another run has brought or will bring one.</summary>
    public async Task CompleteTaskActivityWorkItemAsync(TaskActivityWorkItem workItem, TaskMessage responseMessage)
    {
        var item = (ActivityItem)workItem;
        var isWritten = await file.WriteAsync(session =>
        {
            if (!activityLeases.Owns(item.Number, item.Token) || !session.DeleteActivity(item.Number))
                return false;
            Deliver(session, responseMessage, Now);
            return true;
        });
        if (!isWritten)
            logger.ResultDropped(item.Id);
        if (activityLeases.Return(item.Number, item.Token))
            activitiesChanged.Set();
        messagesChanged.Set();
    }

    /// <inheritdoc cref="AbandonTaskOrchestrationWorkItemAsync"/>
    public Task AbandonTaskActivityWorkItemAsync(TaskActivityWorkItem workItem)
    {
        var item = (ActivityItem)workItem;
        activityLeases.Abandon(item.Number, item.Token);
        activitiesChanged.Set();
        return Task.CompletedTask;
    }

    /// <summary>Commits what waits and frees the file.</summary>
    public ValueTask DisposeAsync() => file.DisposeAsync();

    /// <summary>Takes an item as soon as there is one. Waits for a signal or the next due time, without looking again in between.</summary>
    /// <returns>Null (as the framework wants it) after the timeout or a cancellation.</returns>
    private async Task<T> Poll<T>(
        Signal signal, Func<(T? Item, TimeSpan? DueIn)> take, TimeSpan timeout, CancellationToken cancellationToken)
        where T : class
    {
        var start = time.GetTimestamp();
        while (!cancellationToken.IsCancellationRequested)
        {
            var change = signal.Next;
            var (item, dueIn) = take();
            var left = timeout - time.GetElapsedTime(start);
            if (item is not null || left <= TimeSpan.Zero)
                return item!;
            var wait = dueIn < left ? dueIn.Value : left;
            // Whole milliseconds, rounded up: timers have no finer ones, and one that fires early would make us look in vain.
            await change.WaitAsync(TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(wait.TotalMilliseconds))), time, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return null!;
    }

    // A row that cannot be read throws, which the framework logs. Its lease stays, so it holds up nothing else until the lease runs out.
    private (TaskOrchestrationWorkItem?, TimeSpan?) TakeOrchestration() => file.Read<(TaskOrchestrationWorkItem?, TimeSpan?)>(session =>
    {
        var now = Now;
        var (busy, freeIn) = instanceLeases.Busy();
        if (busy is null || session.NextInstance(now, busy) is not { } instance)
            return (null, Earlier(freeIn, session.NextMessageAt(now) - now));
        var row = session.FindInstance(instance)!;
        var token = instanceLeases.Take(instance);
        var messages = session.Messages(row, now);
        var events = histories.Find(row, session.HistoryLength(row)) ?? session.History(row);
        var item = new OrchestrationItem(instance, token, messages.ConvertAll(message => message.Number))
        {
            InstanceId = row.Id,
            OrchestrationRuntimeState = new OrchestrationRuntimeState(events),
            NewMessages = messages.ConvertAll(message => message.Message),
            LockedUntilUtc = now + options.OrchestratorLock,
        };
        return (item, null);
    });

    private (TaskActivityWorkItem?, TimeSpan?) TakeActivity() => file.Read<(TaskActivityWorkItem?, TimeSpan?)>(session =>
    {
        var (busy, freeIn) = activityLeases.Busy();
        if (busy is null || session.NextActivity(lastFamily, busy) is not { } next)
            return (null, freeIn);
        lastFamily = next.Family;
        var token = activityLeases.Take(next.Number);
        var message = DurableJson.Read<TaskMessage>(next.Message, $"Activity {next.Number}");
        var id = $"{message.OrchestrationInstance.InstanceId}/{next.Number}";
        return (new ActivityItem(next.Number, token) { Id = id, TaskMessage = message, LockedUntilUtc = Now + options.ActivityLock }, null);
    });

    private static TimeSpan? Earlier(TimeSpan? a, TimeSpan? b) => a is null || b < a ? b : a;
}
