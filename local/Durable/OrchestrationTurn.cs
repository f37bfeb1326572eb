using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace Sdxl.Local.Durable;

/// <summary>
/// Runs an orchestrator once through its history and then through the new events, and collects what it decides.
/// The history is the judge: a call that it does not know, or knows differently, ends the orchestration as non-deterministic.
/// </summary>
internal sealed class OrchestrationTurn
{
    private readonly OrchestratorLoop loop;
    private readonly InstanceRow instance;
    private readonly LocalOrchestrationContext context;
    private readonly DataConverter converter;

    private readonly SortedDictionary<int, HistoryEvent> undecided = []; // calls that no history line confirms yet
    private readonly Dictionary<int, TaskCompletionSource<string?>> open = []; // calls without a result
    private readonly Dictionary<string, Stack<TaskCompletionSource<string?>>> waiters = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<HistoryEvent> unclaimedEvents = [];
    private readonly Dictionary<int, string> childIds = [];
    private readonly Dictionary<int, string> childVersions = [];
    private readonly Dictionary<int, DateTimeOffset> timers = [];
    private readonly List<int> cancelledTimers = [];
    private readonly Dictionary<int, (string InstanceId, string EventName, string? Payload)> sentEvents = [];

    private int nextTaskId;
    private Task<object?>? body;
    private (bool IsSet, string? Json) customStatus;
    private (string? Input, bool KeepsEvents)? restart;

    /// <param name="strayedLate">Called, on any thread, where an await on something that is not durable ends after the turn.</param>
    public OrchestrationTurn(InstanceRow instance, DataConverter converter, ILoggerFactory loggers, Action strayedLate)
    {
        loop = new OrchestratorLoop(strayedLate);
        this.instance = instance;
        this.converter = converter;
        context = new LocalOrchestrationContext(instance, this, converter, loggers);
    }

    /// <summary>The time of the turn that is being run or replayed.</summary>
    public DateTime Clock { get; private set; }

    public bool IsReplaying { get; private set; }

    /// <param name="history">What earlier turns recorded.</param>
    /// <param name="news">What came since.</param>
    /// <param name="now">This turn's time.</param>
    public TurnOutcome Run(OrchestratorBody orchestrator, IReadOnlyList<HistoryEvent> history, IReadOnlyList<HistoryEvent> news, DateTimeOffset now)
    {
        var turnStart = new HistoryEvent(HistoryKind.TurnStarted, now);
        try
        {
            IsReplaying = true;
            foreach (var line in history)
                Apply(orchestrator, line);

            RequireNothingUndecided();
            IsReplaying = false;
            Apply(orchestrator, turnStart);
            foreach (var line in news)
                Apply(orchestrator, line);
            loop.Close(); // What strays from now on is reported by itself; what strayed before is seen below.
            RequireDurableWait();
            return Outcome([turnStart, .. news]);
        }
        catch (NonDeterministicOrchestrationException exception)
        {
            return Failed([turnStart, .. news], exception);
        }
        finally
        {
            loop.Close();
        }
    }

    public Task<string?> CallActivity(string name, string? input) =>
        Call(new HistoryEvent(HistoryKind.ActivityScheduled, default, Name: name, Payload: input)).Task;

    public Task<string?> CallSubOrchestrator(string name, string instanceId, string? input, string version)
    {
        var id = nextTaskId;
        var call = Call(new HistoryEvent(HistoryKind.SubOrchestrationCreated, default, Name: name, Payload: input));
        childIds[id] = instanceId;
        childVersions[id] = version;
        return call.Task;
    }

    public Task CreateTimer(DateTimeOffset fireAt, CancellationToken cancellation)
    {
        var id = nextTaskId;
        var call = Call(new HistoryEvent(HistoryKind.TimerCreated, default));
        timers[id] = fireAt;
        cancellation.Register(() =>
        {
            if (open.Remove(id))
            {
                cancelledTimers.Add(id);
                call.TrySetCanceled(cancellation);
            }
        });
        return call.Task;
    }

    public Task<string?> WaitForEvent(string name, CancellationToken cancellation)
    {
        RequireOrchestratorThread();
        if (unclaimedEvents.FindIndex(line => string.Equals(line.Name, name, StringComparison.OrdinalIgnoreCase)) is >= 0 and var index)
        {
            var payload = unclaimedEvents[index].Payload;
            unclaimedEvents.RemoveAt(index);
            return Task.FromResult(payload);
        }
        var waiter = new TaskCompletionSource<string?>();
        if (!waiters.TryGetValue(name, out var stack))
            waiters[name] = stack = new Stack<TaskCompletionSource<string?>>();
        stack.Push(waiter);
        cancellation.Register(() => waiter.TrySetCanceled(cancellation));
        return waiter.Task;
    }

    public void SendEvent(string instanceId, string name, string? payload)
    {
        RequireOrchestratorThread();
        var id = nextTaskId++;
        undecided[id] = new HistoryEvent(HistoryKind.EventSent, default, id, name);
        sentEvents[id] = (instanceId, name, payload);
    }

    public void SetCustomStatus(string? json)
    {
        RequireOrchestratorThread();
        customStatus = (true, json);
    }

    public void ContinueAsNew(string? input, bool keepsEvents)
    {
        RequireOrchestratorThread();
        restart = (input, keepsEvents);
    }

    private void Apply(OrchestratorBody orchestrator, HistoryEvent line)
    {
        switch (line.Kind)
        {
            case HistoryKind.TurnStarted:
                RequireNothingUndecided();
                Clock = line.At.UtcDateTime;
                break;
            case HistoryKind.Started:
                loop.Run(() => body = Begin(orchestrator));
                break;
            case HistoryKind.ActivityScheduled or HistoryKind.TimerCreated or HistoryKind.SubOrchestrationCreated or HistoryKind.EventSent:
                Confirm(line);
                break;
            case HistoryKind.EventRaised:
                loop.Run(() => Deliver(line));
                break;
            case HistoryKind.ActivityCompleted or HistoryKind.SubOrchestrationCompleted or HistoryKind.TimerFired:
                if (open.Remove(line.TaskId, out var done))
                    loop.Run(() => done.TrySetResult(line.Payload));
                break;
            case HistoryKind.ActivityFailed or HistoryKind.SubOrchestrationFailed:
                if (open.Remove(line.TaskId, out var failed))
                    loop.Run(() => failed.TrySetException(new TaskFailedException(line.Name!, line.TaskId, FailureJson.Read(line.Failure!))));
                break;
            default:
                throw new InvalidOperationException($"Orchestration '{instance.Id}': a history cannot hold {line.Kind}.");
        }
    }

    private async Task<object?> Begin(OrchestratorBody orchestrator) => await orchestrator(context);

    private TaskCompletionSource<string?> Call(HistoryEvent call)
    {
        RequireOrchestratorThread();
        var id = nextTaskId++;
        undecided[id] = call with { TaskId = id };
        return open[id] = new TaskCompletionSource<string?>();
    }

    private void Confirm(HistoryEvent line)
    {
        if (!undecided.Remove(line.TaskId, out var call))
        {
            throw new NonDeterministicOrchestrationException(
                $"Orchestration '{instance.Name}' ({instance.Id}): its history has {Describe(line)}, and the replay did not get there. {Advice}");
        }
        if (call.Kind != line.Kind || !string.Equals(call.Name, line.Name, StringComparison.OrdinalIgnoreCase))
        {
            throw new NonDeterministicOrchestrationException(
                $"Orchestration '{instance.Name}' ({instance.Id}): its history has {Describe(line)}, and the replay asks for {Describe(call)}. {Advice}");
        }
        timers.Remove(line.TaskId);
        childIds.Remove(line.TaskId);
        sentEvents.Remove(line.TaskId);
        // The row of a timer that was cancelled in an earlier turn is gone already.
        cancelledTimers.Remove(line.TaskId);
    }

    private void Deliver(HistoryEvent raised)
    {
        while (waiters.TryGetValue(raised.Name!, out var stack) && stack.TryPop(out var waiter))
        {
            if (waiter.TrySetResult(raised.Payload))
                return;
        }
        unclaimedEvents.Add(raised);
    }

    private void RequireNothingUndecided()
    {
        if (undecided.Count == 0)
            return;
        var extra = undecided.Values.First();
        throw new NonDeterministicOrchestrationException(
            $"Orchestration '{instance.Name}' ({instance.Id}): the replay asks for {Describe(extra)}, which its history does not have. {Advice}");
    }

    private void RequireDurableWait()
    {
        if (body is not { IsCompleted: false })
            return;
        if (loop.HasStrayed || (open.Count == 0 && !waiters.Values.Any(stack => stack.Any(waiter => !waiter.Task.IsCompleted))))
            throw Strayed(instance);
    }

    /// <summary>An orchestrator that awaited something that is not durable: it would never go on, or differently in each replay.</summary>
    public static NonDeterministicOrchestrationException Strayed(InstanceRow instance) => new(
        $"Orchestration '{instance.Name}' ({instance.Id}) awaits something that is not durable, such as Task.Delay, Task.Run, "
        + "CancellationTokenSource.CancelAsync or an HTTP call. Orchestrators await only what their context gives them; put the rest into an activity.");

    private void RequireOrchestratorThread()
    {
        if (SynchronizationContext.Current != loop)
        {
            throw new InvalidOperationException(
                $"The context of orchestration '{instance.Id}' was used outside the orchestrator's own thread. "
                + "Do not await anything but the context's tasks in an orchestrator, and do not use ConfigureAwait(false).");
        }
    }

    private const string Advice =
        "The orchestrator's code changed while this orchestration ran, or it depends on a clock, a random number or the environment. "
        + "Terminate this orchestration and start it again.";

    private TurnOutcome Outcome(List<HistoryEvent> newHistory)
    {
        if (body is { IsFaulted: true } or { IsCanceled: true })
        {
            var exception = body.Exception?.InnerException ?? new TaskCanceledException(body);
            return Failed(newHistory, exception);
        }
        var sent = sentEvents.OrderBy(pair => pair.Key).Select(pair => pair.Value).ToList();
        if (body is { IsCompletedSuccessfully: true })
        {
            if (restart is { } again)
            {
                return Shared(newHistory) with
                {
                    SentEvents = sent,
                    ContinueAsNew = new Restart(again.Input, again.KeepsEvents ? unclaimedEvents : []),
                };
            }
            try
            {
                return Shared(newHistory) with
                {
                    SentEvents = sent,
                    SubOrchestrations = Children(),
                    End = OrchestrationRuntimeStatus.Completed,
                    Output = converter.Serialize(body.Result),
                };
            }
            catch (Exception exception) when (exception is NotSupportedException or System.Text.Json.JsonException)
            {
                return Failed(newHistory, exception);
            }
        }

        var now = newHistory[0].At;
        newHistory.AddRange(undecided.Values.Select(call => call with { At = now }));
        return Shared(newHistory) with
        {
            Activities = [.. undecided.Values.Where(call => call.Kind == HistoryKind.ActivityScheduled)],
            Timers = [.. timers.Where(timer => !cancelledTimers.Contains(timer.Key)).Select(timer => (timer.Key, timer.Value))],
            CancelledTimers = cancelledTimers,
            SubOrchestrations = Children(),
            SentEvents = sent,
        };
    }

    private List<SubOrchestrationStart> Children() => [.. undecided.Values
        .Where(call => call.Kind == HistoryKind.SubOrchestrationCreated)
        .Select(call => new SubOrchestrationStart(call.TaskId, call.Name!, childIds[call.TaskId], call.Payload, childVersions[call.TaskId]))];

    private TurnOutcome Shared(IReadOnlyList<HistoryEvent> newHistory) =>
        new() { NewHistory = newHistory, CustomStatusIsSet = customStatus.IsSet, CustomStatus = customStatus.Json };

    private TurnOutcome Failed(IReadOnlyList<HistoryEvent> newHistory, Exception exception) =>
        Shared(newHistory) with { End = OrchestrationRuntimeStatus.Failed, Failure = FailureJson.Write(exception) };

    private static string Describe(HistoryEvent line) => line.Name is null ? $"{line.Kind} #{line.TaskId}" : $"{line.Kind} #{line.TaskId} '{line.Name}'";
}
