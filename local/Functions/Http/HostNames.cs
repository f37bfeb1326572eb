namespace Sdxl.Local.Functions.Http;

/// <summary>
/// Lets nobody in by another name: a web page elsewhere may let its own name point to this machine (DNS rebinding) and would then read the
/// answers, and may send forms here from its own address (which Origin tells).
/// </summary>
internal sealed class HostNames(IReadOnlyCollection<string> names)
{
    public Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        var host = context.Request.Host.Host;
        if (!IsOurs(host))
            return RefuseAsync(context, $"The request asks for host '{host}'");
        var origin = context.Request.Headers.Origin.ToString();
        if (origin.Length > 0 && !(Uri.TryCreate(origin, UriKind.Absolute, out var page) && IsOurs(page.Host)))
            return RefuseAsync(context, $"The request comes from a page of '{origin}'");
        return next(context);
    }

    private bool IsOurs(string name) => names.Contains(name, StringComparer.OrdinalIgnoreCase);

    private Task RefuseAsync(HttpContext context, string what) => Problems.AnswerAsync(
        context, StatusCodes.Status403Forbidden, $"{what}; this host answers only to {string.Join(", ", names)}.");
}
