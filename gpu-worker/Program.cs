// The GPU worker: takes jobs from Service Bus, trains and draws, reports events. It needs no inbound port. On a laptop local/ starts this
// same program.
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Sdxl.Core.Hosting;
using Sdxl.Core.Settings;
using Sdxl.GpuWorker.Hosting;

try
{
    var builder = Host.CreateApplicationBuilder(args);
    // One word in place of the two connections, where a host elsewhere was joined; or the state folder of a host on this machine, which has
    // it.
    var state = builder.Configuration[JoinToken.StateVariable];
    if ((builder.Configuration[JoinToken.Variable] ?? (state is { Length: > 0 } ? JoinToken.OfHost(state) : null)) is { Length: > 0 } word)
    {
        var token = JoinToken.Decode(word);
        builder.Configuration.AddInMemoryCollection([
            new(Connections.Storage, token.Storage),
            new(Connections.ServiceBus, token.ServiceBus),
        ]);
    }
    builder.Services.AddGpuWorker(builder.Configuration);
    using var host = builder.Build();
    var health = host.Services.GetRequiredService<WorkerHealth>(); // the host's end disposes of its services
    await host.RunAsync();
    return health.ExitCode;
}
catch (Exception error) when (error is InvalidOperationException or FormatException)
{
    // A setting that is wrong, a device that is not there or computes wrongly: a sentence, not a dump. The jobs stay in their queues for
    // other workers.
    await Console.Error.WriteLineAsync(error.Message);
    return 1;
}
