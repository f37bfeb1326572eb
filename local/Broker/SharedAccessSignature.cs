using System.Text;

namespace Sdxl.Local.Broker;

/// <summary>
/// The tokens of Service Bus: "SharedAccessSignature sr=RESOURCE&amp;sig=SIGNATURE&amp;se=EXPIRY&amp;skn=KEY", each part URL-encoded,
/// where EXPIRY is in seconds since 1970 and SIGNATURE the HMAC-SHA256 of "RESOURCE\nEXPIRY" (as encoded) with the key's secret.
/// </summary>
internal static class SharedAccessSignature
{
    private const string Prefix = "SharedAccessSignature ";

    /// <summary>Whether <paramref name="token"/> lets its bearer use <paramref name="audience"/>.</summary>
    /// <returns>The rights and until when.</returns>
    /// <exception cref="AmqpException">It does not; the text says why, but nothing of a secret.</exception>
    public static (AccessRights Rights, DateTimeOffset Expiry) Check(
        string token, Uri audience, IReadOnlyList<AccessKey> keys, DateTimeOffset now)
    {
        var parts = token.StartsWith(Prefix, StringComparison.Ordinal) ? token[Prefix.Length..].Split('&') : [];
        string? Part(string name) => Array.Find(parts, part => part.StartsWith(name, StringComparison.Ordinal))?[name.Length..];
        if (Part("sr=") is not { } resource || Part("sig=") is not { } signature || Part("skn=") is not { } keyName
            || Part("se=") is not { } ends
            || !long.TryParse(ends, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            || !Uri.TryCreate(Uri.UnescapeDataString(resource), UriKind.Absolute, out var scope))
            throw Refusal("it is not of the form 'SharedAccessSignature sr=…&sig=…&se=…&skn=…'");
        keyName = Uri.UnescapeDataString(keyName);
        // A wrong name and a wrong secret answer alike, after the same work: names are not to be guessed one by one.
        var key = keys.FirstOrDefault(key => key.Name == keyName);
        var expected = HMACSHA256.HashData(Encoding.UTF8.GetBytes(key?.Secret ?? ""), Encoding.UTF8.GetBytes($"{resource}\n{ends}"));
        var given = new byte[expected.Length];
        var isWhole = Convert.TryFromBase64String(Uri.UnescapeDataString(signature), given, out var count) && count == expected.Length;
        if (!CryptographicOperations.FixedTimeEquals(expected, given) || !isWhole || key is null)
            throw Refusal($"the key '{keyName}' is unknown or its secret is another one");
        var end = DateTimeOffset.FromUnixTimeSeconds(seconds);
        if (end <= now)
            throw Refusal($"it ended at {end:u}");
        // The scheme differs (amqps in the token, amqp in the request), and neither names the port.
        var isSameHost = string.Equals(scope.Host, audience.Host, StringComparison.OrdinalIgnoreCase);
        if (!isSameHost || !IsWithin(audience.AbsolutePath, scope.AbsolutePath))
            throw Refusal($"it is for '{scope.Host}{scope.AbsolutePath}', not for '{audience.Host}{audience.AbsolutePath}'");
        if (key.Queues is not { } queues)
            return (AccessRights.All, end);
        var mine = queues.FirstOrDefault(queue => IsWithin(audience.AbsolutePath, queue.Key));
        return mine.Key is not null
            ? (mine.Value, end)
            : throw Refusal($"the key '{keyName}' is not for the queue '{audience.AbsolutePath.Trim('/')}'");
    }

    /// <summary>Whether a path is the other one or lies below it; slashes around and case don't matter.</summary>
    public static bool IsWithin(string path, string parent)
    {
        (path, parent) = (path.Trim('/'), parent.Trim('/'));
        return parent.Length == 0 || (path.StartsWith(parent, StringComparison.OrdinalIgnoreCase)
            && (path.Length == parent.Length || path[parent.Length] == '/'));
    }

    private static AmqpException Refusal(string reason) => new(AmqpErrorCode.UnauthorizedAccess, $"The token is refused: {reason}.");
}
