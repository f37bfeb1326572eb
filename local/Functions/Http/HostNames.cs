namespace Sdxl.Local.Functions.Http;

/// <summary>
/// Lets nobody in by another name: a web page elsewhere may let its own name point to this machine (DNS rebinding) and would then read the
/// answers, and may send forms here from its own address (which Origin tells).
/// </summary>
internal sealed class HostNames(IReadOnlyCollection<string> names)
{
    public Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        var (host, origin) = (context.Request.Host.Host, context.Request.Headers.Origin.ToString());
        var stranger = !IsOurs(host) ? $"The request asks for host '{host}'"
            : origin.Length > 0 && !(Uri.TryCreate(origin, UriKind.Absolute, out var page) && IsOurs(page.Host))
            ? $"The request comes from a page of '{origin}'" : null;
        return stranger is null ? next(context) : Problems.AnswerAsync(
            context, StatusCodes.Status403Forbidden, $"{stranger}; this host answers only to {string.Join(", ", names)}.");
    }

    private bool IsOurs(string name) => names.Contains(name, StringComparer.OrdinalIgnoreCase);
}
