using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Microsoft.Azure.Functions.Worker.Builder;

/// <summary>The link to a Functions host, which this stand-in does not have: starting it says what to do instead.</summary>
internal sealed class HostConnection(IConfiguration configuration) : IHostedService
{
    private const string EndpointKey = "Functions:Worker:HostEndpoint";

    public Task StartAsync(CancellationToken cancellationToken) => string.IsNullOrEmpty(configuration[EndpointKey])
        ? throw new InvalidOperationException(
            $"Configuration is missing the 'HostEndpoint' information: no entry with the key '{EndpointKey}'. A functions app is started by a "
            + "Functions host. On this machine run it with `./sdxl up`.")
        : throw new NotSupportedException(
            $"This build uses the polyfill of Microsoft.Azure.Functions.Worker, which cannot talk to the Functions host at '{configuration[EndpointKey]}'. "
            + "Build with -p:UsePolyfills=false, or run the app with `./sdxl up`.");

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
