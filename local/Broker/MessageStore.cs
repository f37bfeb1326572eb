namespace Sdxl.Local.Broker;

/// <summary>
/// What can be done with the messages of the file, in the writer's transaction of the moment and on its thread only. A lock belongs to its
/// token and queue, never to a connection, so that it outlives both ends.
/// </summary>
internal sealed class MessageStore(IReadOnlyDictionary<string, QueueSettings> queues, TimeProvider time)
{
    public const int Version = 2; // 1 was never marked: the file that several processes shared.

    // Bodies lie apart, since SQLite writes a row anew at each lock and settlement.
    public const string Schema = """
        CREATE TABLE IF NOT EXISTS messages (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, first_seq INTEGER, queue TEXT NOT NULL, dead INTEGER NOT NULL,
            state INTEGER NOT NULL, deferred INTEGER NOT NULL, deliveries INTEGER NOT NULL, token BLOB, locked_until INTEGER NOT NULL,
            due_at INTEGER NOT NULL, enqueued_at INTEGER NOT NULL, expires_at INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS bodies (seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
        CREATE TABLE IF NOT EXISTS seen (
            queue TEXT NOT NULL, id TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (queue, id)) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS messages_by_state ON messages (queue, dead, state, seq);
        CREATE UNIQUE INDEX IF NOT EXISTS messages_by_token ON messages (token) WHERE token IS NOT NULL;
        CREATE INDEX IF NOT EXISTS messages_locked ON messages (locked_until) WHERE state = 1;
        CREATE INDEX IF NOT EXISTS messages_scheduled ON messages (due_at) WHERE state = 3;
        CREATE INDEX IF NOT EXISTS messages_expiring ON messages (expires_at) WHERE expires_at < 9223372036854775807;
        CREATE INDEX IF NOT EXISTS seen_until ON seen (until);
        """;

    private const int MaxTakenBytes = 16 << 20; // at a time, so that a burst fits into memory
    private const int MaxPeekedBytes = 4 << 20;

    private SqliteSession session = null!; // of the transaction of the moment

    /// <summary>The earliest time at which <see cref="Begin"/> may have something to do, in UTC ticks.</summary>
    public long NextTidy { get; private set; }

    private long Now => time.GetUtcNow().UtcTicks;

    /// <summary>Does what time asks for: locks that end, schedules that are due, messages and remembered ids that expire.</summary>
    public void Begin(SqliteSession session)
    {
        this.session = session;
        var now = Now;
        if (now < NextTidy)
            return;
        foreach (var message in Select($"state = 1 AND locked_until <= {now}"))
            Unlock(message);
        foreach (var message in Select($"state = 3 AND due_at <= {now} ORDER BY due_at"))
            Enqueue(message);
        foreach (var message in Select($"expires_at < 9223372036854775807 AND expires_at <= {now} AND state <> 1"))
        {
            if (queues.TryGetValue(message.Address.Queue, out var queue) && queue.DeadLetterOnExpiration)
                Bury(message, Reason("TTLExpiredException", "The message expired and was dead lettered."));
            else
                Remove(message.Sequence);
        }
        session.Execute($"DELETE FROM seen WHERE until <= {now}");
        // Remembered ids may lie a little longer: they are compared with the clock at each use.
        NextTidy = session.Scalar(
            $"""
            SELECT min(at) FROM (SELECT min(locked_until) AS at FROM messages WHERE state = 1
                UNION ALL SELECT min(due_at) FROM messages WHERE state = 3
                UNION ALL SELECT min(expires_at) FROM messages WHERE expires_at < 9223372036854775807 AND state <> 1)
            """) as long? ?? long.MaxValue;
    }

    /// <summary>After a transaction that was undone: what was noted in it does not hold.</summary>
    public void Forget() => NextTidy = 0;

    /// <returns>The sequence number, or null for a duplicate, which is dropped.</returns>
    public long? Add(string queue, NewMessage message)
    {
        var (now, settings) = (Now, queues[queue]);
        var until = Later(now, settings.DuplicateDetectionWindow);
        if (until > now && message.Id is { Length: > 0 } id && session.Execute(
            $"""
            INSERT INTO seen VALUES ({queue}, {id}, {until}) ON CONFLICT DO UPDATE SET until = excluded.until WHERE until <= {now}
            """) == 0)
            return null;
        var due = Math.Max(message.DueAt?.UtcTicks ?? now, now);
        var timeToLive = message.TimeToLive is { } own && own < settings.DefaultTimeToLive ? own : settings.DefaultTimeToLive;
        var expires = Later(due, timeToLive);
        session.Execute(
            $"""
            INSERT INTO messages (queue, dead, state, deferred, deliveries, locked_until, due_at, enqueued_at, expires_at)
            VALUES ({queue}, 0, {(due > now ? MessageState.Scheduled : MessageState.Ready)}, 0, 0, 0, {due}, {due}, {expires})
            """);
        var sequence = (long)session.Scalar($"SELECT last_insert_rowid()")!; // RETURNING takes longer
        session.Execute($"INSERT INTO bodies VALUES ({sequence}, {message.Bytes})");
        TidyAt(due > now ? due : expires);
        return sequence;
    }

    /// <summary>Takes ready messages, oldest first.</summary>
    /// <param name="removeNow">How many, and for each whether it leaves the queue now instead of being locked.</param>
    public List<StoredMessage> Take(QueueAddress address, IReadOnlyList<bool> removeNow) => WithBodies(MaxTakenBytes, Select(
        $"""
        queue = {address.Queue} AND dead = {address.Dead} AND state = 0 AND expires_at > {Now} ORDER BY seq LIMIT {removeNow.Count}
        """)).Zip(removeNow, HandOut).ToList();

    /// <exception cref="AmqpException">It is not deferred.</exception>
    public StoredMessage TakeDeferred(QueueAddress address, long number, bool removeNow) =>
        Select($"seq = {number} AND queue = {address.Queue} AND dead = {address.Dead} AND state = 2 AND expires_at > {Now}") is [var row]
            ? HandOut(row with { Bytes = Body(number) }, removeNow)
            : throw Missing("deferred", number, address.Queue);

    /// <summary>Messages of any state, which stay as they are; at least one if there is one.</summary>
    public List<StoredMessage> Peek(QueueAddress address, long from, int count) => WithBodies(MaxPeekedBytes, Select(
        $"""
        queue = {address.Queue} AND dead = {address.Dead} AND seq >= {from} AND expires_at > {Now} ORDER BY seq LIMIT {count}
        """)).ConvertAll(message => message with { Token = null });

    /// <exception cref="AmqpException">It is not scheduled.</exception>
    public void Cancel(string queue, long number) => Remove(
        Select($"seq = {number} AND queue = {queue} AND state = 3") is [_] ? number : throw Missing("scheduled", number, queue));

    /// <summary>Ends a lock. One that has ended, or another queue's, is refused.</summary>
    /// <param name="changes">Application properties that the message gets, unless it is completed.</param>
    public void Settle(string queue, Guid token, Disposition disposition, Dictionary<string, object?> changes)
    {
        var message = Held(queue, token);
        switch (disposition)
        {
            case Disposition.Complete:
                Remove(message.Sequence);
                break;
            case Disposition.Abandon: // Delivered as often as is allowed, it goes to the dead-letter queue.
                Change(message, changes);
                Unlock(message);
                break;
            case Disposition.Defer:
                Change(message, changes);
                session.Execute($"UPDATE messages SET deferred = 1 WHERE seq = {message.Sequence}");
                PutBack(message);
                break;
            case Disposition.Bury:
                Bury(message, changes);
                break;
            case Disposition.Return:
                Return(message);
                break;
        }
    }

    /// <returns>The new end of the lock.</returns>
    public DateTime Renew(string queue, Guid token)
    {
        var until = Later(Now, queues[queue].LockDuration);
        session.Execute($"UPDATE messages SET locked_until = {until} WHERE seq = {Held(queue, token).Sequence}");
        return new(until, DateTimeKind.Utc);
    }

    /// <summary>Puts a message back that did not reach its receiver, as if it had not been given out. A lost lock stays lost.</summary>
    public void Return(StoredMessage message)
    {
        TidyAt(message.ExpiresAt);
        if (message.Token is { } token)
        {
            session.Execute($"UPDATE messages SET state = 2 * deferred, token = NULL, deliveries = deliveries - 1 WHERE token = {token}");
            return;
        }
        session.Execute(
            $"""
            INSERT INTO messages VALUES (
                {message.Sequence}, {message.FirstSequence}, {message.Address.Queue}, {message.Address.Dead}, {message.State},
                {message.IsDeferred}, {message.Deliveries}, NULL, 0, {message.EnqueuedAt}, {message.EnqueuedAt}, {message.ExpiresAt})
            """);
        session.Execute($"INSERT INTO bodies VALUES ({message.Sequence}, {message.Bytes})");
    }

    public QueueCounts Count(string queue)
    {
        var counts = session.Query(
            $"SELECT CASE WHEN dead THEN 4 ELSE state END AS kind, count(*) FROM messages WHERE queue = {queue} GROUP BY kind",
            row => (Kind: row.GetInt32(0), Count: row.GetInt32(1))).ToDictionary(row => row.Kind, row => row.Count);
        int Of(int kind) => counts.GetValueOrDefault(kind);
        return new(Of(0), Of(1), Of(2), Of(3), Of(4));
    }

    private StoredMessage HandOut(StoredMessage message, bool removeNow)
    {
        if (removeNow)
        {
            Remove(message.Sequence);
            return message;
        }
        var (token, until) = (Guid.NewGuid(), Later(Now, queues[message.Address.Queue].LockDuration));
        session.Execute(
            $"""
            UPDATE messages SET state = 1, token = {token}, locked_until = {until}, deliveries = deliveries + 1
            WHERE seq = {message.Sequence}
            """);
        TidyAt(until);
        return message with { Token = token, LockedUntil = until };
    }

    private StoredMessage Held(string queue, Guid token) =>
        Select($"token = {token} AND queue = {queue} AND locked_until > {Now}") is [var message] ? message : throw new AmqpException(
            BrokerErrors.MessageLockLost, $"The lock {token} in '{queue}' has ended, or its message is settled already.");

    private void Unlock(StoredMessage message)
    {
        var most = queues.GetValueOrDefault(message.Address.Queue)?.MaxDeliveryCount ?? int.MaxValue;
        if (message.Address.Dead || message.Deliveries < most)
            PutBack(message);
        else
            Bury(message, Reason("MaxDeliveryCountExceeded", $"Message could not be consumed after {most} delivery attempts."));
    }

    private void PutBack(StoredMessage message)
    {
        session.Execute($"UPDATE messages SET state = 2 * deferred, token = NULL WHERE token = {message.Token}");
        TidyAt(message.ExpiresAt);
    }

    private void Bury(StoredMessage message, Dictionary<string, object?> changes)
    {
        Change(message, changes);
        session.Execute(
            $"""
            UPDATE messages SET dead = 1, state = 0, deferred = 0, token = NULL, expires_at = {long.MaxValue}
            WHERE seq = {message.Sequence}
            """);
    }

    /// <summary>A scheduled message gets a new number when it is due, so that it stands behind what was sent before.</summary>
    private void Enqueue(StoredMessage message)
    {
        session.Execute(
            $"""
            INSERT INTO messages (first_seq, queue, dead, state, deferred, deliveries, locked_until, due_at, enqueued_at, expires_at)
            SELECT seq, queue, dead, 0, deferred, deliveries, 0, due_at, enqueued_at, expires_at FROM messages
            WHERE seq = {message.Sequence}
            """);
        session.Execute($"UPDATE bodies SET seq = last_insert_rowid() WHERE seq = {message.Sequence}");
        session.Execute($"DELETE FROM messages WHERE seq = {message.Sequence}");
        TidyAt(message.ExpiresAt);
    }

    private void Change(StoredMessage message, Dictionary<string, object?> changes)
    {
        if (changes.Count > 0)
            session.Execute(
                $"UPDATE bodies SET bytes = {MessageBytes.WithProperties(Body(message.Sequence), changes)} WHERE seq = {message.Sequence}");
    }

    private void Remove(long sequence)
    {
        session.Execute($"DELETE FROM messages WHERE seq = {sequence}");
        session.Execute($"DELETE FROM bodies WHERE seq = {sequence}");
    }

    private byte[] Body(long sequence) => (byte[])session.Scalar($"SELECT bytes FROM bodies WHERE seq = {sequence}")!;

    /// <summary>As many of them as have this number of bytes together, but one at least.</summary>
    private List<StoredMessage> WithBodies(long most, List<StoredMessage> rows)
    {
        var whole = new List<StoredMessage>(rows.Count);
        for (; whole.Count < rows.Count && most > 0; most -= whole[^1].Bytes.Length)
            whole.Add(rows[whole.Count] with { Bytes = Body(rows[whole.Count].Sequence) });
        return whole;
    }

    private List<StoredMessage> Select(Sql where) => session.Query(
        $"""
        SELECT seq, coalesce(first_seq, seq), queue, dead, state, deferred, deliveries, token, locked_until, enqueued_at, expires_at
        FROM messages WHERE {where}
        """,
        row => new StoredMessage(
            row.GetInt64(0), row.GetInt64(1), new(row.GetString(2), row.GetBoolean(3)), (MessageState)row.GetInt32(4), row.GetBoolean(5),
            row.GetInt32(6), row.IsDBNull(7) ? null : row.GetGuid(7), row.GetInt64(8), row.GetInt64(9), row.GetInt64(10)));

    private static Dictionary<string, object?> Reason(string reason, string description) =>
        new() { [BrokerErrors.DeadLetterReason] = reason, [BrokerErrors.DeadLetterDescription] = description };

    private static AmqpException Missing(string kind, long number, string queue) => new(
        BrokerErrors.MessageNotFound, $"There is no {kind} message with the sequence number {number} in '{queue}'.");

    private static long Later(long ticks, TimeSpan by) => by.Ticks > long.MaxValue - ticks ? long.MaxValue : ticks + by.Ticks;

    private void TidyAt(long ticks) => NextTidy = Math.Min(NextTidy, ticks);
}
