using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Azure;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Sdxl.Core.Storage;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Page;

/// <summary>
/// Browsers that have shown a token once. The cookie names a session kept here, which names the token by its hash: a token that is revoked
/// or expires takes its sessions with it, and neither cookie nor storage holds a token.
/// </summary>
public sealed class SessionCookies(BlobStore blobs, TimeProvider time, IOptions<SdxlOptions> options)
{
    public const string CookieName = "sdxl_session";

    /// <summary>How long a session lasts, used or not.</summary>
    public static TimeSpan Lifetime { get; } = TimeSpan.FromDays(30);

    /// <summary>How long the one-use code of a sign-in link can be used.</summary>
    public static TimeSpan CodeLifetime { get; } = TimeSpan.FromMinutes(10);

    /// <summary>How long another instance of the app may still know a session that has ended.</summary>
    private static readonly TimeSpan s_freshness = TimeSpan.FromSeconds(10);

    private const int CachedSessions = 1000;

    private readonly ConcurrentDictionary<string, (Session Session, DateTimeOffset Read)> known = new();

    /// <param name="TokenHash">SHA-256 of the token that was shown, as the token store names it.</param>
    private sealed record Session(string TokenHash, DateTimeOffset ExpiresAt);

    /// <summary>The hash of the token behind a request's session; null where it has none that is good.</summary>
    public async Task<string?> TokenHashOfAsync(HttpRequest request, CancellationToken cancel)
    {
        if (request.Cookies[CookieName] is not { Length: > 0 and < 200 } secret)
            return null;
        var (name, now) = (NameOf("sessions", secret), time.GetUtcNow());
        if (!known.TryGetValue(name, out var entry) || now - entry.Read >= s_freshness)
        {
            if ((await blobs.ReadAsync<Session>(StorageLayout.Records, name, cancel))?.Value is not { } session)
                return null;
            if (known.Count >= CachedSessions)
                known.Clear();
            known[name] = entry = (session, now);
        }
        return now < entry.Session.ExpiresAt ? entry.Session.TokenHash : null;
    }

    /// <summary>
    /// Whether a request that changes something comes from a page of this app: what a browser says of its origin, which scripts cannot
    /// forge. Cookies go with requests that other sites cause, too, wherever a browser is older than SameSite.
    /// </summary>
    public bool IsFromHere(HttpRequest request)
    {
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
            return true;
        if (request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site && site != "same-origin")
            return false;
        return Uri.TryCreate(request.Headers.Origin.ToString(), UriKind.Absolute, out var origin)
            && (
                origin.Authority == request.Host.Value
                || (Uri.TryCreate(options.Value.PublicUrl, UriKind.Absolute, out var own) && origin.Authority == own.Authority)
            );
    }

    /// <summary>Begins a session and gives the browser its cookie.</summary>
    public async Task BeginAsync(HttpRequest request, string tokenHash, CancellationToken cancel)
    {
        var (secret, expires) = (NewSecret(), time.GetUtcNow() + Lifetime);
        await blobs.WriteAsync(StorageLayout.Records, NameOf("sessions", secret), new Session(tokenHash, expires), cancel: cancel);
        request.HttpContext.Response.Cookies.Append(CookieName, secret, Cookie(request, expires));
    }

    /// <summary>Ends the request's session, if it has one, and takes the cookie back.</summary>
    public async Task EndAsync(HttpRequest request, CancellationToken cancel)
    {
        if (request.Cookies[CookieName] is { Length: > 0 and < 200 } secret)
        {
            var name = NameOf("sessions", secret);
            known.TryRemove(name, out _);
            await (await blobs.BlobAsync(StorageLayout.Records, name)).DeleteIfExistsAsync(cancellationToken: cancel);
        }
        request.HttpContext.Response.Cookies.Delete(CookieName, Cookie(request, null));
    }

    /// <summary>A code that begins one session, for a link.</summary>
    public async Task<string> NewCodeAsync(string tokenHash, CancellationToken cancel)
    {
        var code = NewSecret();
        await blobs.WriteAsync(
            StorageLayout.Records,
            NameOf("codes", code),
            new Session(tokenHash, time.GetUtcNow() + CodeLifetime),
            cancel: cancel
        );
        return code;
    }

    /// <summary>Uses a code up.</summary>
    /// <returns>The hash of the token it was made with; null where the code is unknown, too old, or used.</returns>
    public async Task<string?> RedeemAsync(string code, CancellationToken cancel)
    {
        var name = NameOf("codes", code);
        if (await blobs.ReadAsync<Session>(StorageLayout.Records, name, cancel) is not { Value: var made })
            return null;
        try
        {
            // Of two that come at once, storage lets one delete it.
            await (await blobs.BlobAsync(StorageLayout.Records, name)).DeleteAsync(cancellationToken: cancel);
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
        return time.GetUtcNow() < made.ExpiresAt ? made.TokenHash : null;
    }

    private static string NewSecret() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    /// <summary>By its hash: who reads storage cannot use what lies there.</summary>
    private static string NameOf(string kind, string secret) =>
        $"_{kind}/{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)))}.json";

    /// <remarks>Secure wherever the page came by https: plain http is for loopback, and a proxy before the app tells the scheme.</remarks>
    private CookieOptions Cookie(HttpRequest request, DateTimeOffset? expires) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Strict,
        Secure = request.IsHttps || options.Value.PublicUrl.StartsWith("https:", StringComparison.OrdinalIgnoreCase),
        Path = "/",
        Expires = expires,
        IsEssential = true,
    };
}
