// The GPU worker: takes jobs from Service Bus, trains and draws, reports events. It needs no inbound port. On a laptop local/ runs the same services.
using Microsoft.Extensions.Hosting;
using Sdxl.GpuWorker.Hosting;

try
{
    var builder = Host.CreateApplicationBuilder(args);
    builder.Services.AddGpuWorker(builder.Configuration);
    await builder.Build().RunAsync();
    return 0;
}
catch (InvalidOperationException error)
{
    // A setting that is wrong, a device that is not there or computes wrongly: a sentence, not a dump. The jobs stay in their queues for other workers.
    await Console.Error.WriteLineAsync(error.Message);
    return 1;
}
