using System.Net.Http.Headers;
using System.Security.Cryptography;
using Sdxl.Core.Bases;

namespace Sdxl.Cli.Models;

/// <summary>Where model files come from: Hugging Face, or a mirror of it named by HF_ENDPOINT. HF_TOKEN opens gated repositories.</summary>
internal sealed class ModelSource : IDisposable
{
    private const int MaxRedirects = 5;

    private readonly Uri endpoint;
    private readonly string? token;
    // Redirects are followed by hand: the hash of a large file stands in the first answer's headers, and the token belongs to the first host only.
    private readonly HttpClient http = new(new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = TimeSpan.FromSeconds(30) }) { Timeout = Timeout.InfiniteTimeSpan };

    public ModelSource(Uri endpoint, string? token)
    {
        this.endpoint = endpoint;
        this.token = token;
        http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("sdxl-serverless", "1.0"));
    }

    public static ModelSource FromEnvironment() => new(
        new Uri((Environment.GetEnvironmentVariable("HF_ENDPOINT") is { Length: > 0 } mirror ? mirror : "https://huggingface.co").TrimEnd('/') + "/"),
        Environment.GetEnvironmentVariable("HF_TOKEN"));

    public Uri AddressOf(BaseFile file) => new(endpoint, $"{file.Repository}/resolve/{file.Revision}/{string.Join('/', file.File.Split('/').Select(Uri.EscapeDataString))}");

    /// <summary>The repository's page, where a licence is accepted.</summary>
    public Uri PageOf(BaseFile file) => new(endpoint, file.Repository);

    /// <param name="from">First byte that is wanted.</param>
    /// <returns>The last answer, and the content hash that the first answer named.</returns>
    public async Task<(HttpResponseMessage Response, ContentHash? Hash)> GetAsync(BaseFile file, long from, CancellationToken cancel)
    {
        var address = AddressOf(file);
        ContentHash? hash = null;
        for (var hop = 0; hop <= MaxRedirects; hop++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            if (from > 0)
                request.Headers.Range = new RangeHeaderValue(from, null);
            if (token is { Length: > 0 } && address.Host == endpoint.Host)
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
            hash ??= ContentHash.From(response);
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308) || response.Headers.Location is not { } next)
                return (response, hash);
            address = new Uri(address, next);
            response.Dispose();
        }
        throw new CliException($"{AddressOf(file)} redirects more than {MaxRedirects} times: the server or HF_ENDPOINT is wrong.");
    }

    public void Dispose() => http.Dispose();
}

/// <summary>What a file must hash to: SHA-256 of its bytes (large files, LFS), or git's SHA-1 of a blob (small files).</summary>
/// <param name="Hex">Lower case, 64 or 40 digits.</param>
internal sealed record ContentHash(string Hex)
{
    public string Name => Hex.Length == 64 ? "SHA-256" : "git SHA-1";

    /// <summary>X-Linked-Etag holds an LFS file's SHA-256; ETag a small file's git hash. Both stand in quotes, perhaps after W/.</summary>
    public static ContentHash? From(HttpResponseMessage response)
    {
        var linked = response.Headers.TryGetValues("X-Linked-Etag", out var values) ? values.FirstOrDefault() : null;
        foreach (var text in new[] { linked, response.Headers.ETag?.Tag })
        {
            var hex = text?.Replace("W/", "", StringComparison.Ordinal).Trim('"').ToLowerInvariant();
            if (hex is { Length: 64 } or { Length: 40 } && hex.All(char.IsAsciiHexDigitLower))
                return new ContentHash(hex);
        }
        return null;
    }

    public static async Task<string> Sha256Async(string path, CancellationToken cancel)
    {
        await using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancel));
    }

    /// <summary>The file's hash of the same kind.</summary>
    public async Task<string> OfFileAsync(string path, CancellationToken cancel)
    {
        if (Hex.Length == 64)
            return await Sha256Async(path, cancel);
        await using var file = File.OpenRead(path);
#pragma warning disable CA5350 // git's own object name, compared with what the server says; not a signature
        using var sha1 = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
#pragma warning restore CA5350
        sha1.AppendData(System.Text.Encoding.ASCII.GetBytes(FormattableString.Invariant($"blob {file.Length}\0")));
        var buffer = new byte[1 << 16];
        while (await file.ReadAsync(buffer, cancel) is > 0 and var read)
            sha1.AppendData(buffer, 0, read);
        return Convert.ToHexStringLower(sha1.GetHashAndReset());
    }
}
