using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Logging;
using Sdxl.Local.Hosting;

namespace Sdxl.Local.Azurite;

/// <summary>Blob storage on this machine: Azurite as a child process, restarted when it dies, ended with the host.</summary>
public sealed class AzuriteServer : IAsyncDisposable
{
    /// <summary>The development account that every Azure tool knows; its key is public.</summary>
    public const string AccountName = "devstoreaccount1";

    private const string AccountKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    private const int UsualPort = 10000;

    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60); // a first start from a cold disk has taken 10
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(10); // it saves its tables last

    private readonly SupervisedProcess process;
    private readonly IDisposable claim;
    private readonly HttpClient http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(10) }) { Timeout = Timeout.InfiniteTimeSpan };

    private AzuriteServer(SupervisedProcess process, int port, IDisposable claim)
    {
        this.process = process;
        this.claim = claim;
        ConnectionString =
            $"DefaultEndpointsProtocol=http;AccountName={AccountName};AccountKey={AccountKey};BlobEndpoint=http://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}/{AccountName};";
    }

    public string ConnectionString { get; }

    /// <summary>A client whose connections close before Azurite does: it waits for open ones, five seconds each.</summary>
    public BlobServiceClient CreateClient() => new(ConnectionString, new BlobClientOptions { Transport = new HttpClientTransport(http) });

    internal int? ProcessId => process.ProcessId;

    /// <param name="script">Azurite's dist/src/blob/main.js.</param>
    /// <param name="folder">Where it keeps the blobs; made if missing.</param>
    /// <exception cref="InvalidOperationException">Azurite or node is missing, or it does not answer within a minute.</exception>
    public static async Task<AzuriteServer> StartAsync(string script, string folder, ILogger logger, CancellationToken cancellation)
    {
        if (!File.Exists(script))
            throw new InvalidOperationException($"Azurite is not installed: {script} is missing. Run `./sdxl setup`.");
        Directory.CreateDirectory(folder);
        var pidFile = Path.Combine(folder, "azurite.pid");
        await SupervisedProcess.WaitForPredecessor(pidFile, script, StopPatience, cancellation);

        var (port, claim) = ClaimPort();
        var process = new SupervisedProcess("Azurite", () => Command(script, folder, port), logger) { PidFile = pidFile };
        var server = new AzuriteServer(process, port, claim);
        process.Start();
        try
        {
            await server.UntilItAnswers(cancellation);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await process.StopAsync(StopPatience);
        claim.Dispose();
    }

    private static ProcessStartInfo Command(string script, string folder, int port) => new("node",
    [
        "--require", Path.Combine(AppContext.BaseDirectory, "Azurite", "follow-parent.cjs"), script,
        "--location", folder, "--blobHost", "127.0.0.1", "--blobPort", port.ToString(CultureInfo.InvariantCulture),
        "--silent", "--disableTelemetry", "--skipApiVersionCheck",
    ])
    {
        RedirectStandardInput = true, // follow-parent.cjs watches it
    };

    private async Task UntilItAnswers(CancellationToken cancellation)
    {
        var client = new BlobServiceClient(
            ConnectionString, new BlobClientOptions { Transport = new HttpClientTransport(http), Retry = { MaxRetries = 0, NetworkTimeout = TimeSpan.FromSeconds(2) } });
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await client.GetPropertiesAsync(cancellation);
                return;
            }
            catch (Exception exception) when (exception is Azure.RequestFailedException or TaskCanceledException && !cancellation.IsCancellationRequested)
            {
                if (waited.Elapsed > StartPatience)
                {
                    throw new InvalidOperationException(
                        $"Azurite does not answer at {client.Uri} within {StartPatience.TotalSeconds} s. Does `node --version` say 18 or newer? Last error: {exception.Message}",
                        exception);
                }
                await Task.Delay(100, cancellation);
            }
        }
    }

    /// <summary>
    /// A free port and a lock on it that ends with this process. Azurite takes seconds until it listens: without the lock two hosts that start at the same
    /// moment find the same port free, and one of them then talks to the other's storage.
    /// </summary>
    private static (int Port, IDisposable Claim) ClaimPort()
    {
        for (var port = UsualPort; ; port = FreePort())
        {
            if (!IsFree(port))
                continue;
            try
            {
                var file = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"sdxl-azurite-{port}.lock"));
                return (port, new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Another host has it, perhaps another user's: the next one.
            }
        }
    }

    internal static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
