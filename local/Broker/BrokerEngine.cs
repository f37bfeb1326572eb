namespace Sdxl.Local.Broker;

/// <summary>
/// The queues: runs operations on the store and hands messages to the receivers that wait. A message is locked in the very transaction
/// that makes it ready, if somebody waits, so that it goes out after one commit; up to a receiver's whole credit is locked at once.
/// </summary>
internal sealed class BrokerEngine : IAsyncDisposable
{
    private const int MaxHandouts = 256; // In one transaction and queue.

    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Dictionary<string, QueueSettings> queues;
    private readonly MessageStore store;
    private readonly StoreWriter writer;
    private readonly Dictionary<QueueAddress, List<QueueReceiver>> receivers = [];
    private readonly Channel<Handout> handouts = Channel.CreateUnbounded<Handout>(new() { SingleReader = true });
    private readonly Task delivering;
    private readonly ITimer timer;
    private long timerAt;
    private int turn;

    /// <exception cref="InvalidDataException">The file has another schema.</exception>
    /// <exception cref="IOException">Another process has the file open.</exception>
    public BrokerEngine(string path, IEnumerable<QueueSettings> queues, TimeProvider time, ILogger logger)
    {
        this.time = time;
        this.logger = logger;
        this.queues = queues.Select(queue => queue with { Name = queue.Name.ToLowerInvariant() }).ToDictionary(queue => queue.Name);
        store = new MessageStore(time);
        var file = new SqliteFile(path, MessageStore.Schema, MessageStore.Version, powerSafe: true, exclusive: true);
        timer = time.CreateTimer(_ => OnTime(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        writer = new StoreWriter(file, Begin, HandOut);
        delivering = DeliverAsync();
        Wake(); // Locks and schedules of the last run.
    }

    /// <exception cref="AmqpException">There is no such queue.</exception>
    public QueueSettings Find(string queue) => queues.GetValueOrDefault(queue.ToLowerInvariant())
        ?? throw new AmqpException(
            AmqpErrorCode.NotFound,
            $"The messaging entity '{queue}' could not be found. Queues: {string.Join(", ", queues.Keys.Order())}.");

    /// <summary>Runs work on the store; the task ends when it is on the disk.</summary>
    public Task<T> RunAsync<T>(Func<MessageStore, T> work) => writer.RunAsync(_ => work(store));

    /// <inheritdoc cref="RunAsync{T}"/>
    public Task RunAsync(Action<MessageStore> work) => writer.RunAsync(_ => work(store));

    public void Add(QueueReceiver receiver)
    {
        lock (receivers)
        {
            if (!receivers.TryGetValue(receiver.Address, out var list))
                receivers[receiver.Address] = list = [];
            list.Add(receiver);
        }
    }

    public void Remove(QueueReceiver receiver)
    {
        lock (receivers)
            receivers[receiver.Address].Remove(receiver);
    }

    /// <summary>Looks again whether there are messages for those who wait.</summary>
    public void Wake(QueueAddress? address = null) => _ = writer.RunAsync(_ =>
    {
        if (address is { } touched)
            store.Touched.Add(touched);
    });

    public async ValueTask DisposeAsync()
    {
        await timer.DisposeAsync();
        handouts.Writer.TryComplete();
        await delivering; // May still give messages back.
        await writer.DisposeAsync();
    }

    private void Begin(SqliteSession session)
    {
        store.Session = session;
        store.Tidy(queues);
    }

    /// <summary>The end of each transaction: locks messages for those who wait.</summary>
    private Action<Exception?> HandOut(SqliteSession session)
    {
        var taken = new List<Handout>();
        var isCut = false;
        foreach (var address in store.Touched)
        {
            if (!queues.TryGetValue(address.Queue, out var queue) || Waiting(address) is not { Count: > 0 } waiting)
                continue;
            var messages = store.Take(queue, address, waiting.ConvertAll(receiver => receiver.RemovesAtOnce), out var hasMore);
            isCut |= hasMore || (messages.Count == MaxHandouts);
            foreach (var (receiver, message) in waiting.Zip(messages))
            {
                receiver.Reserve(1);
                taken.Add(new(receiver, message));
            }
        }
        if (!isCut)
            store.Touched.Clear();
        return problem => AfterCommit(problem, taken, isCut);
    }

    /// <summary>A place for each message that is wanted, going round among the receivers so that several share a queue evenly.</summary>
    private List<QueueReceiver> Waiting(QueueAddress address)
    {
        lock (receivers)
        {
            var wanted = (receivers.GetValueOrDefault(address) ?? [])
                .Select(receiver => (Receiver: receiver, Count: receiver.Wanted)).Where(want => want.Count > 0).ToList();
            var places = new List<QueueReceiver>();
            for (var round = 0; places.Count < MaxHandouts && wanted.Exists(want => want.Count > round); round++)
            {
                for (var offset = 0; offset < wanted.Count && places.Count < MaxHandouts; offset++)
                {
                    var (receiver, count) = wanted[(turn + offset) % wanted.Count];
                    if (count > round)
                        places.Add(receiver);
                }
            }
            turn = (turn + 1) & 0xFFFF;
            return places;
        }
    }

    private void AfterCommit(Exception? problem, List<Handout> taken, bool isCut)
    {
        foreach (var handout in taken)
        {
            if (problem is null && handouts.Writer.TryWrite(handout))
                continue;
            handout.Receiver.Reserve(-1);
            store.Touched.Add(handout.Receiver.Address);
        }
        if (problem is not null)
        {
            store.Forget();
            logger.CommitFailed(problem);
        }
        else if (isCut)
        {
            Wake();
        }
        if (store.NextTidy is var next && next != long.MaxValue && Interlocked.Exchange(ref timerAt, next) != next)
            timer.Change(time.Until(new DateTimeOffset(next, TimeSpan.Zero)), Timeout.InfiniteTimeSpan);
    }

    private void OnTime()
    {
        Interlocked.Exchange(ref timerAt, 0);
        Wake();
    }

    /// <summary>Transfers apart from the writer, whose next commit runs meanwhile, but in the order in which messages were taken.</summary>
    private async Task DeliverAsync()
    {
        await foreach (var (receiver, message) in handouts.Reader.ReadAllAsync())
        {
            bool isSent;
            // Before the credit goes down: a place counted twice comes back unsent, one not counted would wait for ever.
            receiver.Reserve(-1);
            try
            {
                isSent = receiver.TrySend(message);
            }
            catch (Exception problem) // A link that closes under our hands; a message that cannot be decoded.
            {
                logger.DeliveryFailed(message.Sequence, message.Address.Queue, problem);
                isSent = false;
            }
            if (!isSent)
                _ = RunAsync(store => store.Return(message));
        }
    }

    private readonly record struct Handout(QueueReceiver Receiver, StoredMessage Message);
}
