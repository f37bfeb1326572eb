using System.Net;
using System.Net.Sockets;
using Sdxl.Local.Hosting;

namespace Sdxl.Local.Tests.Hosting;

public sealed class AddressesTests
{
    [Fact]
    public async Task Hosts_that_start_at_the_same_moment_take_different_ports_though_nobody_listens_yet()
    {
        var usual = FreePort();
        var first = Addresses.ClaimPort(IPAddress.Loopback, usual);
        var second = Addresses.ClaimPort(IPAddress.Loopback, usual);
        await using var otherClaim = second.Claim;
        Assert.Equal(usual, first.Port);
        Assert.NotEqual(usual, second.Port);

        await first.Claim.DisposeAsync(); // as its process's end does

        var third = Addresses.ClaimPort(IPAddress.Loopback, usual);
        await using var claim = third.Claim;
        Assert.Equal(usual, third.Port);
    }

    [Fact]
    public async Task A_port_on_which_somebody_listens_is_left_to_them()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var taken = ((IPEndPoint)listener.LocalEndpoint).Port;

        var (port, claim) = Addresses.ClaimPort(IPAddress.Loopback, taken);

        await using var _ = claim;
        Assert.NotEqual(taken, port);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
