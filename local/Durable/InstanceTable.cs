using DurableTask.Core.Common;

namespace Sdxl.Local.Durable;

/// <summary>An instance, without its history.</summary>
internal sealed record InstanceRow(
    long Instance, string Id, string ExecutionId, OrchestrationStatus Status, DateTime CreatedAt, string StateJson)
{
    public OrchestrationState State => DurableJson.Read<OrchestrationState>(StateJson, $"The state of orchestration '{Id}'");

    public bool HasEnded => Status.HasEnded();
}

/// <summary>Statements over the table instances.</summary>
internal static class InstanceTable
{
    private const string Columns = "instance, id, execution_id, status, created_at, state";

    public static readonly OrchestrationStatus[] Ended =
        [OrchestrationStatus.Completed, OrchestrationStatus.Failed, OrchestrationStatus.Terminated, OrchestrationStatus.Canceled];

    /// <summary>As a parameter of json_each.</summary>
    public static readonly string EndedJson = Json(Ended);

    public static bool HasEnded(this OrchestrationStatus status) => Ended.Contains(status);

    public static InstanceRow? FindInstance(this SqliteSession session, string id) =>
        session.Query($"SELECT {Columns} FROM instances WHERE id = $id", Map, ("$id", id)).FirstOrDefault();

    public static InstanceRow? FindInstance(this SqliteSession session, long instance) =>
        session.Query($"SELECT {Columns} FROM instances WHERE instance = $instance", Map, ("$instance", instance)).FirstOrDefault();

    /// <summary>A pending instance; an earlier one of the same id is deleted with its history, messages and activities.</summary>
    public static void Replace(this SqliteSession session, OrchestrationInstance instance, ExecutionStartedEvent started, DateTime now)
    {
        var state = Utils.BuildOrchestrationState(new OrchestrationRuntimeState([started]));
        state.OrchestrationStatus = OrchestrationStatus.Pending;
        state.LastUpdatedTime = now;
        session.Execute("DELETE FROM instances WHERE id = $id", ("$id", instance.InstanceId));
        session.Execute(
            """
            INSERT INTO instances (id, execution_id, status, created_at, updated_at, state, family)
            VALUES ($id, $execution, $status, $created, $now, $state, (SELECT coalesce(family, instance) FROM instances WHERE id = $parent))
            """,
            ("$id", instance.InstanceId), ("$execution", instance.ExecutionId), ("$status", (int)state.OrchestrationStatus),
            ("$created", UtcTicks(started.Timestamp)), ("$now", now.Ticks), ("$state", DurableJson.Write(state)),
            ("$parent", started.ParentInstance?.OrchestrationInstance.InstanceId));
    }

    /// <summary>The instance keeps its time of creation, whereas the framework's state tells when the execution began.</summary>
    public static void UpdateInstance(this SqliteSession session, InstanceRow row, OrchestrationState state, DateTime now)
    {
        state.CreatedTime = row.CreatedAt;
        state.LastUpdatedTime = now;
        session.Execute(
            """
            UPDATE instances SET execution_id = $execution, status = $status, updated_at = $now, completed_at = $completed, state = $state
            WHERE instance = $instance
            """,
            ("$instance", row.Instance), ("$execution", state.OrchestrationInstance.ExecutionId),
            ("$status", (int)state.OrchestrationStatus), ("$now", now.Ticks),
            ("$completed", state.OrchestrationStatus.HasEnded() ? UtcTicks(state.CompletedTime) : null),
            ("$state", DurableJson.Write(state)));
    }

    /// <summary>A page of instances by time of creation and id.</summary>
    /// <param name="after">The last instance of the page before; null for the first page.</param>
    public static List<InstanceRow> List(this SqliteSession session, OrchestrationQuery query, (long Ticks, string Id)? after) =>
        session.Query(
        $"""
        SELECT {Columns} FROM instances
        WHERE created_at BETWEEN $from AND $to
          AND ($prefix IS NULL OR substr(id, 1, length($prefix)) = $prefix) AND NOT ($noEntities AND substr(id, 1, 1) = '@')
          AND ($statuses IS NULL OR status IN (SELECT value FROM json_each($statuses)))
          AND ($ticks IS NULL OR (created_at, id) > ($ticks, $id))
        ORDER BY created_at, id LIMIT $limit
        """,
        Map,
        ("$from", UtcTicks(query.CreatedTimeFrom) ?? 0), ("$to", UtcTicks(query.CreatedTimeTo) ?? long.MaxValue),
        ("$prefix", string.IsNullOrEmpty(query.InstanceIdPrefix) ? null : query.InstanceIdPrefix), ("$noEntities", query.ExcludeEntities),
        ("$statuses", query.RuntimeStatus is { Count: > 0 } statuses ? Json(statuses) : null),
        ("$ticks", after?.Ticks), ("$id", after?.Id), ("$limit", query.PageSize));

    /// <summary>Deletes an instance that has ended, with its history and activities.</summary>
    public static int Purge(this SqliteSession session, string id) => session.Execute(
        "DELETE FROM instances WHERE id = $id AND status IN (SELECT value FROM json_each($ended))", ("$id", id), ("$ended", EndedJson));

    /// <summary>Deletes ended instances whose time in a column is in a range, those of all statuses if none are named.</summary>
    public static int Purge(
        this SqliteSession session, string column, DateTime? from, DateTime? to, IEnumerable<OrchestrationStatus>? statuses) =>
        session.Execute(
        $"DELETE FROM instances WHERE {column} BETWEEN $from AND $to AND status IN (SELECT value FROM json_each($statuses))",
        ("$from", UtcTicks(from) ?? 0), ("$to", UtcTicks(to) ?? long.MaxValue), ("$statuses", Json((statuses ?? Ended).Intersect(Ended))));

    /// <summary>A time of no kind is taken for UTC.</summary>
    public static long? UtcTicks(DateTime? time) => (time is { Kind: DateTimeKind.Local } local ? local.ToUniversalTime() : time)?.Ticks;

    private static string Json(IEnumerable<OrchestrationStatus> statuses) => JsonSerializer.Serialize(statuses);

    private static InstanceRow Map(SqliteDataReader row) => new(
        row.GetInt64(0), row.GetString(1), row.GetString(2), (OrchestrationStatus)row.GetInt32(3),
        new DateTime(row.GetInt64(4), DateTimeKind.Utc), row.GetString(5));
}
