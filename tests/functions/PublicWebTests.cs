using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Http;

namespace Sdxl.Tests.Functions;

public sealed class PublicWebTests : IDisposable
{
    private const int Limit = 1 << 20;
    private readonly HttpListener server = new();
    private readonly TaskCompletionSource closing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string root;
    private int asked;

    public PublicWebTests()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        root = $"127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}";
        probe.Stop();
        server.Prefixes.Add($"http://{root}/");
        server.Start();
        _ = Task.Run(ServeAsync);
    }

    public void Dispose()
    {
        closing.SetResult();
        server.Close();
    }

    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("172.15.0.1", true)]
    [InlineData("2606:4700::1111", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("168.63.129.16", false)]
    [InlineData("172.31.255.255", false)]
    [InlineData("192.168.1.1", false)]
    [InlineData("198.18.0.1", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::1", false)]
    [InlineData("::", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fd00::1", false)]
    [InlineData("::ffff:10.0.0.1", false)]
    [InlineData("64:ff9b::a00:1", false)]
    [InlineData("2002:a00:1::1", false)]
    [InlineData("2001:0:1::1", false)]
    public void Only_addresses_of_the_public_internet_are_public(string address, bool isPublic) =>
        Assert.Equal(isPublic, PublicWeb.IsPublic(IPAddress.Parse(address)));

    [Fact]
    public async Task A_host_inside_the_network_is_never_asked_unless_it_is_trusted()
    {
        var refused = await Assert.ThrowsAsync<IntakeException>(() => FetchAsync("", $"http://{root}/file?sig=secret"));
        Assert.Contains($"Input 'image' is 'http://{root}/file': host '127.0.0.1' is not on the public internet", refused.Message,
            StringComparison.Ordinal);
        Assert.Equal(0, asked);

        Assert.Equal("the file"u8.ToArray(), await FetchAsync(root, $"http://{root}/file"));
        Assert.Equal("the file"u8.ToArray(), await FetchAsync("other, 127.0.0.1", $"http://{root}/moved"));
    }

    [Fact]
    public async Task A_redirect_does_not_lead_inside_either()
    {
        var refused = await Assert.ThrowsAsync<IntakeException>(() => FetchAsync(root, $"http://{root}/inside"));
        Assert.Contains("host 'localhost' is not on the public internet", refused.Message, StringComparison.Ordinal);
        Assert.Contains("redirects more than 5 times",
            (await Assert.ThrowsAsync<IntakeException>(() => FetchAsync(root, $"http://{root}/loop"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("large")]
    [InlineData("endless")]
    public async Task More_than_the_limit_is_refused_as_soon_as_it_is_seen(string path)
    {
        var refused = await Assert.ThrowsAsync<IntakeException>(() => FetchAsync(root, $"http://{root}/{path}"));
        Assert.Equal(413, refused.Problems[0].Status);
        Assert.Contains("more than 1 MiB", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_does_not_answer_well_is_one_sentence()
    {
        Assert.Contains("answers 404", (await Assert.ThrowsAsync<IntakeException>(() => FetchAsync(root, $"http://{root}/none"))).Message,
            StringComparison.Ordinal);
        Assert.Contains("cannot be fetched",
            (await Assert.ThrowsAsync<IntakeException>(() => FetchAsync("127.0.0.1", "http://127.0.0.1:1/none"))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_stops_coming_is_given_up()
    {
        var refused = await Assert.ThrowsAsync<IntakeException>(() =>
            FetchAsync(root, $"http://{root}/stalls", TimeSpan.FromSeconds(1)).WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Contains("cannot be fetched: it was not all there within 1 s", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_that_breaks_is_the_addresss_fault_and_a_disk_that_is_full_is_not()
    {
        Assert.Contains("cannot be fetched",
            (await Assert.ThrowsAsync<IntakeException>(() => FetchAsync(root, $"http://{root}/breaks"))).Message, StringComparison.Ordinal);

        using var web = new PublicWeb(Options.Create(new SdxlOptions { TrustedHosts = root }));
        using var target = new FullDisk();
        var full = await Assert.ThrowsAsync<IOException>(() =>
            web.FetchAsync("image", new Uri($"http://{root}/file"), Limit, target, CancellationToken.None));
        Assert.Equal(FullDisk.Says, full.Message);
    }

    private static async Task<byte[]> FetchAsync(string trusted, string address, TimeSpan? patience = null)
    {
        var options = Options.Create(new SdxlOptions { TrustedHosts = trusted });
        using var web = new PublicWeb(options) { Patience = patience ?? TimeSpan.FromMinutes(1) };
        using var target = new MemoryStream();
        await web.FetchAsync("image", new Uri(address), Limit, target, CancellationToken.None);
        return target.ToArray();
    }

    private sealed class FullDisk : MemoryStream
    {
        public const string Says = "No space left on device";

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            throw new IOException(Says);
    }

    private async Task ServeAsync()
    {
        while (server.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await server.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return; // closed
            }
            asked++;
            var answer = context.Response;
            try
            {
                switch (context.Request.Url!.AbsolutePath)
                {
                    case "/file": await answer.OutputStream.WriteAsync("the file"u8.ToArray()); break;
                    case "/moved": answer.Redirect("/file"); break;
                    case "/loop": answer.Redirect("/loop"); break;
                    case "/inside": answer.Redirect("http://localhost:9/x"); break;
                    case "/large": answer.ContentLength64 = Limit + 1; await answer.OutputStream.WriteAsync(new byte[Limit + 1]); break;
                    case "/endless":
                        answer.SendChunked = true;
                        for (var i = 0; i < 64; i++)
                            await answer.OutputStream.WriteAsync(new byte[1 << 16]);
                        break;
                    case "/stalls":
                        answer.SendChunked = true;
                        await answer.OutputStream.WriteAsync("the"u8.ToArray());
                        await closing.Task;
                        break;
                    case "/breaks":
                        answer.ContentLength64 = 8;
                        await answer.OutputStream.WriteAsync("the"u8.ToArray());
                        answer.Abort();
                        break;
                    default: answer.StatusCode = 404; break;
                }
                answer.Close();
            }
            catch (Exception e) when (e is HttpListenerException or IOException)
            {
                // The caller has hung up, as it should.
            }
        }
    }
}
