using Azure.Messaging.ServiceBus;
using Microsoft.Data.Sqlite;
using Sdxl.Local.Storage;

namespace Sdxl.Local.Broker;

/// <summary>
/// Queues in one SQLite file that several processes share. A message is a row; locks, delivery counts, due times and dead letters are its
/// columns. Each operation is one transaction, so a process that dies leaves at most a lock behind, which expires.
/// </summary>
public sealed class BrokerFile : IDisposable
{
    /// <summary>The limit of Azure's Standard tier.</summary>
    public const int MaxMessageBytes = 256 * 1024;

    private const string Schema = """
        CREATE TABLE IF NOT EXISTS queues (
            name TEXT PRIMARY KEY, lock_ticks INTEGER NOT NULL, max_delivery_count INTEGER NOT NULL, duplicate_ticks INTEGER NOT NULL,
            ttl_ticks INTEGER NOT NULL, dead_letter_on_expiration INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS messages (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, dead INTEGER NOT NULL, deferred INTEGER NOT NULL, due_at INTEGER NOT NULL,
            enqueued_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, ttl_ticks INTEGER NOT NULL, delivery_count INTEGER NOT NULL,
            lock_token TEXT, locked_until INTEGER NOT NULL, message_id TEXT, correlation_id TEXT, session_id TEXT, reply_to_session_id TEXT,
            subject TEXT, content_type TEXT, recipient TEXT, reply_to TEXT, properties TEXT NOT NULL, body BLOB NOT NULL);
        CREATE INDEX IF NOT EXISTS messages_ready ON messages (queue, dead, deferred, due_at, seq);
        CREATE TABLE IF NOT EXISTS seen (queue TEXT NOT NULL, message_id TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (queue, message_id)) WITHOUT ROWID;
        """;

    private const string MessageColumns =
        "seq, queue, due_at, enqueued_at, ttl_ticks, delivery_count, lock_token, locked_until, message_id, correlation_id, session_id, "
        + "reply_to_session_id, subject, content_type, recipient, reply_to, properties, body, deferred, dead";

    private readonly SqliteFile file;
    private readonly TimeProvider time;

    public BrokerFile(string path, TimeProvider time)
    {
        this.time = time;
        file = new SqliteFile(path, Schema);
    }

    /// <summary>Called after each change made through this object; other processes' changes are found by looking again.</summary>
    internal event Action? Changed;

    /// <summary>Makes queues, or gives existing ones new settings; their messages stay.</summary>
    public void Declare(params IEnumerable<QueueSettings> queues) => file.Write(session =>
    {
        foreach (var queue in queues)
        {
            session.Execute(
                "INSERT OR REPLACE INTO queues VALUES ($name, $lock, $max, $duplicate, $ttl, $dead)",
                ("$name", queue.Name.ToLowerInvariant()), ("$lock", queue.LockDuration.Ticks), ("$max", queue.MaxDeliveryCount),
                ("$duplicate", queue.DuplicateDetectionWindow.Ticks), ("$ttl", queue.DefaultTimeToLive.Ticks), ("$dead", queue.DeadLetterOnExpiration));
        }
    });

    /// <summary>How many messages lie in a queue, of any state, and in its dead-letter queue.</summary>
    public (int Messages, int DeadLetters) Count(string queue) => file.Read(session =>
    {
        Find(session, queue);
        int Of(int dead) => (int)(long)session.Scalar("SELECT count(*) FROM messages WHERE queue = $queue AND dead = $dead", ("$queue", queue), ("$dead", dead))!;
        return (Of(0), Of(1));
    });

    /// <summary>Puts messages into a queue, all or none; a duplicate is dropped in silence, as the service does it.</summary>
    /// <returns>The sequence numbers; that of the first message for a duplicate is 0.</returns>
    internal List<long> Send(string queue, IReadOnlyList<ServiceBusMessage> messages, DateTimeOffset? scheduledFor = null)
    {
        var numbers = file.Write(session =>
        {
            var settings = Find(session, queue);
            return messages.Select(message => Insert(session, settings, message, scheduledFor)).ToList();
        });
        Changed?.Invoke();
        return numbers;
    }

    internal void CancelScheduled(string queue, IEnumerable<long> numbers) => file.Write(session =>
    {
        foreach (var number in numbers)
        {
            if (session.Execute(
                "DELETE FROM messages WHERE seq = $seq AND queue = $queue AND due_at > $now", ("$seq", number), ("$queue", queue), ("$now", Now)) == 0)
            {
                throw new ServiceBusException(
                    $"There is no scheduled message with the sequence number {number}.", ServiceBusFailureReason.MessageNotFound, queue);
            }
        }
    });

    /// <summary>Takes messages that are ready, oldest first, and locks them (or removes them).</summary>
    internal IReadOnlyList<ServiceBusReceivedMessage> Receive(QueueAddress address, int maxMessages, ServiceBusReceiveMode mode)
    {
        // A look without a write lock first: receivers poll, and mostly find nothing.
        if (!file.Read(session => HasWork(session, address)))
            return [];
        return file.Write(session =>
        {
            var settings = Find(session, address.Queue);
            Tidy(session, settings);
            var ready = session.Query(
                """
                SELECT seq FROM messages
                WHERE queue = $queue AND dead = $dead AND deferred = 0 AND due_at <= $now AND lock_token IS NULL ORDER BY seq LIMIT $limit
                """,
                row => row.GetInt64(0),
                ("$queue", address.Queue), ("$dead", address.DeadLetter), ("$now", Now), ("$limit", maxMessages));
            return ready.ConvertAll(number => HandOut(session, settings, number, mode));
        });
    }

    internal IReadOnlyList<ServiceBusReceivedMessage> ReceiveDeferred(QueueAddress address, IEnumerable<long> numbers, ServiceBusReceiveMode mode) =>
        file.Write(session =>
        {
            var settings = Find(session, address.Queue);
            Tidy(session, settings);
            return numbers.Select(number =>
            {
                var found = session.Scalar(
                    "SELECT seq FROM messages WHERE seq = $seq AND queue = $queue AND dead = $dead AND deferred = 1 AND lock_token IS NULL",
                    ("$seq", number), ("$queue", address.Queue), ("$dead", address.DeadLetter));
                return found is not null
                    ? HandOut(session, settings, number, mode)
                    : throw new ServiceBusException(
                        $"There is no deferred message with the sequence number {number}.", ServiceBusFailureReason.MessageNotFound, address.Path);
            }).ToList();
        });

    /// <summary>Looks at messages of any state without taking them.</summary>
    internal IReadOnlyList<ServiceBusReceivedMessage> Peek(QueueAddress address, long fromNumber, int maxMessages) => file.Read(session =>
    {
        Find(session, address.Queue);
        return session.Query(
            $"SELECT {MessageColumns} FROM messages WHERE queue = $queue AND dead = $dead AND seq >= $from ORDER BY seq LIMIT $limit",
            ReadMessage,
            ("$queue", address.Queue), ("$dead", address.DeadLetter), ("$from", fromNumber), ("$limit", maxMessages));
    });

    internal void Complete(QueueAddress address, ServiceBusReceivedMessage message) =>
        Settle(address, message, (session, _) => session.Execute("DELETE FROM messages WHERE seq = $seq", ("$seq", message.SequenceNumber)));

    internal void Abandon(QueueAddress address, ServiceBusReceivedMessage message, IDictionary<string, object>? changes) =>
        Settle(address, message, (session, settings) =>
        {
            Change(session, message.SequenceNumber, changes);
            Unlock(session, settings, message.SequenceNumber);
        });

    internal void Defer(QueueAddress address, ServiceBusReceivedMessage message, IDictionary<string, object>? changes) =>
        Settle(address, message, (session, _) =>
        {
            Change(session, message.SequenceNumber, changes);
            session.Execute("UPDATE messages SET deferred = 1, lock_token = NULL, locked_until = 0 WHERE seq = $seq", ("$seq", message.SequenceNumber));
        });

    internal void DeadLetter(
        QueueAddress address, ServiceBusReceivedMessage message, IDictionary<string, object>? changes, string? reason, string? description) =>
        Settle(address, message, (session, _) =>
        {
            Change(session, message.SequenceNumber, changes);
            Bury(session, message.SequenceNumber, reason, description);
        });

    /// <returns>The new end of the lock.</returns>
    internal DateTimeOffset Renew(QueueAddress address, ServiceBusReceivedMessage message)
    {
        DateTimeOffset until = default;
        Settle(address, message, (session, settings) =>
        {
            until = time.GetUtcNow() + settings.LockDuration;
            session.Execute("UPDATE messages SET locked_until = $until WHERE seq = $seq", ("$until", until.UtcTicks), ("$seq", message.SequenceNumber));
        });
        return until;
    }

    internal TimeSpan LockDuration(QueueAddress address) => file.Read(session => Find(session, address.Queue).LockDuration);

    public void Dispose() => file.Dispose();

    private long Now => time.GetUtcNow().UtcTicks;

    private static QueueSettings Find(SqliteSession session, string queue) => session.Query(
        "SELECT lock_ticks, max_delivery_count, duplicate_ticks, ttl_ticks, dead_letter_on_expiration FROM queues WHERE name = $name",
        row => new QueueSettings(queue)
        {
            LockDuration = TimeSpan.FromTicks(row.GetInt64(0)),
            MaxDeliveryCount = row.GetInt32(1),
            DuplicateDetectionWindow = TimeSpan.FromTicks(row.GetInt64(2)),
            DefaultTimeToLive = TimeSpan.FromTicks(row.GetInt64(3)),
            DeadLetterOnExpiration = row.GetBoolean(4),
        },
        ("$name", queue)) is [var settings]
        ? settings
        : throw new ServiceBusException(
            $"The messaging entity '{queue}' could not be found. Queues: {string.Join(", ", session.Query("SELECT name FROM queues ORDER BY name", row => row.GetString(0)))}.",
            ServiceBusFailureReason.MessagingEntityNotFound,
            queue);

    private long Insert(SqliteSession session, QueueSettings queue, ServiceBusMessage message, DateTimeOffset? scheduledFor)
    {
        var body = message.Body.ToMemory();
        if (body.Length > MaxMessageBytes)
        {
            throw new ServiceBusException(
                $"Message '{message.MessageId}' has {body.Length} bytes; at most {MaxMessageBytes} are allowed. Send the name of a blob instead.",
                ServiceBusFailureReason.MessageSizeExceeded,
                queue.Name);
        }
        var now = Now;
        var id = message.MessageId ?? Guid.NewGuid().ToString("N");
        if (queue.DuplicateDetectionWindow > TimeSpan.Zero && !Remember(session, queue, id, now))
            return 0;

        var due = scheduledFor ?? message.ScheduledEnqueueTime;
        var dueTicks = Math.Max(due.UtcTicks, now);
        var ttl = message.TimeToLive < queue.DefaultTimeToLive ? message.TimeToLive : queue.DefaultTimeToLive;
        session.Execute(
            """
            INSERT INTO messages (queue, dead, deferred, due_at, enqueued_at, expires_at, ttl_ticks, delivery_count, lock_token, locked_until,
                message_id, correlation_id, session_id, reply_to_session_id, subject, content_type, recipient, reply_to, properties, body)
            VALUES ($queue, 0, 0, $due, $enqueued, $expires, $ttl, 0, NULL, 0,
                $id, $correlation, $session, $replySession, $subject, $contentType, $to, $replyTo, $properties, $body)
            """,
            ("$queue", queue.Name), ("$due", dueTicks), ("$enqueued", dueTicks),
            ("$expires", ttl.Ticks > long.MaxValue - dueTicks ? long.MaxValue : dueTicks + ttl.Ticks), ("$ttl", ttl.Ticks), ("$id", id),
            ("$correlation", message.CorrelationId), ("$session", message.SessionId), ("$replySession", message.ReplyToSessionId),
            ("$subject", message.Subject), ("$contentType", message.ContentType), ("$to", message.To), ("$replyTo", message.ReplyTo),
            ("$properties", PropertyJson.Write(message.ApplicationProperties!)), ("$body", body.ToArray()));
        return (long)session.Scalar("SELECT last_insert_rowid()")!;
    }

    /// <returns>Whether the id is new within the window.</returns>
    private static bool Remember(SqliteSession session, QueueSettings queue, string id, long now)
    {
        session.Execute("DELETE FROM seen WHERE until <= $now", ("$now", now));
        return session.Execute(
            "INSERT OR IGNORE INTO seen VALUES ($queue, $id, $until)",
            ("$queue", queue.Name), ("$id", id), ("$until", now + queue.DuplicateDetectionWindow.Ticks)) == 1;
    }

    private bool HasWork(SqliteSession session, QueueAddress address)
    {
        Find(session, address.Queue);
        return session.Scalar(
            """
            SELECT 1 FROM messages
            WHERE queue = $queue AND dead = $dead AND due_at <= $now
              AND ((deferred = 0 AND lock_token IS NULL) OR (lock_token IS NOT NULL AND locked_until <= $now)) LIMIT 1
            """,
            ("$queue", address.Queue), ("$dead", address.DeadLetter), ("$now", Now)) is not null
            // A lock that ran out in the queue may be what fills its dead-letter queue.
            || (address.DeadLetter && HasWork(session, address with { DeadLetter = false }));
    }

    /// <summary>Frees messages whose lock ran out and takes away those whose time ran out.</summary>
    private void Tidy(SqliteSession session, QueueSettings queue)
    {
        var now = Now;
        foreach (var number in session.Query(
            "SELECT seq FROM messages WHERE queue = $queue AND lock_token IS NOT NULL AND locked_until <= $now",
            row => row.GetInt64(0),
            ("$queue", queue.Name), ("$now", now)))
        {
            Unlock(session, queue, number);
        }
        foreach (var number in session.Query(
            "SELECT seq FROM messages WHERE queue = $queue AND dead = 0 AND lock_token IS NULL AND expires_at <= $now",
            row => row.GetInt64(0),
            ("$queue", queue.Name), ("$now", now)))
        {
            if (queue.DeadLetterOnExpiration)
                Bury(session, number, "TTLExpiredException", "The message expired and was dead lettered.");
            else
                session.Execute("DELETE FROM messages WHERE seq = $seq", ("$seq", number));
        }
    }

    private static void Unlock(SqliteSession session, QueueSettings queue, long number)
    {
        session.Execute("UPDATE messages SET lock_token = NULL, locked_until = 0 WHERE seq = $seq", ("$seq", number));
        var spent = session.Scalar(
            "SELECT 1 FROM messages WHERE seq = $seq AND dead = 0 AND delivery_count >= $max", ("$seq", number), ("$max", queue.MaxDeliveryCount));
        if (spent is not null)
        {
            Bury(session, number, "MaxDeliveryCountExceeded",
                $"Message could not be consumed after {queue.MaxDeliveryCount} delivery attempts.");
        }
    }

    private static void Bury(SqliteSession session, long number, string? reason, string? description)
    {
        Change(session, number, new Dictionary<string, object>(
            new[] { ("DeadLetterReason", reason), ("DeadLetterErrorDescription", description) }
                .Where(pair => pair.Item2 is not null)
                .Select(pair => KeyValuePair.Create(pair.Item1, (object)pair.Item2!))));
        session.Execute("UPDATE messages SET dead = 1, deferred = 0, lock_token = NULL, locked_until = 0 WHERE seq = $seq", ("$seq", number));
    }

    private static void Change(SqliteSession session, long number, IDictionary<string, object>? changes)
    {
        if (changes is null or { Count: 0 })
            return;
        var properties = PropertyJson.Read((string)session.Scalar("SELECT properties FROM messages WHERE seq = $seq", ("$seq", number))!);
        foreach (var (name, value) in changes)
            properties[name] = value;
        session.Execute("UPDATE messages SET properties = $properties WHERE seq = $seq", ("$properties", PropertyJson.Write(properties)), ("$seq", number));
    }

    private ServiceBusReceivedMessage HandOut(SqliteSession session, QueueSettings queue, long number, ServiceBusReceiveMode mode)
    {
        var isLocked = mode == ServiceBusReceiveMode.PeekLock;
        session.Execute(
            "UPDATE messages SET delivery_count = delivery_count + 1, lock_token = $token, locked_until = $until WHERE seq = $seq",
            ("$token", isLocked ? Guid.NewGuid().ToString() : null), ("$until", isLocked ? Now + queue.LockDuration.Ticks : 0), ("$seq", number));
        var message = session.Query($"SELECT {MessageColumns} FROM messages WHERE seq = $seq", ReadMessage, ("$seq", number)).Single();
        if (!isLocked)
            session.Execute("DELETE FROM messages WHERE seq = $seq", ("$seq", number));
        return message;
    }

    private void Settle(QueueAddress address, ServiceBusReceivedMessage message, Action<SqliteSession, QueueSettings> work)
    {
        ArgumentNullException.ThrowIfNull(message);
        file.Write(session =>
        {
            var isHeld = session.Scalar(
                "SELECT 1 FROM messages WHERE seq = $seq AND lock_token = $token AND locked_until > $now",
                ("$seq", message.SequenceNumber), ("$token", message.LockToken), ("$now", Now));
            if (isHeld is null)
            {
                throw new ServiceBusException(
                    $"The lock on message '{message.MessageId}' (sequence number {message.SequenceNumber}) is lost: it expired at {message.LockedUntil:u}, or the message is settled already.",
                    ServiceBusFailureReason.MessageLockLost,
                    address.Path);
            }
            work(session, Find(session, address.Queue));
        });
        Changed?.Invoke();
    }

    private ServiceBusReceivedMessage ReadMessage(SqliteDataReader row)
    {
        var due = row.Time(2);
        var state = row.GetBoolean(18) ? ServiceBusMessageState.Deferred
            : due > time.GetUtcNow() ? ServiceBusMessageState.Scheduled
            : ServiceBusMessageState.Active;
        return ServiceBusModelFactory.ServiceBusReceivedMessage(
            body: BinaryData.FromBytes((byte[])row.GetValue(17)),
            messageId: row.TextOrNull(8),
            sessionId: row.TextOrNull(10),
            replyToSessionId: row.TextOrNull(11),
            timeToLive: TimeSpan.FromTicks(row.GetInt64(4)),
            correlationId: row.TextOrNull(9),
            subject: row.TextOrNull(12),
            to: row.TextOrNull(14),
            contentType: row.TextOrNull(13),
            replyTo: row.TextOrNull(15),
            scheduledEnqueueTime: due,
            properties: PropertyJson.Read(row.GetString(16))!,
            lockTokenGuid: row.TextOrNull(6) is { } token ? Guid.Parse(token) : Guid.Empty,
            deliveryCount: row.GetInt32(5),
            lockedUntil: row.GetInt64(7) is > 0 and var until ? new DateTimeOffset(until, TimeSpan.Zero) : default,
            sequenceNumber: row.GetInt64(0),
            deadLetterSource: row.GetBoolean(19) ? row.GetString(1) : null,
            enqueuedSequenceNumber: row.GetInt64(0),
            enqueuedTime: row.Time(3),
            serviceBusMessageState: state);
    }
}
