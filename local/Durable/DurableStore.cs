using Microsoft.Data.Sqlite;
using Microsoft.DurableTask.Client;
using Sdxl.Local.Storage;

namespace Sdxl.Local.Durable;

/// <summary>
/// Everything durable about orchestrations, in one SQLite file. Four tables: instances (one row each), history (what the current execution
/// has seen and done), inbox (what it has not seen yet; timers lie here with a later due time) and activities (calls without a result).
/// Each public method is one transaction, so a process that dies loses a step or keeps it, never half of it.
/// </summary>
internal sealed class DurableStore(string path, TimeProvider time) : IDisposable
{
    private const string Schema = """
        CREATE TABLE IF NOT EXISTS instances (
            id TEXT PRIMARY KEY, execution INTEGER NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, status TEXT NOT NULL,
            input TEXT, output TEXT, custom_status TEXT, failure TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
            parent_id TEXT, parent_execution INTEGER NOT NULL, parent_task_id INTEGER NOT NULL, parent_name TEXT, tags TEXT NOT NULL);
        CREATE INDEX IF NOT EXISTS instances_by_time ON instances (created_at, id);
        CREATE INDEX IF NOT EXISTS instances_by_parent ON instances (parent_id);
        CREATE TABLE IF NOT EXISTS history (
            instance_id TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, at INTEGER NOT NULL, task_id INTEGER NOT NULL,
            name TEXT, payload TEXT, failure TEXT, PRIMARY KEY (instance_id, seq)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS inbox (
            id INTEGER PRIMARY KEY AUTOINCREMENT, instance_id TEXT NOT NULL, execution INTEGER, due_at INTEGER NOT NULL, kind TEXT NOT NULL,
            task_id INTEGER NOT NULL, name TEXT, payload TEXT, failure TEXT);
        CREATE INDEX IF NOT EXISTS inbox_by_instance ON inbox (instance_id, due_at, id);
        CREATE INDEX IF NOT EXISTS inbox_by_time ON inbox (due_at);
        CREATE TABLE IF NOT EXISTS activities (
            id INTEGER PRIMARY KEY AUTOINCREMENT, instance_id TEXT NOT NULL, execution INTEGER NOT NULL, task_id INTEGER NOT NULL,
            name TEXT NOT NULL, input TEXT, UNIQUE (instance_id, execution, task_id));
        """;

    private const string InstanceColumns =
        "id, execution, name, version, status, input, output, custom_status, failure, created_at, updated_at, "
        + "parent_id, parent_execution, parent_task_id, parent_name, tags";

    private readonly SqliteFile file = new(path, Schema);

    /// <summary>Called after each transaction that may have made work or changed a status.</summary>
    public event Action? Changed;

    /// <summary>An activity call without a result.</summary>
    public sealed record PendingActivity(long RowId, string InstanceId, int Execution, int TaskId, string Name, string? Input);

    /// <summary>A line of the inbox, with its row for the later removal.</summary>
    public sealed record InboxLine(long RowId, int? Execution, HistoryEvent Event);

    /// <summary>Puts a new instance in place.</summary>
    /// <param name="mayReplace">Decides about an existing instance of the same id: true replaces it; it may throw instead.</param>
    public void Create(InstanceRow instance, DateTimeOffset startAt, Func<InstanceRow, bool> mayReplace)
    {
        file.Write(session =>
        {
            if (FindInstance(session, instance.Id) is { } existing && mayReplace(existing))
                Remove(session, existing.Id);
            Insert(session, instance, startAt);
        });
        Changed?.Invoke();
    }

    public InstanceRow? Find(string id) => file.Read(session => FindInstance(session, id));

    /// <summary>Instances in order of creation, after the given (time, id) pair.</summary>
    public List<InstanceRow> List(OrchestrationQuery query, int pageSize, (long Ticks, string Id)? after) => file.Read(session => session.Query(
        $"""
        SELECT {InstanceColumns} FROM instances
        WHERE created_at >= $from AND created_at <= $to AND ($prefix IS NULL OR substr(id, 1, length($prefix)) = $prefix)
          AND ($statuses IS NULL OR instr($statuses, ',' || status || ',') > 0)
          AND ($ticks IS NULL OR (created_at, id) > ($ticks, $id))
        ORDER BY created_at, id LIMIT $limit
        """,
        ReadInstance,
        ("$from", query.CreatedFrom?.UtcTicks ?? 0),
        ("$to", query.CreatedTo?.UtcTicks ?? long.MaxValue),
        ("$prefix", query.InstanceIdPrefix),
        ("$statuses", StatusList(query.Statuses)),
        ("$ticks", after?.Ticks),
        ("$id", after?.Id),
        ("$limit", pageSize)));

    public List<HistoryEvent> History(string id) => file.Read(session => session.Query(
        "SELECT kind, at, task_id, name, payload, failure FROM history WHERE instance_id = $id ORDER BY seq", ReadEvent, ("$id", id)));

    /// <summary>Instances with something due in their inbox, the longest waiting first.</summary>
    public List<string> ReadyInstances() => file.Read(session => session.Query(
        """
        SELECT inbox.instance_id FROM inbox JOIN instances ON instances.id = inbox.instance_id
        WHERE inbox.due_at <= $now
          AND (instances.status NOT IN ('Pending', 'Suspended') OR inbox.kind IN ('Terminate', 'Resume', 'Suspend')
               OR (instances.status = 'Pending' AND inbox.kind = 'Started'))
        GROUP BY inbox.instance_id ORDER BY min(inbox.id)
        """,
        row => row.GetString(0),
        ("$now", Now.UtcTicks)));

    /// <summary>When the first timer or delayed start after a moment is due; that may have come meanwhile.</summary>
    public DateTimeOffset? NextDueTime(DateTimeOffset after) => file.Read(session =>
        session.Scalar("SELECT min(due_at) FROM inbox WHERE due_at > $after", ("$after", after.UtcTicks)) is long ticks
            ? new DateTimeOffset(ticks, TimeSpan.Zero)
            : (DateTimeOffset?)null);

    /// <summary>What is due in an instance's inbox, oldest first.</summary>
    public List<InboxLine> Inbox(string id) => file.Read(session => session.Query(
        "SELECT kind, due_at, task_id, name, payload, failure, id, execution FROM inbox WHERE instance_id = $id AND due_at <= $now ORDER BY due_at, id",
        row => new InboxLine(row.GetInt64(6), (int?)row.LongOrNull(7), ReadEvent(row)),
        ("$id", id),
        ("$now", Now.UtcTicks)));

    public List<PendingActivity> PendingActivities() => file.Read(session => session.Query(
        "SELECT id, instance_id, execution, task_id, name, input FROM activities ORDER BY id",
        row => new PendingActivity(row.GetInt64(0), row.GetString(1), row.GetInt32(2), row.GetInt32(3), row.GetString(4), row.TextOrNull(5))));

    /// <summary>Whether a call still waits for its result. A list that was read before may be older than the result.</summary>
    public bool IsPending(PendingActivity activity) => file.Read(session =>
        session.Scalar("SELECT 1 FROM activities WHERE id = $id", ("$id", activity.RowId)) is not null);

    /// <summary>Records a result, unless the call is no longer wanted (orchestration ended, restarted or purged).</summary>
    public void CompleteActivity(PendingActivity activity, string? result, string? failure)
    {
        file.Write(session =>
        {
            if (session.Execute("DELETE FROM activities WHERE id = $id", ("$id", activity.RowId)) == 0)
                return;
            var kind = failure is null ? HistoryKind.ActivityCompleted : HistoryKind.ActivityFailed;
            Post(session, activity.InstanceId, activity.Execution, new HistoryEvent(kind, Now, activity.TaskId, activity.Name, result, failure));
        });
        Changed?.Invoke();
    }

    /// <summary>Puts an event into an instance's inbox; false where the instance is missing or has ended.</summary>
    public bool Post(string id, HistoryEvent line)
    {
        var posted = file.Write(session => PostIfAlive(session, id, line));
        Changed?.Invoke();
        return posted;
    }

    /// <summary>Tells an execution that its orchestrator awaited something that is not durable; nothing where it has ended or restarted since.</summary>
    public void PostStrayed(InstanceRow instance)
    {
        file.Write(session =>
        {
            if (FindInstance(session, instance.Id) is { HasEnded: false } current && current.Execution == instance.Execution && current.CreatedAt == instance.CreatedAt)
                Post(session, instance.Id, instance.Execution, new HistoryEvent(HistoryKind.Strayed, Now));
        });
        Changed?.Invoke();
    }

    public void Fail(InstanceRow instance, string failure)
    {
        file.Write(session => End(session, instance, OrchestrationRuntimeStatus.Failed, null, failure));
        Changed?.Invoke();
    }

    /// <summary>Drops inbox lines that were looked at and mean nothing (results for an earlier execution).</summary>
    public void Discard(IReadOnlyList<InboxLine> lines) => file.Write(session => RemoveLines(session, lines));

    public void SetStatus(InstanceRow instance, OrchestrationRuntimeStatus status, IReadOnlyList<InboxLine> consumed)
    {
        file.Write(session =>
        {
            RemoveLines(session, consumed);
            session.Execute(
                "UPDATE instances SET status = $status, updated_at = $now WHERE id = $id",
                ("$status", status.ToString()), ("$now", Now.UtcTicks), ("$id", instance.Id));
        });
        Changed?.Invoke();
    }

    public void Terminate(InstanceRow instance, string? output)
    {
        file.Write(session => End(session, instance, OrchestrationRuntimeStatus.Terminated, output, null));
        Changed?.Invoke();
    }

    /// <summary>Stores a turn: its history, its calls, its end, and the removal of what it consumed, all or nothing.</summary>
    public void Commit(InstanceRow instance, IReadOnlyList<InboxLine> consumed, TurnOutcome turn)
    {
        file.Write(session =>
        {
            RemoveLines(session, consumed);
            if (turn.CustomStatusIsSet)
                session.Execute("UPDATE instances SET custom_status = $status WHERE id = $id", ("$status", turn.CustomStatus), ("$id", instance.Id));
            foreach (var (target, name, payload) in turn.SentEvents)
                PostIfAlive(session, target, new HistoryEvent(HistoryKind.EventRaised, Now, Name: name, Payload: payload));

            if (turn.ContinueAsNew is { } restart)
            {
                RestartWith(session, instance, restart);
                return;
            }
            AppendHistory(session, instance.Id, turn.NewHistory);
            foreach (var start in turn.SubOrchestrations)
                StartChild(session, instance, start);
            if (turn.End is { } end)
                End(session, instance, end, turn.Output, turn.Failure);
            else
                GoOn(session, instance, turn);
        });
        Changed?.Invoke();
    }

    /// <summary>Removes ended instances; with <paramref name="recursive"/> their sub-orchestrations too.</summary>
    /// <returns>How many were removed.</returns>
    public int Purge(IEnumerable<string> ids, bool recursive)
    {
        var removed = file.Write(session => ids.Sum(id => PurgeOne(session, id, recursive)));
        Changed?.Invoke();
        return removed;
    }

    public List<string> Children(string id) => file.Read(session => ChildrenOf(session, id));

    public void Dispose() => file.Dispose();

    private DateTimeOffset Now => time.GetUtcNow();

    private static void AppendHistory(SqliteSession session, string id, IReadOnlyList<HistoryEvent> lines)
    {
        var seq = (long)session.Scalar("SELECT coalesce(max(seq), -1) FROM history WHERE instance_id = $id", ("$id", id))!;
        foreach (var line in lines)
        {
            session.Execute(
                "INSERT INTO history VALUES ($id, $seq, $kind, $at, $task, $name, $payload, $failure)",
                ("$id", id), ("$seq", ++seq), ("$kind", line.Kind.ToString()), ("$at", line.At.UtcTicks), ("$task", line.TaskId),
                ("$name", line.Name), ("$payload", line.Payload), ("$failure", line.Failure));
        }
    }

    private void GoOn(SqliteSession session, InstanceRow instance, TurnOutcome turn)
    {
        foreach (var call in turn.Activities)
        {
            session.Execute(
                "INSERT INTO activities (instance_id, execution, task_id, name, input) VALUES ($id, $execution, $task, $name, $input)",
                ("$id", instance.Id), ("$execution", instance.Execution), ("$task", call.TaskId), ("$name", call.Name), ("$input", call.Payload));
        }
        foreach (var (taskId, dueAt) in turn.Timers)
            Post(session, instance.Id, instance.Execution, new HistoryEvent(HistoryKind.TimerFired, dueAt, taskId));
        foreach (var taskId in turn.CancelledTimers)
        {
            session.Execute(
                "DELETE FROM inbox WHERE instance_id = $id AND execution = $execution AND kind = 'TimerFired' AND task_id = $task",
                ("$id", instance.Id), ("$execution", instance.Execution), ("$task", taskId));
        }
        session.Execute(
            "UPDATE instances SET status = 'Running', updated_at = $now WHERE id = $id", ("$now", Now.UtcTicks), ("$id", instance.Id));
    }

    private void StartChild(SqliteSession session, InstanceRow parent, SubOrchestrationStart start)
    {
        if (FindInstance(session, start.InstanceId) is { } existing)
        {
            if (!existing.HasEnded)
            {
                var failure = FailureJson.Write(new InvalidOperationException(
                    $"Sub-orchestration '{start.Name}' cannot start as '{start.InstanceId}': an orchestration with this id is {existing.Status}."));
                Post(session, parent.Id, parent.Execution, new HistoryEvent(HistoryKind.SubOrchestrationFailed, Now, start.TaskId, start.Name, Failure: failure));
                return;
            }
            Remove(session, existing.Id);
        }
        var child = new InstanceRow(
            start.InstanceId, 0, start.Name, start.Version, OrchestrationRuntimeStatus.Pending, start.Input, null, null, null, Now, Now,
            parent.Id, parent.Execution, start.TaskId, parent.Name, "{}");
        Insert(session, child, Now);
    }

    private void End(SqliteSession session, InstanceRow instance, OrchestrationRuntimeStatus status, string? output, string? failure)
    {
        RemoveWork(session, instance.Id);
        session.Execute(
            "UPDATE instances SET status = $status, output = $output, failure = $failure, updated_at = $now WHERE id = $id",
            ("$status", status.ToString()), ("$output", output), ("$failure", failure), ("$now", Now.UtcTicks), ("$id", instance.Id));
        if (instance.ParentId is null)
            return;

        var answer = status == OrchestrationRuntimeStatus.Completed
            ? new HistoryEvent(HistoryKind.SubOrchestrationCompleted, Now, instance.ParentTaskId, instance.Name, output)
            : new HistoryEvent(HistoryKind.SubOrchestrationFailed, Now, instance.ParentTaskId, instance.Name, Failure: failure
                ?? FailureJson.Write(new OperationCanceledException($"Sub-orchestration '{instance.Name}' ({instance.Id}) was terminated. Output: {output ?? "none"}.")));
        if (FindInstance(session, instance.ParentId) is { HasEnded: false })
            Post(session, instance.ParentId, instance.ParentExecution, answer);
    }

    private void RestartWith(SqliteSession session, InstanceRow instance, Restart restart)
    {
        // External events that came in during the turn stay in the inbox; everything else there belonged to the old execution.
        session.Execute("DELETE FROM inbox WHERE instance_id = $id AND execution IS NOT NULL", ("$id", instance.Id));
        session.Execute("DELETE FROM activities WHERE instance_id = $id", ("$id", instance.Id));
        session.Execute("DELETE FROM history WHERE instance_id = $id", ("$id", instance.Id));
        session.Execute(
            "UPDATE instances SET execution = execution + 1, input = $input, status = 'Running', updated_at = $now WHERE id = $id",
            ("$input", restart.Input), ("$now", Now.UtcTicks), ("$id", instance.Id));
        Post(session, instance.Id, instance.Execution + 1, new HistoryEvent(HistoryKind.Started, Now));
        foreach (var carried in restart.CarriedEvents)
            Post(session, instance.Id, null, carried with { At = Now });
    }

    private static int PurgeOne(SqliteSession session, string id, bool recursive)
    {
        if (FindInstance(session, id) is not { HasEnded: true })
            return 0;
        var removed = 1;
        if (recursive)
            removed += ChildrenOf(session, id).Sum(child => PurgeOne(session, child, recursive));
        Remove(session, id);
        return removed;
    }

    private static void Insert(SqliteSession session, InstanceRow row, DateTimeOffset startAt)
    {
        session.Execute(
            $"""
            INSERT INTO instances ({InstanceColumns}) VALUES ($id, $execution, $name, $version, $status, $input, $output, $custom, $failure,
                $created, $updated, $parent, $parentExecution, $parentTask, $parentName, $tags)
            """,
            ("$id", row.Id), ("$execution", row.Execution), ("$name", row.Name), ("$version", row.Version), ("$status", row.Status.ToString()),
            ("$input", row.Input), ("$output", row.Output), ("$custom", row.CustomStatus), ("$failure", row.Failure),
            ("$created", row.CreatedAt.UtcTicks), ("$updated", row.UpdatedAt.UtcTicks), ("$parent", row.ParentId),
            ("$parentExecution", row.ParentExecution), ("$parentTask", row.ParentTaskId), ("$parentName", row.ParentName), ("$tags", row.Tags));
        Post(session, row.Id, row.Execution, new HistoryEvent(HistoryKind.Started, startAt));
    }

    private static bool PostIfAlive(SqliteSession session, string id, HistoryEvent line)
    {
        if (FindInstance(session, id) is not { HasEnded: false })
            return false;
        Post(session, id, null, line);
        return true;
    }

    private static void Post(SqliteSession session, string id, int? execution, HistoryEvent line) => session.Execute(
        "INSERT INTO inbox (instance_id, execution, due_at, kind, task_id, name, payload, failure) VALUES ($id, $execution, $due, $kind, $task, $name, $payload, $failure)",
        ("$id", id), ("$execution", execution), ("$due", line.At.UtcTicks), ("$kind", line.Kind.ToString()), ("$task", line.TaskId),
        ("$name", line.Name), ("$payload", line.Payload), ("$failure", line.Failure));

    private static void Remove(SqliteSession session, string id)
    {
        RemoveWork(session, id);
        session.Execute("DELETE FROM history WHERE instance_id = $id", ("$id", id));
        session.Execute("DELETE FROM instances WHERE id = $id", ("$id", id));
    }

    private static void RemoveWork(SqliteSession session, string id)
    {
        session.Execute("DELETE FROM inbox WHERE instance_id = $id", ("$id", id));
        session.Execute("DELETE FROM activities WHERE instance_id = $id", ("$id", id));
    }

    private static void RemoveLines(SqliteSession session, IReadOnlyList<InboxLine> lines)
    {
        foreach (var line in lines)
            session.Execute("DELETE FROM inbox WHERE id = $id", ("$id", line.RowId));
    }

    private static List<string> ChildrenOf(SqliteSession session, string id) =>
        session.Query("SELECT id FROM instances WHERE parent_id = $id ORDER BY created_at, id", row => row.GetString(0), ("$id", id));

    private static InstanceRow? FindInstance(SqliteSession session, string id) =>
        session.Query($"SELECT {InstanceColumns} FROM instances WHERE id = $id", ReadInstance, ("$id", id)).SingleOrDefault();

    private static InstanceRow ReadInstance(SqliteDataReader row) => new(
        row.GetString(0),
        row.GetInt32(1),
        row.GetString(2),
        row.GetString(3),
        Enum.Parse<OrchestrationRuntimeStatus>(row.GetString(4)),
        row.TextOrNull(5),
        row.TextOrNull(6),
        row.TextOrNull(7),
        row.TextOrNull(8),
        row.Time(9),
        row.Time(10),
        row.TextOrNull(11),
        row.GetInt32(12),
        row.GetInt32(13),
        row.TextOrNull(14),
        row.GetString(15));

    private static HistoryEvent ReadEvent(SqliteDataReader row) => new(
        Enum.Parse<HistoryKind>(row.GetString(0)), row.Time(1), row.GetInt32(2), row.TextOrNull(3), row.TextOrNull(4), row.TextOrNull(5));

    private static string? StatusList(IEnumerable<OrchestrationRuntimeStatus>? statuses) =>
        statuses?.ToList() is { Count: > 0 } list ? $",{string.Join(',', list)}," : null;
}
