namespace Sdxl.Functions.Accounts;

/// <summary>Whose token came with a request, and what it may do.</summary>
/// <param name="TokenId">For logs and lists; not the token.</param>
/// <param name="TokenHash">By which a browser's session names the token.</param>
public sealed record Caller(string Owner, IReadOnlyList<string> Scopes, string TokenId, string TokenHash);

/// <summary>
/// A function that asks for no token. Everything else does: a function without this attribute cannot be reached without one.
/// </summary>
/// <param name="reason">Why that is safe.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OpenToAllAttribute(string reason) : Attribute
{
    public string Reason { get; } = reason;
}

/// <summary>A function that asks for a scope of its own beside the one that its method tells.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NeedsScopeAttribute(string scope) : Attribute
{
    public string Scope { get; } = scope;
}
