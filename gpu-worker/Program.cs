// The GPU worker: takes jobs from Service Bus, trains and draws, reports events. It needs no inbound port. On a laptop local/ starts this same program.
using Microsoft.Extensions.Hosting;
using Sdxl.GpuWorker.Hosting;

var builder = Host.CreateApplicationBuilder(args);
builder.Services.AddGpuWorker(builder.Configuration);
await builder.Build().RunAsync();
