namespace Sdxl.Local.Durable;

/// <summary>
/// The tables. Times are UTC ticks, states, events and messages <see cref="DurableJson"/>. An instance that starts again under the same
/// id is a new row, so whatever still belongs to the old row is gone with it.
/// </summary>
internal static class DurableSchema
{
    /// <summary>Marks files of this layout. Files of the former engine have 0.</summary>
    public const int Version = 2;

    /// <remarks>
    /// family: the row of the topmost ancestor, null if it has none. visible_at: when a message may be handed out. Numbers are never given
    /// twice, also after deletions: leases go by them. Files of before December 2026 have two more columns, which nothing reads.
    /// </remarks>
    public const string Statements = """
        CREATE TABLE IF NOT EXISTS instances (
            instance INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, execution_id TEXT NOT NULL, status INTEGER NOT NULL,
            family INTEGER, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, completed_at INTEGER, state TEXT NOT NULL);
        CREATE INDEX IF NOT EXISTS instances_by_time ON instances (created_at, id);
        CREATE TABLE IF NOT EXISTS history (
            instance INTEGER NOT NULL REFERENCES instances ON DELETE CASCADE, number INTEGER NOT NULL, event TEXT NOT NULL,
            PRIMARY KEY (instance, number)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS messages (
            number INTEGER PRIMARY KEY AUTOINCREMENT, instance INTEGER NOT NULL REFERENCES instances ON DELETE CASCADE,
            visible_at INTEGER NOT NULL, message TEXT NOT NULL);
        CREATE INDEX IF NOT EXISTS messages_by_time ON messages (visible_at, number, instance);
        CREATE INDEX IF NOT EXISTS messages_by_instance ON messages (instance, visible_at, number);
        CREATE TABLE IF NOT EXISTS activities (
            number INTEGER PRIMARY KEY AUTOINCREMENT, instance INTEGER NOT NULL REFERENCES instances ON DELETE CASCADE,
            family INTEGER NOT NULL, message TEXT NOT NULL);
        CREATE INDEX IF NOT EXISTS activities_by_family ON activities (family, number);
        CREATE INDEX IF NOT EXISTS activities_by_instance ON activities (instance);
        """;
}
