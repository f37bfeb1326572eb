// A small isolated functions app with one function for each thing that the host promises. Only tests/local/Functions run it.
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using WorkerApp;

// A test that wants a slow start holds this connection until it lets the worker go on.
if (Environment.GetEnvironmentVariable("START_GATE") is { Length: > 0 } port)
{
    using var gate = new TcpClient("127.0.0.1", int.Parse(port));
    gate.GetStream().ReadByte();
}

var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
builder.UseMiddleware<CountingMiddleware>();
builder.Services.Configure<KestrelServerOptions>(kestrel => kestrel.Limits.MaxRequestBodySize = 100_000_000);
builder.Build().Run();
