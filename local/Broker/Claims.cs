namespace Sdxl.Local.Broker;

/// <summary>What one connection has shown tokens for. When they end, the links that stand on them do, unless new ones came.</summary>
internal sealed class Claims : IDisposable
{
    private readonly IReadOnlyList<AccessKey> keys;
    private readonly TimeProvider time;
    private readonly ITimer timer;
    private readonly ConcurrentDictionary<string, (AccessRights Rights, DateTimeOffset Expiry)> terms = [];
    private readonly ConcurrentDictionary<AmqpLink, (string Path, AccessRights Rights)> links = [];

    public Claims(IReadOnlyList<AccessKey> keys, TimeProvider time)
    {
        (this.keys, this.time) = (keys, time);
        timer = time.CreateTimer(_ => CloseEnded(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Takes a token for an audience such as amqp://host/queue, or renews the one that is there.</summary>
    /// <exception cref="AmqpException">The token is no good for it.</exception>
    public void Add(string audience, string token)
    {
        if (!Uri.TryCreate(audience, UriKind.Absolute, out var uri))
            throw new AmqpException(AmqpErrorCode.InvalidField, $"The audience '{audience}' is no URI such as amqp://host/queue.");
        terms[uri.AbsolutePath.Trim('/').ToLowerInvariant()] = SharedAccessSignature.Check(token, uri, keys, time.GetUtcNow());
        AwaitNextEnd();
    }

    public bool Allows(string path, AccessRights rights) => terms.Any(term =>
        time.GetUtcNow() < term.Value.Expiry && (term.Value.Rights & rights) == rights && SharedAccessSignature.IsWithin(path, term.Key));

    /// <param name="link">Is closed when it is no longer allowed.</param>
    /// <exception cref="AmqpException">No token allows it, or none does any longer.</exception>
    public void Require(string path, AccessRights rights, AmqpLink? link = null)
    {
        if (!Allows(path, rights))
            throw Refusal(path, rights);
        if (link is null)
            return;
        links[link] = (path, rights);
        link.SafeAddClosed((_, _) => links.TryRemove(link, out _));
    }

    public void Dispose() => timer.Dispose();

    private void CloseEnded()
    {
        foreach (var (link, (path, rights)) in links)
        {
            if (!Allows(path, rights))
                link.SafeClose(Refusal(path, rights));
        }
        AwaitNextEnd();
    }

    private void AwaitNextEnd()
    {
        var ends = terms.Values.Select(term => term.Expiry.UtcTicks).Where(end => end > time.GetUtcNow().UtcTicks);
        timer.Change(time.Until(ends.DefaultIfEmpty(long.MaxValue).Min()), Timeout.InfiniteTimeSpan);
    }

    private static AmqpException Refusal(string path, AccessRights rights) => new(
        AmqpErrorCode.UnauthorizedAccess,
        $"'{rights}' on '{path}' needs a token that allows it; this connection has shown none, or it has ended: show a new one.");
}

internal static class Clock
{
    /// <summary>For a timer, which holds some weeks at most and may come a little early: whoever sets it must look again.</summary>
    public static TimeSpan Until(this TimeProvider time, long utcTicks) =>
        TimeSpan.FromTicks(Math.Clamp(utcTicks - time.GetUtcNow().UtcTicks, 0, TimeSpan.TicksPerDay * 20));
}
