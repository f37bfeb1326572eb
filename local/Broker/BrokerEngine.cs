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
    private readonly ConcurrentDictionary<QueueReceiver, bool> receivers = [];
    private readonly MessageStore store;
    private readonly StoreWriter writer;
    private readonly ITimer timer;
    private uint turn;

    /// <exception cref="InvalidDataException">The file has another schema.</exception>
    /// <exception cref="IOException">Another process has the file open.</exception>
    public BrokerEngine(ServiceBusServerOptions options, ILogger logger)
    {
        (time, this.logger) = (options.Time, logger);
        queues = options.Queues.Select(queue => queue with { Name = queue.Name.ToLowerInvariant() }).ToDictionary(queue => queue.Name);
        store = new MessageStore(queues, time);
        var file = new SqliteFile(options.DatabasePath, MessageStore.Schema, MessageStore.Version);
        timer = time.CreateTimer(_ => Wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        writer = new StoreWriter(file, store.Begin, HandOut);
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

    public void Add(QueueReceiver receiver, AmqpLink link)
    {
        receivers[receiver] = true;
        link.SafeAddClosed((_, _) => receivers.TryRemove(receiver, out _));
    }

    /// <summary>Looks again whether there are messages for those who wait.</summary>
    public void Wake() => _ = RunAsync(_ => { });

    public async ValueTask DisposeAsync()
    {
        await timer.DisposeAsync();
        // What did not reach its receiver any longer comes back.
        await RunAsync(_ => { }).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await writer.DisposeAsync();
    }

    /// <summary>The end of each transaction: takes messages for those who wait.</summary>
    private Action<Exception?> HandOut(SqliteSession session)
    {
        var taken = new List<(QueueReceiver Receiver, StoredMessage Message)>();
        foreach (var address in receivers.Keys.Select(receiver => receiver.Address).Distinct())
        {
            if (Waiting(address) is { Count: > 0 } waiting)
                taken.AddRange(waiting.Zip(store.Take(address, waiting.ConvertAll(receiver => receiver.RemovesAtOnce))));
        }
        return problem => AfterCommit(problem, taken);
    }

    /// <summary>A place for each message that is wanted, going round among the receivers so that several share a queue evenly.</summary>
    private List<QueueReceiver> Waiting(QueueAddress address)
    {
        var wants = receivers.Keys.Where(receiver => receiver.Address == address)
            .Select(receiver => (Receiver: receiver, Count: receiver.Wanted)).Where(want => want.Count > 0).ToList();
        if (wants.Count == 0)
            return [];
        var first = (int)(turn++ % wants.Count);
        wants = [.. wants[first..], .. wants[..first]];
        return Enumerable.Range(0, Math.Min(MaxHandouts, wants.Max(want => want.Count)))
            .SelectMany(round => wants.Where(want => want.Count > round)).Take(MaxHandouts).Select(want => want.Receiver).ToList();
    }

    private void AfterCommit(Exception? problem, List<(QueueReceiver Receiver, StoredMessage Message)> taken)
    {
        if (problem is not null)
        {
            store.Forget();
            logger.CommitFailed(problem);
        }
        else
            taken.ForEach(one => Deliver(one.Receiver, one.Message));
        timer.Change(time.Until(store.NextTidy), Timeout.InfiniteTimeSpan);
        // Where somebody got a message there may be more.
        if (problem is not null || taken.Select(one => one.Receiver.Address).Distinct().Any(address => Waiting(address).Count > 0))
            Wake();
    }

    private void Deliver(QueueReceiver receiver, StoredMessage message)
    {
        try
        {
            if (receiver.TrySend(message))
                return;
        }
        catch (Exception problem) // A link that closes under our hands; a message that cannot be decoded.
        {
            logger.DeliveryFailed(message.Sequence, message.Address.Queue, problem);
        }
        _ = RunAsync(store => store.Return(message));
    }
}
