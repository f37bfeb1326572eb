using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Sdxl.Core.Accounts;
using Sdxl.Functions.Accounts;
using Sdxl.Functions.Http;

namespace Sdxl.Functions.Page;

/// <summary>Whose session has begun.</summary>
public sealed record SessionView(string Username, DateTimeOffset ExpiresAt);

/// <summary>A link that signs one browser in, once.</summary>
public sealed record SessionCodeView(string Code, string Url, DateTimeOffset ExpiresAt);

/// <summary>Signing a browser in with a token or with a link's one-use code, and out again.</summary>
public sealed class SessionApi(SessionCookies sessions, TokenStore tokens, Addresses addresses, TimeProvider time)
{
    private const int MaxBodyBytes = 16 << 10;

    [Function("BeginSession")]
    [OpenToAll("the token or code in its body is what it asks for")]
    [Operation(
        "Signs a browser in: gives it a cookie for a token, or for a link's code.",
        Gives = typeof(SessionView),
        Status = 201,
        Body = ApiBodies.Session
    )]
    public async Task<IActionResult> Begin(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/session")] HttpRequest request, CancellationToken cancel)
    {
        if (!sessions.IsFromHere(request))
            return NotFromHere();
        var body = await RequestBodies.JsonAsync(request, MaxBodyBytes, "token", "Send {\"token\": \"sdxl_…\"}.", cancel);
        var hash = body["code"]?.ToString() is { Length: > 0 } code ? await sessions.RedeemAsync(code, cancel)
            : body["token"]?.ToString() is { Length: > 0 } token ? ApiTokens.HashOf(token.Trim()) : null;
        if (hash is null || await tokens.FindByHashAsync(hash, cancel) is not { } known)
        {
            return Answers.Problem(StatusCodes.Status401Unauthorized, "Unauthenticated", body["code"] is null
                ? "There is no such token, or it has expired or was revoked. Paste the whole of it; ./sdxl tokens create makes one."
                : "This link has been used or is too old. Sign in with a token, or start ./sdxl up again for a new link.");
        }
        await sessions.BeginAsync(request, hash, cancel);
        return Answers.Json(new SessionView(known.Owner, time.GetUtcNow() + SessionCookies.Lifetime), StatusCodes.Status201Created);
    }

    [Function("EndSession")]
    [OpenToAll("it ends the session whose cookie comes with it, and nothing else")]
    [Operation("Signs the browser out.", Status = 204)]
    public async Task<IActionResult> End(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/session")] HttpRequest request, CancellationToken cancel)
    {
        if (!sessions.IsFromHere(request))
            return NotFromHere();
        await sessions.EndAsync(request, cancel);
        return new NoContentResult();
    }

    /// <remarks>The code stands behind '#', which browsers do not send: no server's log has it.</remarks>
    [Function("CreateSessionCode")]
    [Operation("Makes a link that signs one browser in, once, within ten minutes.", Gives = typeof(SessionCodeView), Status = 201)]
    public async Task<IActionResult> Code(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/session/codes")] HttpRequest request, CancellationToken cancel)
    {
        var caller = request.HttpContext.Features.Get<Caller>()!;
        var code = await sessions.NewCodeAsync(caller.TokenHash, cancel);
        return Answers.Json(
            new SessionCodeView(code, addresses.Of(request, $"sign-in#code={code}"), time.GetUtcNow() + SessionCookies.CodeLifetime),
            StatusCodes.Status201Created
        );
    }

    internal static ContentResult NotFromHere() =>
        Answers.Problem(
            StatusCodes.Status403Forbidden,
            "Not from this site",
            "A browser's session changes things only from this service's own pages: Origin must be its address. Programs send "
                + "'Authorization: Bearer TOKEN' instead."
        );
}
