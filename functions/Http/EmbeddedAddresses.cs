using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Sdxl.Functions.Accounts;

namespace Sdxl.Functions.Http;

/// <summary>
/// Replicate's Go client puts the whole of a list's "next" behind the base address (/v1/https://host/v1/trainings?cursor=…). It is sent to
/// what it means: always of this host, whatever host is written there. Its Python client puts /v1 behind the base address by itself.
/// </summary>
public sealed class EmbeddedAddresses
{
    [Function("EmbeddedHttp")]
    [OpenToAll("it only sends to another address of this host, which asks for a token itself")]
    public IActionResult Http(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/http:/{*rest}")] HttpRequest request, string rest) =>
        Sent(request, rest);

    [Function("EmbeddedHttps")]
    [OpenToAll("it only sends to another address of this host, which asks for a token itself")]
    public IActionResult Https(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/https:/{*rest}")] HttpRequest request, string rest) =>
        Sent(request, rest);

    /// <summary>That client follows no redirect, so it is told what to set.</summary>
    [Function("DoubledVersion")]
    [OpenToAll("it only says that there is nothing")]
    public IActionResult Doubled(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "post", "patch", "delete", Route = "v1/v1/{*rest}")]
        HttpRequest request, string rest) =>
        Answers.NotFound($"There is no '{request.Path}': '/v1' stands in it twice. Replicate's Python client adds it by itself, so its "
            + "base address (REPLICATE_BASE_URL) ends before '/v1'; that of its JavaScript and Go clients and of its command line ends "
            + "with it.");

    private static IActionResult Sent(HttpRequest request, string rest)
    {
        // host/path, with one slash or two before it.
        var path = rest.TrimStart('/');
        var slash = path.IndexOf('/');
        return slash < 0 ? Answers.NotFound("The address within the address has no path.")
            : new RedirectResult($"{path[slash..]}{request.QueryString}", permanent: false, preserveMethod: true);
    }
}
