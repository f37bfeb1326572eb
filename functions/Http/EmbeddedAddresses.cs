using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Sdxl.Functions.Accounts;

namespace Sdxl.Functions.Http;

/// <summary>
/// Replicate's Go client puts the whole of a list's "next" behind the base address (/v1/https://host/v1/trainings?cursor=…). It is sent to
/// what it means: always of this host, whatever host is written there.
/// </summary>
public sealed class EmbeddedAddresses
{
    [Function("EmbeddedHttp")]
    [OpenToAll("it only sends to another address of this host, which asks for a token itself")]
    public IActionResult Http(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/http:/{*rest}")] HttpRequest request, string rest) => Sent(request, rest);

    [Function("EmbeddedHttps")]
    [OpenToAll("it only sends to another address of this host, which asks for a token itself")]
    public IActionResult Https(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/https:/{*rest}")] HttpRequest request, string rest) => Sent(request, rest);

    private static IActionResult Sent(HttpRequest request, string rest)
    {
        // host/path, with one slash or two before it.
        var path = rest.TrimStart('/');
        var slash = path.IndexOf('/');
        return slash < 0 ? Answers.NotFound("The address within the address has no path.")
            : new RedirectResult($"{path[slash..]}{request.QueryString}", permanent: false, preserveMethod: true);
    }
}
