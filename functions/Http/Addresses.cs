using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Sdxl.Functions.Hosting;

namespace Sdxl.Functions.Http;

/// <summary>Absolute links that clients can follow: the configured public address, else the one the request came to.</summary>
public sealed class Addresses(IOptions<SdxlOptions> options)
{
    public string Of(HttpRequest request, string path) => $"{RootOf(request)}/{path}";

    /// <summary>"https://host", without a slash at its end.</summary>
    public string RootOf(HttpRequest request) =>
        options.Value.PublicUrl is { Length: > 0 } url ? url.TrimEnd('/') : $"{request.Scheme}://{request.Host}";
}
