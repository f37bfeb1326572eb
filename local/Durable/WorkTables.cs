namespace Sdxl.Local.Durable;

/// <summary>Statements over messages (what an instance has not seen), history (what it has seen and done) and activities.</summary>
internal static class WorkTables
{
    /// <summary>
    /// Puts a message before an instance. Nothing overtakes the start of a pending instance: its messages become visible with the start,
    /// after it.
    /// </summary>
    /// <returns>False if there is no such instance, or it has ended: the message is dropped.</returns>
    public static bool Post(this SqliteSession session, TaskMessage message, DateTime visibleAt)
    {
        var at = InstanceTable.UtcTicks(visibleAt);
        return session.Execute(
            $"""
            INSERT INTO messages (instance, visible_at, message)
            SELECT instance, CASE WHEN status <> {OrchestrationStatus.Pending} THEN {at} ELSE max({at}, coalesce(
                (SELECT visible_at FROM messages AS start WHERE start.instance = instances.instance ORDER BY number LIMIT 1), 0)) END,
                {DurableJson.Write(message)}
            FROM instances WHERE id = {message.OrchestrationInstance.InstanceId} AND status NOT IN ({InstanceTable.EndedStatuses:raw})
            """) == 1;
    }

    /// <summary>The instance whose visible message waits longest, unless it is busy.</summary>
    public static long? NextInstance(this SqliteSession session, DateTime now, string busy) => (long?)session.Scalar(
        $"""
        SELECT instance FROM messages WHERE visible_at <= {now.Ticks} AND instance NOT IN (SELECT value FROM json_each({busy}))
        ORDER BY visible_at, number LIMIT 1
        """);

    /// <summary>How long until the next message becomes visible.</summary>
    public static TimeSpan? NextMessageIn(this SqliteSession session, DateTime now) =>
        session.Scalar($"SELECT min(visible_at) FROM messages WHERE visible_at > {now.Ticks}") is long ticks
            ? TimeSpan.FromTicks(ticks - now.Ticks)
            : null;

    public static List<(long Number, TaskMessage Message)> Messages(this SqliteSession session, InstanceRow row, DateTime now) =>
        session.Query(
            $"""
            SELECT number, message FROM messages WHERE instance = {row.Instance} AND visible_at <= {now.Ticks}
            ORDER BY visible_at, number
            """,
            reader => (reader.GetInt64(0), DurableJson.Read<TaskMessage>(reader.GetString(1), $"A message of orchestration '{row.Id}'")));

    public static void DeleteMessages(this SqliteSession session, IReadOnlyList<long> numbers) =>
        session.Execute($"DELETE FROM messages WHERE number IN (SELECT value FROM json_each({JsonSerializer.Serialize(numbers)}))");

    /// <summary>The events, oldest first.</summary>
    public static List<HistoryEvent> History(this SqliteSession session, InstanceRow row) => session.Query(
        $"SELECT event FROM history WHERE instance = {row.Instance} ORDER BY number",
        reader => DurableJson.Read<HistoryEvent>(reader.GetString(0), $"An event of orchestration '{row.Id}'"));

    public static void AppendHistory(this SqliteSession session, InstanceRow row, HistoryEvent happened) => session.Execute(
        $"""
        INSERT INTO history (instance, number, event)
        SELECT {row.Instance}, coalesce(max(number), 0) + 1, {DurableJson.Write(happened)} FROM history WHERE instance = {row.Instance}
        """);

    /// <param name="table">history or messages.</param>
    public static void DeleteAll(this SqliteSession session, string table, InstanceRow row) =>
        session.Execute($"DELETE FROM {table:raw} WHERE instance = {row.Instance}");

    public static void AddActivity(this SqliteSession session, InstanceRow row, TaskMessage message) => session.Execute(
        $"""
        INSERT INTO activities (instance, family, message)
        SELECT instance, coalesce(family, instance), {DurableJson.Write(message)} FROM instances WHERE instance = {row.Instance}
        """);

    /// <summary>The oldest free activity of the first family after the one that was served last, and round again from the oldest.</summary>
    public static (long Number, long Family, string Message)? NextActivity(this SqliteSession session, long lastFamily, string busy) =>
        session.ActivityAfter(lastFamily, busy) ?? session.ActivityAfter(0, busy);

    /// <returns>False if it is gone: its instance was purged or started anew.</returns>
    public static bool DeleteActivity(this SqliteSession session, long number) =>
        session.Execute($"DELETE FROM activities WHERE number = {number}") == 1;

    private static (long Number, long Family, string Message)? ActivityAfter(this SqliteSession session, long family, string busy) =>
        session.Query<(long, long, string)?>(
            $"""
            SELECT number, family, message FROM activities
            WHERE family > {family} AND number NOT IN (SELECT value FROM json_each({busy})) ORDER BY family, number LIMIT 1
            """,
            reader => (reader.GetInt64(0), reader.GetInt64(1), reader.GetString(2))).FirstOrDefault();
}
