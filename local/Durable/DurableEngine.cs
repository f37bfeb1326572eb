using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace Sdxl.Local.Durable;

/// <summary>
/// Runs orchestrations from the store: a turn for each instance with news, activities beside them, timers when they are due.
/// It keeps nothing in memory that matters, so a new engine on the same file goes on where the last one was, however that ended:
/// an activity without a recorded result runs again, one with a result never does.
/// </summary>
public sealed class DurableEngine : IAsyncDisposable
{
    private static readonly TimeSpan StoreFailureDelay = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LongestGoodbye = TimeSpan.FromSeconds(3);

    private readonly DurableFunctions functions;
    private readonly DurableEngineOptions options;
    private readonly TimeProvider time;
    private readonly ILoggerFactory loggers;
    private readonly ILogger logger;

    private readonly Broadcast news = new();
    private readonly Lock gate = new();
    private readonly HashSet<string> busyInstances = [];
    private readonly HashSet<long> busyActivities = [];
    private readonly List<Task> running = [];
    private readonly CancellationTokenSource stopping = new();
    private Task? loop;
    private volatile bool killed;

    public DurableEngine(DurableFunctions functions, DurableEngineOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxConcurrentActivities, 1);
        this.functions = functions;
        this.options = options;
        this.time = time;
        this.loggers = loggers;
        logger = loggers.CreateLogger<DurableEngine>();
        Store = new DurableStore(options.DatabasePath, time);
        Store.Changed += news.Fire;
        Client = new LocalDurableTaskClient(this);
    }

    /// <summary>Starts, queries and signals orchestrations; works before <see cref="Start"/> too.</summary>
    public LocalDurableTaskClient Client { get; }

    internal DurableStore Store { get; }

    internal TimeProvider Time => time;

    internal DataConverter Converter => options.Converter;

    internal DurableFunctions Functions => functions;

    internal Task NextChange => news.Next;

    /// <summary>Called at named moments ("turn:before-commit" …), so that tests can end the engine exactly there.</summary>
    internal Action<string>? FaultPoint { get; set; }

    public void Start() => loop ??= Task.Run(Run);

    /// <summary>Stops taking work, cancels the running activities (they run again at the next start) and closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await Finish();
        Store.Dispose();
    }

    /// <summary>From now on nothing is written, as after kill -9. For tests.</summary>
    internal void Die()
    {
        killed = true;
        Store.Dispose();
    }

    /// <summary><see cref="Die"/>, and wait until nothing runs any more.</summary>
    internal async Task Kill()
    {
        Die();
        await stopping.CancelAsync();
        await Finish();
    }

    private async Task Finish()
    {
        if (loop is not null)
            await loop;
        Task[] last;
        lock (gate)
            last = [.. running];
        // An activity that does not look at its token is left behind: without a recorded result it runs again.
        await Task.WhenAll(last).WaitAsync(LongestGoodbye).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task Run()
    {
        while (!stopping.IsCancellationRequested)
        {
            var change = news.Next;
            // Read before the store is: what falls due while it is read is then still waited for, for no time at all.
            var looked = time.GetUtcNow();
            try
            {
                StartTurns();
                StartActivities();
                await WaitUntil(change, Store.NextDueTime(looked));
            }
            catch (ObjectDisposedException) when (killed || stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                // Whatever it was, an engine that ended here would look alive and run nothing.
                logger.StoreNotRead(exception, StoreFailureDelay.TotalSeconds);
                await Pause();
            }
        }
    }

    private async Task Pause() =>
        await Task.Delay(StoreFailureDelay, time, stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private async Task WaitUntil(Task change, DateTimeOffset? due)
    {
        using var wake = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
        var delay = due is { } at ? Max(at - time.GetUtcNow(), TimeSpan.Zero) : Timeout.InfiniteTimeSpan;
        // Task.Delay takes at most about 49 days; a longer timer is looked at again then.
        if (delay > TimeSpan.FromDays(30))
            delay = TimeSpan.FromDays(30);
        var wait = Task.Delay(delay, time, wake.Token);
        // A clock that went on between its reading above and the timer (a test's does) would cost the whole delay again.
        if (due is null || due > time.GetUtcNow())
            await Task.WhenAny(change, wait);
        await wake.CancelAsync();
    }

    private void StartTurns()
    {
        foreach (var id in Store.ReadyInstances())
        {
            lock (gate)
            {
                if (!busyInstances.Add(id))
                    continue;
            }
            Track(() => RunTurn(id), () => busyInstances.Remove(id));
        }
    }

    private void StartActivities()
    {
        var pending = Store.PendingActivities();
        FaultPoint?.Invoke("activities:listed");
        foreach (var activity in pending)
        {
            lock (gate)
            {
                if (busyActivities.Count >= options.MaxConcurrentActivities)
                    return;
                if (!busyActivities.Add(activity.RowId))
                    continue;
            }
            Track(() => RunActivity(activity), () => busyActivities.Remove(activity.RowId));
        }
    }

    private void Track(Func<Task> work, Action release)
    {
        lock (gate)
        {
            Task? task = null;
            task = Task.Run(async () =>
            {
                try
                {
                    await work();
                }
                catch (ObjectDisposedException) when (killed || stopping.IsCancellationRequested)
                {
                    // The store is closed; what was not recorded happens again.
                }
                catch (Exception exception)
                {
                    logger.StoreNotRead(exception, StoreFailureDelay.TotalSeconds);
                    await Pause();
                }
                finally
                {
                    lock (gate)
                    {
                        release();
                        running.RemoveAll(each => each == task);
                    }
                    news.Fire();
                }
            });
            running.Add(task);
        }
    }

    private async Task RunTurn(string id)
    {
        try
        {
            TakeTurn(id);
        }
        catch (Exception exception) when (exception is not ObjectDisposedException)
        {
            logger.TurnNotStored(exception, id, StoreFailureDelay.TotalSeconds);
            await Pause();
        }
    }

    private void TakeTurn(string id)
    {
        var lines = Store.Inbox(id);
        if (Store.Find(id) is not { HasEnded: false } instance)
        {
            Store.Discard(lines);
            return;
        }
        if (lines.Find(line => line.Event.Kind == HistoryKind.Terminate) is { } terminate)
        {
            Store.Terminate(instance, terminate.Event.Payload);
            logger.OrchestrationEnded(id, instance.Name, "was terminated", 0);
            return;
        }
        var history = Store.History(id);
        if (Switch(instance, history, lines))
            return;

        var stale = lines.FindAll(line => line.Execution is { } execution && execution != instance.Execution);
        Store.Discard(stale);
        var fresh = lines.Except(stale).ToList();
        if (fresh.Count == 0 || (history.Count == 0 && fresh.TrueForAll(line => line.Event.Kind != HistoryKind.Started)))
            return;

        if (fresh.Exists(line => line.Event.Kind == HistoryKind.Strayed))
        {
            Store.Fail(instance, FailureJson.Write(OrchestrationTurn.Strayed(instance)));
            logger.OrchestrationFailed(id, instance.Name, OrchestrationTurn.Strayed(instance).Message);
            return;
        }

        var turn = new OrchestrationTurn(instance, options.Converter, loggers, () => Track(() => PostStrayed(instance), () => { }));
        var outcome = turn.Run(BodyOf(instance), history, [.. fresh.Select(line => line.Event)], time.GetUtcNow());
        FaultPoint?.Invoke("turn:before-commit");
        Store.Commit(instance, fresh, outcome);
        FaultPoint?.Invoke("turn:after-commit");

        if (outcome.Failure is { } failure)
            logger.OrchestrationFailed(id, instance.Name, FailureJson.Read(failure).ToString());
        else if (outcome.End is not null)
            logger.OrchestrationEnded(id, instance.Name, "completed", history.Count + outcome.NewHistory.Count);
    }

    private Task PostStrayed(InstanceRow instance)
    {
        Store.PostStrayed(instance);
        return Task.CompletedTask;
    }

    /// <summary>Carries out suspend and resume; true where this turn is thereby over.</summary>
    private bool Switch(InstanceRow instance, List<HistoryEvent> history, List<DurableStore.InboxLine> lines)
    {
        var switches = lines.FindAll(line => line.Event.Kind is HistoryKind.Suspend or HistoryKind.Resume);
        if (switches.Count == 0)
            return instance.Status == OrchestrationRuntimeStatus.Suspended;
        var status = switches[^1].Event.Kind == HistoryKind.Suspend
            ? OrchestrationRuntimeStatus.Suspended
            : history.Count == 0
                ? OrchestrationRuntimeStatus.Pending
                : OrchestrationRuntimeStatus.Running;
        Store.SetStatus(instance, status, switches);
        return true;
    }

    /// <summary>The orchestrator's code; a name that nobody registered fails the orchestration with an error that says so.</summary>
    private OrchestratorBody BodyOf(InstanceRow instance)
    {
        try
        {
            return functions.Orchestrator(instance.Name);
        }
        catch (ArgumentException exception)
        {
            return _ => Task.FromException<object?>(exception);
        }
    }

    private async Task RunActivity(DurableStore.PendingActivity activity)
    {
        // The list that it stands in may have been read before an earlier run recorded its result and gave up its slot.
        if (!Store.IsPending(activity))
            return;
        string? result = null;
        string? failure = null;
        try
        {
            FaultPoint?.Invoke("activity:before-run");
            var call = new ActivityCall(activity.InstanceId, activity.Name, activity.TaskId, activity.Input, options.Converter);
            result = options.Converter.Serialize(await functions.Activity(activity.Name)(call, stopping.Token));
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return; // Not a result: it runs again after the next start.
        }
        catch (Exception exception)
        {
            logger.ActivityFailed(exception, activity.InstanceId, activity.Name, activity.TaskId);
            failure = FailureJson.Write(exception);
        }
        FaultPoint?.Invoke("activity:before-commit");
        Store.CompleteActivity(activity, result, failure);
        FaultPoint?.Invoke("activity:after-commit");
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
