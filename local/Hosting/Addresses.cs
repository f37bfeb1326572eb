namespace Sdxl.Local.Hosting;

/// <summary>Where this machine can listen, and what others call it.</summary>
internal static class Addresses
{
    public static bool IsFree(IPAddress address, int port)
    {
        try
        {
            using var listener = new TcpListener(address, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>
    /// The usual port or another free one, and a lock on it that ends with this process. Until somebody listens there, two hosts that start
    /// at the same moment would find the same port free: one of them would fail, or talk to the other's storage.
    /// </summary>
    public static (int Port, FileStream Claim) ClaimPort(IPAddress address, int usual)
    {
        for (var port = usual; ; port = FreePort())
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"sdxl-{Environment.UserName}-port-{port}.lock");
            if (IsFree(address, port) && FileLock.TryTake(Path.Combine(Path.GetTempPath(), name)) is { } claim)
                return (port, claim);
        }
    }

    /// <summary>Waits until somebody takes connections there.</summary>
    public static async Task ListensAsync(Uri url, CancellationToken cancel)
    {
        for (; ; await Task.Delay(20, cancel))
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(url.DnsSafeHost, url.Port, cancel);
                return;
            }
            catch (SocketException)
            {
                // Not yet.
            }
        }
    }

    /// <summary>As it stands in a connection string. "Every address" is no address to connect to: the machine's name is, then.</summary>
    public static string Reachable(IPAddress address) =>
        address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) ? Dns.GetHostName()
        : address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]" : address.ToString();

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
