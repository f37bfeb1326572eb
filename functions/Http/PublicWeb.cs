using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Sdxl.Core;
using Sdxl.Functions.Hosting;

namespace Sdxl.Functions.Http;

/// <summary>
/// Fetches what a caller names by http(s) address, from the public internet only: the address that is connected to is checked, not the
/// name, so that neither a name that points inside the network nor a redirect lets a caller look around there (metadata services,
/// databases, other people's machines).
/// </summary>
/// <remarks>Hosts named in <see cref="SdxlOptions.TrustedHosts"/> may lie inside. A proxy would connect in our place and is not
/// used.</remarks>
public sealed class PublicWeb : IDisposable
{
    private const int MaxRedirects = 5;

    private readonly HttpClient client;
    private readonly HashSet<string> trusted;

    public PublicWeb(IOptions<SdxlOptions> options)
    {
        trusted = options.Value.TrustedHosts.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, // followed below, each address checked
            UseProxy = false,
            UseCookies = false,
            ConnectTimeout = TimeSpan.FromSeconds(20),
            ConnectCallback = ConnectAsync,
        })
        { Timeout = Timeout.InfiniteTimeSpan }; // it would end with the headers, and begin anew at each redirect
    }

    /// <summary>For one file in all, redirects and content. Azure ends an HTTP request that is silent for 230 s.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>Writes what lies at <paramref name="address"/> into <paramref name="target"/>.</summary>
    /// <param name="field">The input, for messages. Addresses are shown without their query, which may hold an access signature.</param>
    /// <param name="maxBytes">More than this is refused as soon as it is seen.</param>
    /// <exception cref="IntakeException">Not reachable, not public, not there, too large, or not all there within
    /// <see cref="Patience"/>.</exception>
    /// <exception cref="IOException"><paramref name="target"/> takes no more (a full disk): not the address's fault.</exception>
    public async Task FetchAsync(string field, Uri address, long maxBytes, Stream target, CancellationToken cancel)
    {
        var shown = Shown(address);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(Patience);
        try
        {
            for (var hop = 0; hop <= MaxRedirects; hop++)
            {
                if (address.Scheme is not ("http" or "https") || address.UserInfo.Length > 0)
                    throw Refuse(422, $"Input '{field}' is {shown}; it must be an http or https address without user name and password.");
                using var answer = await client.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, patience.Token);
                if (answer.StatusCode is HttpStatusCode.Moved or HttpStatusCode.Found or HttpStatusCode.SeeOther
                        or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect
                    && answer.Headers.Location is { } next)
                {
                    address = new Uri(address, next);
                    continue;
                }
                if (!answer.IsSuccessStatusCode)
                    throw Refuse(422, $"Input '{field}' is {shown}, which answers {(int)answer.StatusCode} {answer.ReasonPhrase}. "
                        + "Check the address.");
                if (answer.Content.Headers.ContentLength > maxBytes)
                    throw TooLarge();
                await using var content = await answer.Content.ReadAsStreamAsync(patience.Token);
                await CopyAsync(content);
                return;
            }
            throw Refuse(422, $"Input '{field}' is {shown}, which redirects more than {MaxRedirects} times. Give the final address.");
        }
        catch (HttpRequestException e) when (e.InnerException is RefusedException inside)
        {
            throw Refuse(422, $"Input '{field}' is {shown}: {inside.Message}");
        }
        catch (HttpRequestException e)
        {
            throw Unreachable(e.Message);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw Unreachable(string.Create(CultureInfo.InvariantCulture, $"it was not all there within {Patience.TotalSeconds:0.#} s"));
        }

        async Task CopyAsync(Stream content)
        {
            var buffer = new byte[1 << 16];
            long total = 0;
            for (int read; (read = await ReadAsync(content, buffer)) > 0;)
            {
                if ((total += read) > maxBytes)
                    throw TooLarge();
                await target.WriteAsync(buffer.AsMemory(0, read), patience.Token);
            }
        }

        async Task<int> ReadAsync(Stream content, byte[] buffer)
        {
            try
            {
                return await content.ReadAsync(buffer, patience.Token);
            }
            catch (IOException e) // here and not around all: the target's are another matter
            {
                throw Unreachable(e.Message);
            }
        }

        IntakeException Unreachable(string why) =>
            Refuse(422, $"Input '{field}' is {shown}, which cannot be fetched: {why.TrimEnd('.')}. "
                + "Check the address, or send the file itself.");

        IntakeException TooLarge() =>
            Refuse(413, $"Input '{field}' is {shown}, which has more than {maxBytes >> 20} MiB. "
                + "Put it into this service's storage and give container/path.");
        IntakeException Refuse(int status, string sentence) => new([new IntakeProblem(field, sentence, status)]);
    }

    /// <summary>Posts to an address that a caller named, under the same rule; a redirect is an answer like any other.</summary>
    /// <exception cref="HttpRequestException">Not reachable, or not public; the message says so in a sentence.</exception>
    /// <exception cref="TimeoutException">No answer within <paramref name="patience"/>.</exception>
    public async Task<HttpStatusCode> PostAsync(HttpRequestMessage request, TimeSpan patience, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(patience);
        try
        {
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            return answer.StatusCode;
        }
        catch (HttpRequestException e) when (e.InnerException is RefusedException inside)
        {
            throw new HttpRequestException(inside.Message, e);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new TimeoutException(string.Create(CultureInfo.InvariantCulture, $"no answer within {patience.TotalSeconds:0.#} s"));
        }
    }

    /// <summary>Whether an address is one that anybody on the internet may reach; everything special-purpose (RFC 6890) is not.</summary>
    public static bool IsPublic(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        var b = address.GetAddressBytes();
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            return (b[0], b[1], b[2]) switch
            {
                (0 or 10 or 127, _, _) => false,        // this network, private, loopback
                (100, >= 64 and <= 127, _) => false,    // carrier's shared addresses
                (169, 254, _) => false,                 // link-local: cloud metadata services
                (168, 63, 129) => false,                // Azure's own service address in every virtual machine, 168.63.129.16
                (172, >= 16 and <= 31, _) => false,
                (192, 168, _) => false,
                (192, 0, 0 or 2) => false,              // protocol assignments, documentation
                (192, 88, 99) => false,                 // 6to4 relays
                (198, 18 or 19, _) => false,            // benchmarks
                (198, 51, 100) or (203, 0, 113) => false,
                (>= 224, _, _) => false,                // multicast, reserved, broadcast
                _ => true,
            };
        }
        // Only global unicast 2000::/3, without what carries an IPv4 address inside (Teredo, 6to4) or is documentation.
        return (b[0] & 0xE0) == 0x20
            && !(b[0] == 0x20 && b[1] == 0x01 && (b[2] == 0 && b[3] == 0 || b[2] == 0x0D && b[3] == 0xB8))
            && !(b[0] == 0x20 && b[1] == 0x02);
    }

    /// <summary>An address without its query, cut to what fits a sentence.</summary>
    public static string Shown(Uri address)
    {
        var text = address.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);
        return $"'{(text.Length > 100 ? text[..97] + "…" : text)}'";
    }

    public void Dispose() => client.Dispose();

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var all = await Dns.GetHostAddressesAsync(host, cancel);
        var allowed = trusted.Contains(host) || trusted.Contains($"{host}:{port}") ? all : [.. all.Where(IsPublic)];
        if (allowed.Length == 0)
        {
            throw new RefusedException(
                $"host '{host}' is not on the public internet, and other addresses are not fetched. Send the file itself, put it into "
                    + $"this service's storage, or name the host in the setting Sdxl:{nameof(SdxlOptions.TrustedHosts)}.");
        }
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, port, cancel); // exactly the addresses that were checked
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
