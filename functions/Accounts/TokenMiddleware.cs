using System.Collections.Concurrent;
using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Sdxl.Core.Accounts;
using Sdxl.Functions.Http;

namespace Sdxl.Functions.Accounts;

/// <summary>
/// Around every function with an HTTP trigger: no token, and no browser's session that stands for one, no answer but 401. Who calls is then
/// known to <see cref="Callers"/>. A function cannot forget it; it can only say, by attribute, that it is open to all.
/// </summary>
public sealed class TokenMiddleware(TokenStore tokens, Page.SessionCookies sessions) : IFunctionsWorkerMiddleware
{
    private static readonly ConcurrentDictionary<string, (bool IsOpen, string? Scope)> s_rules = new();

    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        if (!context.FunctionDefinition.InputBindings.Values.Any(binding =>
            binding.Type.Equals("httpTrigger", StringComparison.OrdinalIgnoreCase)))
        {
            await next(context);
            return;
        }
        var http = context.GetHttpContext() ?? throw new InvalidOperationException(
            $"Function '{context.FunctionDefinition.Name}' has an HTTP trigger and no request: who calls cannot be told.");
        var (isOpen, scope) = s_rules.GetOrAdd(context.FunctionDefinition.EntryPoint, RuleOf);
        if (!isOpen && await RefusalAsync(http, scope) is { } refusal)
        {
            await Answers.WriteAsync(http.Response, refusal);
            return;
        }
        await next(context);
    }

    /// <returns>null where the caller may go on.</returns>
    private async Task<Microsoft.AspNetCore.Mvc.ContentResult?> RefusalAsync(HttpContext http, string? scope)
    {
        var token = TokenOf(http.Request);
        var hash = token is null ? await sessions.TokenHashOfAsync(http.Request, http.RequestAborted) : ApiTokens.HashOf(token);
        if (hash is null || await tokens.FindByHashAsync(hash, http.RequestAborted) is not { } known)
        {
            http.Response.Headers.WWWAuthenticate = "Bearer";
            return Answers.Problem(StatusCodes.Status401Unauthorized, "Unauthenticated",
                "The request has no valid token. Send 'Authorization: Bearer TOKEN'; ./sdxl tokens create makes one.");
        }
        if (token is null && !sessions.IsFromHere(http.Request))
            return Page.SessionApi.NotFromHere();
        var method = http.Request.Method;
        var needed = HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || method == "QUERY" ? Scopes.Read : Scopes.Write;
        foreach (var asked in scope is null ? [needed] : new[] { scope })
        {
            if (!known.Scopes.Contains(asked))
                return Answers.Problem(StatusCodes.Status403Forbidden, "Not permitted",
                    $"This token may {string.Join(", ", known.Scopes)}; {method} {http.Request.Path} needs the scope '{asked}'.");
        }
        http.Features.Set(new Caller(known.Owner, known.Scopes, known.Id(), known.Hash));
        return null;
    }

    /// <summary>Both words that Replicate's clients of all ages send.</summary>
    private static string? TokenOf(HttpRequest request) =>
        request.Headers.Authorization.ToString().Split(' ', 2, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            is [var word, var token]
        && (word.Equals("Bearer", StringComparison.OrdinalIgnoreCase) || word.Equals("Token", StringComparison.OrdinalIgnoreCase))
            ? token : null;

    /// <param name="entryPoint">Namespace.Type.Method. One that is not found is not open.</param>
    private static (bool IsOpen, string? Scope) RuleOf(string entryPoint)
    {
        var dot = entryPoint.LastIndexOf('.');
        var method = typeof(TokenMiddleware).Assembly.GetType(entryPoint[..dot])
            ?.GetMethod(entryPoint[(dot + 1)..], BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static);
        return (method?.GetCustomAttribute<OpenToAllAttribute>() is not null, method?.GetCustomAttribute<NeedsScopeAttribute>()?.Scope);
    }
}
