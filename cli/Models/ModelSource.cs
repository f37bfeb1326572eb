using System.Globalization;
using System.Net.Http.Headers;
using Sdxl.Core.Bases;

namespace Sdxl.Cli.Models;

/// <summary>Where model files come from: Hugging Face, or a mirror of it named by HF_ENDPOINT. HF_TOKEN opens gated repositories.</summary>
internal sealed class ModelSource : IDisposable
{
    private const int MaxRedirects = 5;

    private readonly Uri endpoint;
    private readonly string? token;
    // Redirects are followed by hand: the hash of a large file stands in the first answer's headers, and the token belongs to the first
    // host only.
    private readonly HttpClient http = new(new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = TimeSpan.FromSeconds(30) })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>For an answer of a few headers.</summary>
    public static readonly TimeSpan SizePatience = TimeSpan.FromSeconds(20);

    /// <summary>A connection that gives nothing for so long is dropped.</summary>
    public TimeSpan StallPatience { get; init; } = TimeSpan.FromSeconds(60);

    public ModelSource(Uri endpoint, string? token)
    {
        this.endpoint = endpoint;
        this.token = token;
        http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("sdxl-serverless", "1.0"));
    }

    /// <exception cref="CliException">HF_ENDPOINT is no address.</exception>
    public static ModelSource FromEnvironment()
    {
        var text = Environment.GetEnvironmentVariable("HF_ENDPOINT") is { Length: > 0 } mirror ? mirror : "https://huggingface.co";
        return Uri.TryCreate(text.TrimEnd('/') + "/", UriKind.Absolute, out var endpoint) && endpoint.Scheme is "https" or "http"
            ? new ModelSource(endpoint, Environment.GetEnvironmentVariable("HF_TOKEN"))
            : throw new CliException($"HF_ENDPOINT is '{text}'; it must be an address such as https://huggingface.co.");
    }

    public Uri AddressOf(BaseFile file) =>
        new(endpoint, $"{file.Repository}/resolve/{file.Revision}/{string.Join('/', file.File.Split('/').Select(Uri.EscapeDataString))}");

    /// <summary>The repository's page, where a licence is accepted.</summary>
    public Uri PageOf(BaseFile file) => new(endpoint, file.Repository);

    /// <summary>The server's name, for messages.</summary>
    public string Server => endpoint.Authority;

    /// <summary>What kept a server from answering, in a few words; null for what is no fault of the network's.</summary>
    /// <param name="patience">How long was waited.</param>
    public static string? Trouble(Exception e, TimeSpan patience, CancellationToken cancel) =>
        e switch
        {
            OperationCanceledException when !cancel.IsCancellationRequested => string.Create(
                CultureInfo.InvariantCulture,
                $"nothing came for {patience.TotalSeconds:0.#} s"
            ),
            HttpRequestException or IOException => e.Message.TrimEnd('.'),
            _ => null,
        };

    /// <summary>The file's size as the server tells it, without fetching it; null where it does not say.</summary>
    /// <exception cref="HttpRequestException">The server cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">It did not answer within <see cref="SizePatience"/>; or <paramref
    /// name="cancel"/>.</exception>
    public async Task<long?> SizeAsync(BaseFile file, CancellationToken cancel)
    {
        var address = AddressOf(file);
        for (var hop = 0; hop <= MaxRedirects; hop++)
        {
            using var request = Request(HttpMethod.Head, address);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            patience.CancelAfter(SizePatience);
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            // A large file's answer leads elsewhere, and tells its size already.
            if (
                response.Headers.TryGetValues("X-Linked-Size", out var linked)
                && long.TryParse(linked.First(), CultureInfo.InvariantCulture, out var size)
            )
                return size;
            if (!IsRedirect(response) || response.Headers.Location is not { } next)
                return response.IsSuccessStatusCode ? response.Content.Headers.ContentLength : null;
            address = new Uri(address, next);
        }
        return null;
    }

    /// <param name="from">First byte that is wanted.</param>
    /// <returns>The last answer, and the content hash that the first answer named.</returns>
    /// <exception cref="CliException">The server takes the revision for another commit.</exception>
    /// <exception cref="OperationCanceledException">An answer did not begin within <see cref="StallPatience"/>; or <paramref
    /// name="cancel"/>.</exception>
    public async Task<(HttpResponseMessage Response, ContentHash? Hash)> GetAsync(BaseFile file, long from, CancellationToken cancel)
    {
        var address = AddressOf(file);
        ContentHash? hash = null;
        for (var hop = 0; hop <= MaxRedirects; hop++)
        {
            using var request = Request(HttpMethod.Get, address);
            if (from > 0)
                request.Headers.Range = new RangeHeaderValue(from, null);
            using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            stall.CancelAfter(StallPatience);
            var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stall.Token);
            if (IsEndpoint(address)) // what a content network says of its copies is its own affair
            {
                if (
                    response.Headers.TryGetValues("X-Repo-Commit", out var commits)
                    && commits.First() is var commit
                    && commit != file.Revision
                )
                {
                    response.Dispose();
                    throw new CliException(
                        $"{AddressOf(file)} is of commit {commit} there, the manifest pins {file.Revision}. Nothing was downloaded."
                    );
                }
                hash ??= ContentHash.From(response);
            }
            if (!IsRedirect(response) || response.Headers.Location is not { } next)
                return (response, hash);
            address = new Uri(address, next);
            response.Dispose();
        }
        throw new CliException($"{AddressOf(file)} redirects more than {MaxRedirects} times: the server or HF_ENDPOINT is wrong.");
    }

    public void Dispose() => http.Dispose();

    private static bool IsRedirect(HttpResponseMessage response) => (int)response.StatusCode is 301 or 302 or 303 or 307 or 308;

    private bool IsEndpoint(Uri address) => (address.Scheme, address.Authority) == (endpoint.Scheme, endpoint.Authority);

    /// <summary>The token goes to the endpoint itself: not to another host, port or scheme that it redirects to.</summary>
    private HttpRequestMessage Request(HttpMethod method, Uri address)
    {
        var request = new HttpRequestMessage(method, address);
        if (token is { Length: > 0 } && IsEndpoint(address))
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return request;
    }
}
