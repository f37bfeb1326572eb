using Azure.Core.Pipeline;

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
    private readonly FileStream claim;
    private readonly Uri url;
    private readonly HttpClient http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(10) })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private AzuriteServer(string script, string folder, string pidFile, ILogger logger, IPAddress address, string? accountKey)
    {
        (var port, claim) = Addresses.ClaimPort(address, UsualPort);
        url = new(string.Create(CultureInfo.InvariantCulture, $"http://{Addresses.Reachable(address)}:{port}/{AccountName}"));
        ConnectionString =
            $"DefaultEndpointsProtocol=http;AccountName={AccountName};AccountKey={accountKey ?? AccountKey};BlobEndpoint={url};";
        process = new SupervisedProcess("Azurite", () => Command(script, folder, address, port, accountKey), logger)
        {
            PidFile = pidFile,
            StopPatience = StopPatience,
        };
        process.Start();
    }

    public string ConnectionString { get; }

    /// <summary>A client whose connections close before Azurite does: it waits for open ones, five seconds each.</summary>
    public BlobServiceClient CreateClient() => new(ConnectionString, new BlobClientOptions { Transport = new HttpClientTransport(http) });

    internal int? ProcessId => process.ProcessId;

    /// <summary>Starts the process and does not wait for it: see <see cref="WaitUntilReadyAsync"/>.</summary>
    /// <param name="script">Azurite's dist/src/blob/main.js.</param>
    /// <param name="folder">Where it keeps the blobs; made if missing.</param>
    /// <param name="address">Where it listens; the loopback address by default.</param>
    /// <param name="accountKey">Another key than the public one, base64.</param>
    /// <exception cref="InvalidOperationException">Azurite or node is missing.</exception>
    public static async Task<AzuriteServer> StartAsync(
        string script, string folder, ILogger logger, CancellationToken cancellation, IPAddress? address = null, string? accountKey = null)
    {
        if (!File.Exists(script))
            throw new InvalidOperationException($"Azurite is not installed: {script} is missing. Run `./sdxl setup`.");
        Directory.CreateDirectory(folder);
        var pidFile = Path.Combine(folder, "azurite.pid");
        await SupervisedProcess.WaitForPredecessor(pidFile, "node", StopPatience, cancellation);
        address ??= IPAddress.Loopback;
        if (!Addresses.IsFree(address, 0))
            throw new InvalidOperationException(
                $"{address} is no address of this machine, so nothing can listen there. `ip address` lists those there are.");
        return new AzuriteServer(script, folder, pidFile, logger, address, accountKey);
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await process.DisposeAsync();
        await claim.DisposeAsync();
    }

    /// <summary>Until it listens, which it does when it has read what it keeps.</summary>
    /// <exception cref="InvalidOperationException">It does not within a minute.</exception>
    public async Task WaitUntilReadyAsync(CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(StartPatience);
        try
        {
            await Addresses.ListensAsync(url, patience.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new InvalidOperationException(
                $"Azurite does not answer at {url} within {StartPatience.TotalSeconds} s; what it wrote stands above. Does this machine "
                + $"know the name {url.Host}, and does `node --version` say 18 or newer?");
        }
    }

    private static ProcessStartInfo Command(string script, string folder, IPAddress address, int port, string? accountKey)
    {
        var command = new ProcessStartInfo("node",
        [
            "--require", Path.Combine(AppContext.BaseDirectory, "Azurite", "follow-parent.cjs"), script,
            "--location", folder, "--blobHost", address.ToString(), "--blobPort", port.ToString(CultureInfo.InvariantCulture),
            "--silent", "--disableTelemetry", "--skipApiVersionCheck", "--disableProductStyleUrl", // a host name with dots is no account
        ]);
        if (accountKey is not null)
            command.Environment["AZURITE_ACCOUNTS"] = $"{AccountName}:{accountKey}"; // the same account, so that the blobs are the same
        return command;
    }
}
