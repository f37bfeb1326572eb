namespace Sdxl.Local.Broker;

/// <summary>What one connection has shown tokens for.</summary>
internal sealed class Claims(IReadOnlyList<AccessKey> keys, TimeProvider time) : IDisposable
{
    private readonly ConcurrentDictionary<string, Grant> grants = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Takes a token for an audience such as amqp://host/queue, or renews the one that is there.</summary>
    /// <exception cref="AmqpException">The token is no good for it.</exception>
    public void Add(string audience, string token)
    {
        if (!Uri.TryCreate(audience, UriKind.Absolute, out var uri))
            throw new AmqpException(AmqpErrorCode.InvalidField, $"The audience '{audience}' is no URI such as amqp://host/queue.");
        var (rights, expiry) = SharedAccessSignature.Check(token, uri, keys, time.GetUtcNow());
        grants.GetOrAdd(uri.AbsolutePath.Trim('/'), _ => new Grant(time)).Renew(rights, expiry);
    }

    /// <exception cref="AmqpException">No token allows it, or none does any longer.</exception>
    public Grant Require(string path, AccessRights rights) =>
        grants.FirstOrDefault(grant => grant.Value.Allows(rights) && SharedAccessSignature.IsWithin(path, grant.Key)).Value
        ?? throw new AmqpException(
            AmqpErrorCode.UnauthorizedAccess, $"'{rights}' on '{path}' needs a token that allows it; this connection has shown none.");

    public void Dispose()
    {
        foreach (var grant in grants.Values)
            grant.Dispose();
    }
}

/// <summary>What a token allows until it ends; then the links that stand on it are closed, unless a new token came.</summary>
internal sealed class Grant : IDisposable
{
    private readonly TimeProvider time;
    private readonly ITimer timer;
    private readonly ConcurrentDictionary<AmqpLink, bool> links = [];
    private volatile Terms terms = new(AccessRights.None, DateTimeOffset.MinValue);

    public Grant(TimeProvider time)
    {
        this.time = time;
        timer = time.CreateTimer(_ => CloseIfEnded(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public bool Allows(AccessRights wanted) => terms is var now && time.GetUtcNow() < now.Expiry && (now.Rights & wanted) == wanted;

    /// <exception cref="AmqpException">It has ended.</exception>
    public void Require(AccessRights wanted)
    {
        if (!Allows(wanted))
            throw Ended();
    }

    public void Renew(AccessRights rights, DateTimeOffset expiry)
    {
        terms = new(rights, expiry);
        timer.Change(time.Until(expiry), Timeout.InfiniteTimeSpan);
    }

    public void Add(AmqpLink link)
    {
        links[link] = true;
        link.SafeAddClosed((_, _) => links.TryRemove(link, out _));
    }

    public void Dispose() => timer.Dispose();

    private void CloseIfEnded()
    {
        if (time.GetUtcNow() < terms.Expiry)
        {
            timer.Change(time.Until(terms.Expiry), Timeout.InfiniteTimeSpan);
            return;
        }
        foreach (var link in links.Keys)
            link.SafeClose(Ended());
    }

    private AmqpException Ended() => new(AmqpErrorCode.UnauthorizedAccess, $"The token ended at {terms.Expiry:u}; show a new one.");

    private sealed record Terms(AccessRights Rights, DateTimeOffset Expiry);
}

internal static class Clock
{
    /// <summary>For a timer, which holds some weeks at most and may come a little early: whoever sets it must look again.</summary>
    public static TimeSpan Until(this TimeProvider time, DateTimeOffset due) =>
        TimeSpan.FromTicks(Math.Clamp((due - time.GetUtcNow()).Ticks, 0, TimeSpan.TicksPerDay * 20));
}
