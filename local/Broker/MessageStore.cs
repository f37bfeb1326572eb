namespace Sdxl.Local.Broker;

/// <summary>
/// What can be done with the messages of the file, in the writer's transaction of the moment and on its thread only. A lock belongs to its
/// token and queue, never to a connection, so that it outlives both ends.
/// </summary>
internal sealed class MessageStore(TimeProvider time)
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

    private const string Columns =
        "seq, coalesce(first_seq, seq), queue, dead, state, deferred, deliveries, token, locked_until, enqueued_at, expires_at";

    /// <summary>Queues where a message may have become ready since the set was last emptied.</summary>
    public HashSet<QueueAddress> Touched { get; } = [];

    /// <summary>The earliest time at which <see cref="Tidy"/> may have something to do, in UTC ticks.</summary>
    public long NextTidy { get; private set; } = long.MinValue;

    /// <summary>The transaction of the moment.</summary>
    public SqliteSession Session { private get; set; } = null!;

    private long Now => time.GetUtcNow().UtcTicks;

    /// <returns>The sequence number, or null for a duplicate, which is dropped.</returns>
    public long? Add(QueueSettings queue, NewMessage message)
    {
        var now = Now;
        if (queue.DuplicateDetectionWindow > TimeSpan.Zero && message.Id is { Length: > 0 } id && Session.Execute(
            "INSERT INTO seen VALUES ($queue, $id, $until) ON CONFLICT DO UPDATE SET until = excluded.until WHERE until <= $now",
            ("$queue", queue.Name), ("$id", id), ("$until", Later(now, queue.DuplicateDetectionWindow)), ("$now", now)) == 0)
        {
            return null;
        }
        var due = Math.Max(message.DueAt?.UtcTicks ?? now, now);
        var timeToLive = message.TimeToLive is { } own && own < queue.DefaultTimeToLive ? own : queue.DefaultTimeToLive;
        var expires = Later(due, timeToLive);
        Session.Execute(
            """
            INSERT INTO messages (queue, dead, state, deferred, deliveries, locked_until, due_at, enqueued_at, expires_at)
            VALUES ($queue, 0, $state, 0, 0, 0, $due, $due, $expires)
            """,
            ("$queue", queue.Name), ("$due", due), ("$expires", expires),
            ("$state", (int)(due > now ? MessageState.Scheduled : MessageState.Ready)));
        var sequence = (long)Session.Scalar("SELECT last_insert_rowid()")!;
        Session.Execute("INSERT INTO bodies VALUES ($seq, $bytes)", ("$seq", sequence), ("$bytes", message.Bytes));
        TidyAt(due > now ? due : expires);
        Touched.Add(new(queue.Name, false));
        return sequence;
    }

    /// <summary>Takes ready messages, oldest first, and no more than 16 MiB of them at a time, so that a burst fits into memory.</summary>
    /// <param name="removeNow">How many, and for each whether it leaves the queue now instead of being locked.</param>
    /// <param name="isCut">Whether there were more.</param>
    public List<StoredMessage> Take(QueueSettings queue, QueueAddress address, IReadOnlyList<bool> removeNow, out bool isCut)
    {
        var rows = Select(
            "queue = $queue AND dead = $dead AND state = 0 AND expires_at > $now ORDER BY seq LIMIT $count",
            ("$queue", address.Queue), ("$dead", address.Dead), ("$now", Now), ("$count", removeNow.Count));
        var taken = new List<StoredMessage>(rows.Count);
        for (var (index, bytes) = (0, 0L); index < rows.Count && bytes < 16 << 20; bytes += taken[index++].Bytes.Length)
            taken.Add(HandOut(queue, rows[index], removeNow[index]));
        isCut = taken.Count < rows.Count;
        return taken;
    }

    /// <exception cref="AmqpException">One of them is not deferred; none is taken then.</exception>
    public List<StoredMessage> TakeDeferred(QueueSettings queue, QueueAddress address, IEnumerable<long> numbers, bool removeNow) =>
        numbers.Select(number => Select(
            "seq = $seq AND queue = $queue AND dead = $dead AND state = 2 AND expires_at > $now",
            ("$seq", number), ("$queue", address.Queue), ("$dead", address.Dead), ("$now", Now)) is [var row]
            ? HandOut(queue, row, removeNow)
            : throw Missing($"There is no deferred message with the sequence number {number} in '{address.Queue}'.")).ToList();

    /// <summary>Messages of any state, which stay as they are; at least one if there is one, and about 4 MiB at most.</summary>
    public List<StoredMessage> Peek(QueueAddress address, long fromNumber, int count)
    {
        var rows = Select(
            "queue = $queue AND dead = $dead AND seq >= $from AND expires_at > $now ORDER BY seq LIMIT $count",
            ("$queue", address.Queue), ("$dead", address.Dead), ("$from", fromNumber), ("$now", Now), ("$count", count));
        var seen = new List<StoredMessage>(rows.Count);
        for (var bytes = 0L; seen.Count < rows.Count && bytes < 4 << 20; bytes += seen[^1].Bytes.Length)
            seen.Add(rows[seen.Count] with { Bytes = Body(rows[seen.Count].Sequence), Token = null });
        return seen;
    }

    /// <exception cref="AmqpException">One of them is not scheduled; none is taken away then.</exception>
    public void Cancel(QueueSettings queue, IEnumerable<long> numbers)
    {
        foreach (var number in numbers)
        {
            if (Select("seq = $seq AND queue = $queue AND state = 3", ("$seq", number), ("$queue", queue.Name)) is [])
                throw Missing($"There is no scheduled message with the sequence number {number} in '{queue.Name}'.");
            Remove(number);
        }
    }

    /// <summary>Ends a lock. One that has ended, or another queue's, is refused.</summary>
    /// <param name="changes">Application properties that the message gets, unless it is completed.</param>
    public void Settle(QueueSettings queue, Guid token, Disposition disposition, IEnumerable<KeyValuePair<string, object?>> changes)
    {
        var message = Held(queue, token);
        switch (disposition)
        {
            case Disposition.Complete:
                Remove(message.Sequence);
                break;
            case Disposition.Abandon: // Delivered as often as is allowed, it goes to the dead-letter queue.
                Change(message, changes);
                Unlock(queue, message);
                break;
            case Disposition.Defer:
                Change(message, changes);
                Session.Execute("UPDATE messages SET state = 2, deferred = 1, token = NULL WHERE seq = $seq", ("$seq", message.Sequence));
                TidyAt(message.ExpiresAt);
                break;
            case Disposition.Bury:
                Bury(message, changes);
                break;
        }
    }

    /// <returns>The new end of the lock.</returns>
    public DateTime Renew(QueueSettings queue, Guid token)
    {
        var until = Later(Now, queue.LockDuration);
        var message = Held(queue, token);
        Session.Execute("UPDATE messages SET locked_until = $until WHERE seq = $seq", ("$until", until), ("$seq", message.Sequence));
        return new(until, DateTimeKind.Utc);
    }

    /// <summary>Puts a message back that did not reach its receiver, as if it had not been given out. A lost lock stays lost.</summary>
    public void Return(StoredMessage message)
    {
        if (message.Token is { } token)
            Return(token);
        else
        {
            Session.Execute(
                """
                INSERT INTO messages
                VALUES ($seq, $first, $queue, $dead, $state, $deferred, $deliveries, NULL, 0, $enqueued, $enqueued, $expires)
                """,
                ("$seq", message.Sequence), ("$first", message.FirstSequence), ("$queue", message.Address.Queue),
                ("$dead", message.Address.Dead), ("$state", (int)message.State), ("$deferred", message.IsDeferred),
                ("$deliveries", message.Deliveries), ("$enqueued", message.EnqueuedAt), ("$expires", message.ExpiresAt));
            Session.Execute("INSERT INTO bodies VALUES ($seq, $bytes)", ("$seq", message.Sequence), ("$bytes", message.Bytes));
            TidyAt(message.ExpiresAt);
            Touched.Add(message.Address);
        }
    }

    /// <inheritdoc cref="Return(StoredMessage)"/>
    public void Return(Guid token)
    {
        if (Select("token = $token", ("$token", token.ToByteArray())) is not [var message])
            return;
        Session.Execute(
            "UPDATE messages SET state = 2 * deferred, token = NULL, deliveries = deliveries - 1 WHERE seq = $seq",
            ("$seq", message.Sequence));
        TidyAt(message.ExpiresAt);
        Touched.Add(message.Address);
    }

    /// <summary>Does what time asks for: locks that end, schedules that are due, messages and remembered ids that expire.</summary>
    public void Tidy(IReadOnlyDictionary<string, QueueSettings> queues)
    {
        var now = Now;
        if (now < NextTidy)
            return;
        foreach (var message in Select("state = 1 AND locked_until <= $now", ("$now", now)))
            Unlock(queues.GetValueOrDefault(message.Address.Queue), message);
        foreach (var message in Select("state = 3 AND due_at <= $now ORDER BY due_at", ("$now", now)))
            Enqueue(message);
        foreach (var message in Select("expires_at < 9223372036854775807 AND expires_at <= $now AND state <> 1", ("$now", now)))
        {
            if (queues.TryGetValue(message.Address.Queue, out var queue) && queue.DeadLetterOnExpiration)
                Bury(message, Reason("TTLExpiredException", "The message expired and was dead lettered."));
            else
                Remove(message.Sequence);
        }
        Session.Execute("DELETE FROM seen WHERE until <= $now", ("$now", now));
        // Remembered ids may lie a little longer: they are compared with the clock at each use.
        NextTidy = (long)Session.Scalar(
            """
            SELECT min(coalesce((SELECT min(locked_until) FROM messages WHERE state = 1), 9223372036854775807),
                       coalesce((SELECT min(due_at) FROM messages WHERE state = 3), 9223372036854775807),
                       coalesce((SELECT min(expires_at) FROM messages
                                 WHERE expires_at < 9223372036854775807 AND state <> 1), 9223372036854775807))
            """)!;
    }

    /// <summary>After a transaction that was undone: what was noted in it about time does not hold.</summary>
    public void Forget() => NextTidy = long.MinValue;

    public QueueCounts Count(string queue)
    {
        var counts = Session.Query(
            "SELECT dead, state, count(*) FROM messages WHERE queue = $queue GROUP BY dead, state",
            row => (Dead: row.GetBoolean(0), State: (MessageState)row.GetInt32(1), Count: row.GetInt32(2)), ("$queue", queue));
        int Of(MessageState state) => counts.Where(count => !count.Dead && count.State == state).Sum(count => count.Count);
        return new(Of(MessageState.Ready), Of(MessageState.Locked), Of(MessageState.Deferred), Of(MessageState.Scheduled),
            counts.Where(count => count.Dead).Sum(count => count.Count));
    }

    private StoredMessage HandOut(QueueSettings queue, StoredMessage message, bool removeNow)
    {
        message = message with { Bytes = Body(message.Sequence) };
        if (removeNow)
        {
            Remove(message.Sequence);
            return message;
        }
        message = message with { Token = Guid.NewGuid(), LockedUntil = Later(Now, queue.LockDuration) };
        Session.Execute(
            "UPDATE messages SET state = 1, token = $token, locked_until = $until, deliveries = deliveries + 1 WHERE seq = $seq",
            ("$token", message.Token!.Value.ToByteArray()), ("$until", message.LockedUntil), ("$seq", message.Sequence));
        TidyAt(message.LockedUntil);
        return message;
    }

    private StoredMessage Held(QueueSettings queue, Guid token) => Select(
        "token = $token AND queue = $queue AND locked_until > $now",
        ("$token", token.ToByteArray()), ("$queue", queue.Name), ("$now", Now)) is [var message]
        ? message
        : throw new AmqpException(
            BrokerErrors.MessageLockLost, $"The lock {token} in '{queue.Name}' has ended, or its message is settled already.");

    private void Unlock(QueueSettings? queue, StoredMessage message)
    {
        if (!message.Address.Dead && queue is not null && message.Deliveries >= queue.MaxDeliveryCount)
        {
            Bury(message, Reason(
                "MaxDeliveryCountExceeded", $"Message could not be consumed after {queue.MaxDeliveryCount} delivery attempts."));
            return;
        }
        Session.Execute("UPDATE messages SET state = 2 * deferred, token = NULL WHERE seq = $seq", ("$seq", message.Sequence));
        TidyAt(message.ExpiresAt);
        Touched.Add(message.Address);
    }

    private void Bury(StoredMessage message, IEnumerable<KeyValuePair<string, object?>> changes)
    {
        Change(message, changes);
        Session.Execute(
            "UPDATE messages SET dead = 1, state = 0, deferred = 0, token = NULL, expires_at = 9223372036854775807 WHERE seq = $seq",
            ("$seq", message.Sequence));
        Touched.Add(message.Address with { Dead = true });
    }

    /// <summary>A scheduled message gets a new number when it is due, so that it stands behind what was sent before.</summary>
    private void Enqueue(StoredMessage message)
    {
        Session.Execute(
            """
            INSERT INTO messages (first_seq, queue, dead, state, deferred, deliveries, locked_until, due_at, enqueued_at, expires_at)
            SELECT seq, queue, dead, 0, deferred, deliveries, 0, due_at, enqueued_at, expires_at FROM messages WHERE seq = $seq
            """,
            ("$seq", message.Sequence));
        Session.Execute("UPDATE bodies SET seq = last_insert_rowid() WHERE seq = $seq", ("$seq", message.Sequence));
        Session.Execute("DELETE FROM messages WHERE seq = $seq", ("$seq", message.Sequence));
        TidyAt(message.ExpiresAt);
        Touched.Add(message.Address);
    }

    private void Change(StoredMessage message, IEnumerable<KeyValuePair<string, object?>> changes)
    {
        if (!changes.Any())
            return;
        Session.Execute(
            "UPDATE bodies SET bytes = $bytes WHERE seq = $seq",
            ("$bytes", MessageBytes.WithProperties(Body(message.Sequence), changes)), ("$seq", message.Sequence));
    }

    private void Remove(long sequence)
    {
        Session.Execute("DELETE FROM messages WHERE seq = $seq", ("$seq", sequence));
        Session.Execute("DELETE FROM bodies WHERE seq = $seq", ("$seq", sequence));
    }

    private byte[] Body(long sequence) => (byte[])Session.Scalar("SELECT bytes FROM bodies WHERE seq = $seq", ("$seq", sequence))!;

    private List<StoredMessage> Select(string where, params ReadOnlySpan<(string Name, object? Value)> parameters) =>
        Session.Query($"SELECT {Columns} FROM messages WHERE {where}", Read, parameters);

    private static StoredMessage Read(SqliteDataReader row) => new(
        row.GetInt64(0), row.GetInt64(1), new(row.GetString(2), row.GetBoolean(3)), (MessageState)row.GetInt32(4), row.GetBoolean(5),
        row.GetInt32(6), row.IsDBNull(7) ? null : new Guid((byte[])row.GetValue(7)), row.GetInt64(8), row.GetInt64(9), row.GetInt64(10));

    private static IEnumerable<KeyValuePair<string, object?>> Reason(string reason, string description) =>
        [new(BrokerErrors.DeadLetterReason, reason), new(BrokerErrors.DeadLetterDescription, description)];

    private static AmqpException Missing(string text) => new(BrokerErrors.MessageNotFound, text);

    private static long Later(long ticks, TimeSpan by) => by.Ticks > long.MaxValue - ticks ? long.MaxValue : ticks + by.Ticks;

    private void TidyAt(long ticks) => NextTidy = Math.Min(NextTidy, ticks);
}
