using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Sdxl.Core.Accounts;
using Sdxl.Core.Identity;
using Sdxl.Functions.Http;

namespace Sdxl.Functions.Accounts;

/// <summary>A token as lists show it. <paramref name="Token"/> is the token itself, in the one answer that makes it; else null.</summary>
public sealed record TokenView(
    string Id, string Owner, string Name, IReadOnlyList<string> Scopes, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt,
    DateTimeOffset? RevokedAt, string? Token = null)
{
    public static TokenView Of(TokenRecord record, string? token = null) => new(
        record.Id(), record.Owner, record.Name, record.Scopes, record.CreatedAt, record.ExpiresAt, record.RevokedAt, token);
}

/// <summary>
/// Tokens over HTTP, for tokens with the scope 'tokens'. POST {"name", "scopes"?, "expires_at"?, "owner"?}: the owner may be another one,
/// which is how a deployment gets its second user.
/// </summary>
public sealed class TokensApi(TokenStore tokens, TimeProvider time)
{
    private const int MaxBodyBytes = 64 << 10;
    private const int MaxNameLetters = 100;

    [Function("CreateToken")]
    [Operation("Makes a token.", Gives = typeof(TokenView), Status = 201, Body = ApiBodies.Token)]
    [NeedsScope(Scopes.Tokens)]
    public async Task<IActionResult> Create(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/tokens")] HttpRequest request, CancellationToken cancel)
    {
        var body = await RequestBodies.JsonAsync(request, MaxBodyBytes, "name", "Send {\"name\": \"laptop\"}.", cancel);
        var problems = new List<IntakeProblem>();
        var name = body["name"]?.ToString() ?? "";
        if (name.Length is 0 or > MaxNameLetters)
            problems.Add(new("name", $"'name' must have 1 to {MaxNameLetters} characters; it says where the token is used.", 422));
        var scopes = body["scopes"] is JsonArray given ? [.. given.Select(scope => scope?.ToString() ?? "")]
            : body["scopes"] is null ? new List<string> { Scopes.Read, Scopes.Write } : [body["scopes"]!.ToJsonString()];
        if (scopes.Count == 0 || scopes.Exists(scope => !Scopes.All.Contains(scope)))
            problems.Add(new("scopes", $"'scopes' must be a list of some of {string.Join(", ", Scopes.All)}.", 422));
        DateTimeOffset? expires = null;
        if (body["expires_at"] is { } end)
        {
            if (DateTimeOffset.TryParse(end.ToString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var parsed)
                && parsed > time.GetUtcNow())
                expires = parsed.ToUniversalTime();
            else
                problems.Add(new("expires_at", "'expires_at' must be a time to come, as in 2030-01-31T12:00:00Z.", 422));
        }
        var owner = body["owner"]?.ToString() ?? request.Owner();
        if (ModelName.TryParse("x", owner, out _) is null)
            problems.Add(new(
                "owner", $"'owner' is '{owner}'; it must have lower-case letters, digits, '-', '_' and '.', at most 64.", 422));
        if (problems.Count > 0)
            throw new IntakeException(problems);
        var (token, record) = await tokens.CreateAsync(owner, name, scopes, expires, cancel);
        return Answers.Json(TokenView.Of(record, token), StatusCodes.Status201Created);
    }

    [Function("ListTokens")]
    [Operation("Your tokens, without themselves.", Gives = typeof(Page<TokenView>))]
    [NeedsScope(Scopes.Tokens)]
    public async Task<IActionResult> List(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/tokens")] HttpRequest request, CancellationToken cancel) =>
        Answers.Json(new Page<TokenView>(
            null, null, [.. (await tokens.ListAsync(request.Owner(), cancel)).Select(record => TokenView.Of(record))]));

    /// <summary>Revokes the token with that id, or the one that the request came with.</summary>
    [Function("RevokeToken")]
    [Operation("Revokes a token.", Status = 204)]
    [NeedsScope(Scopes.Tokens)]
    public async Task<IActionResult> Revoke(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/tokens/{id}")] HttpRequest request, string id,
        CancellationToken cancel) =>
        await tokens.RevokeAsync(request.Owner(), id, cancel) is null
            ? Answers.NotFound($"You have no token '{id}'. GET v1/tokens lists them.")
            : new NoContentResult();
}
