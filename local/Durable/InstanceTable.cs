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
    private const string Rows = "SELECT instance, id, execution_id, status, created_at, state FROM instances WHERE";

    public static readonly OrchestrationStatus[] Ended =
        [OrchestrationStatus.Completed, OrchestrationStatus.Failed, OrchestrationStatus.Terminated, OrchestrationStatus.Canceled];

    /// <summary>Those, as they stand in a statement: status IN (…).</summary>
    public static readonly string EndedStatuses = string.Join(", ", Ended.Cast<int>());

    public static bool HasEnded(this OrchestrationStatus status) => Ended.Contains(status);

    public static InstanceRow? FindInstance(this SqliteSession session, string id) =>
        session.Query($"{Rows:raw} id = {id}", Map).FirstOrDefault();

    public static InstanceRow? FindInstance(this SqliteSession session, long instance) =>
        session.Query($"{Rows:raw} instance = {instance}", Map).FirstOrDefault();

    /// <summary>A pending instance; an earlier one of the same id is deleted with its history, messages and activities.</summary>
    public static void Replace(this SqliteSession session, OrchestrationInstance instance, ExecutionStartedEvent started, DateTime now)
    {
        var state = Utils.BuildOrchestrationState(new OrchestrationRuntimeState([started]));
        state.OrchestrationStatus = OrchestrationStatus.Pending;
        state.LastUpdatedTime = now;
        session.Execute($"DELETE FROM instances WHERE id = {instance.InstanceId}");
        session.Execute(
            $"""
            INSERT INTO instances (id, execution_id, status, created_at, updated_at, state, family)
            VALUES ({instance.InstanceId}, {instance.ExecutionId}, {state.OrchestrationStatus}, {UtcTicks(started.Timestamp)}, {now.Ticks},
                {DurableJson.Write(state)},
                (SELECT coalesce(family, instance) FROM instances WHERE id = {started.ParentInstance?.OrchestrationInstance.InstanceId}))
            """);
    }

    /// <summary>The instance keeps its time of creation, whereas the framework's state tells when the execution began.</summary>
    public static void UpdateInstance(this SqliteSession session, InstanceRow row, OrchestrationState state, DateTime now)
    {
        state.CreatedTime = row.CreatedAt;
        state.LastUpdatedTime = now;
        var completed = state.OrchestrationStatus.HasEnded() ? UtcTicks(state.CompletedTime) : null;
        session.Execute(
            $"""
            UPDATE instances SET execution_id = {state.OrchestrationInstance.ExecutionId}, status = {state.OrchestrationStatus},
                updated_at = {now.Ticks}, completed_at = {completed}, state = {DurableJson.Write(state)}
            WHERE instance = {row.Instance}
            """);
    }

    /// <summary>A page of instances by time of creation and id.</summary>
    /// <param name="after">The last instance of the page before; null for the first page.</param>
    public static List<InstanceRow> List(this SqliteSession session, OrchestrationQuery query, (long Ticks, string Id)? after)
    {
        var (prefix, statuses) = (query.InstanceIdPrefix ?? "", query.RuntimeStatus is { Count: > 0 } some ? Json(some) : null);
        return session.Query(
            $"""
            {Rows:raw} created_at BETWEEN {UtcTicks(query.CreatedTimeFrom) ?? 0} AND {UtcTicks(query.CreatedTimeTo) ?? long.MaxValue}
                AND substr(id, 1, length({prefix})) = {prefix} AND NOT ({query.ExcludeEntities} AND substr(id, 1, 1) = '@')
                AND ({statuses} IS NULL OR status IN (SELECT value FROM json_each({statuses})))
                AND (created_at, id) > ({after?.Ticks ?? 0}, {after?.Id ?? ""})
            ORDER BY created_at, id LIMIT {query.PageSize}
            """,
            Map);
    }

    /// <summary>Deletes an instance that has ended, with its history and activities.</summary>
    public static int Purge(this SqliteSession session, string id) =>
        session.Execute($"DELETE FROM instances WHERE id = {id} AND status IN ({EndedStatuses:raw})");

    /// <summary>Deletes ended instances whose time in a column is in a range, those of all statuses if none are named.</summary>
    public static int Purge(
        this SqliteSession session, string column, DateTime? from, DateTime? to, IEnumerable<OrchestrationStatus>? statuses) =>
        session.Execute(
            $"""
            DELETE FROM instances WHERE {column:raw} BETWEEN {UtcTicks(from) ?? 0} AND {UtcTicks(to) ?? long.MaxValue}
                AND status IN (SELECT value FROM json_each({Json((statuses ?? Ended).Intersect(Ended))}))
            """);

    /// <summary>A time of no kind is taken for UTC.</summary>
    public static long? UtcTicks(DateTime? time) => (time is { Kind: DateTimeKind.Local } local ? local.ToUniversalTime() : time)?.Ticks;

    private static string Json(IEnumerable<OrchestrationStatus> statuses) => JsonSerializer.Serialize(statuses);

    private static InstanceRow Map(SqliteDataReader row) => new(
        row.GetInt64(0), row.GetString(1), row.GetString(2), (OrchestrationStatus)row.GetInt32(3),
        new DateTime(row.GetInt64(4), DateTimeKind.Utc), row.GetString(5));
}
