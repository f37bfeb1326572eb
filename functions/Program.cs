// The Azure Functions app (isolated worker). On a laptop local/ starts this same program: `./sdxl up`.
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Hosting;
using Sdxl.Functions.Accounts;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Http;
using Sdxl.Functions.Telemetry;

var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
builder.UseMiddleware<TracingMiddleware>();
builder.UseMiddleware<ProblemMiddleware>();
builder.UseMiddleware<TokenMiddleware>();
builder.Services.AddSdxlFunctions(builder.Configuration);
builder.Services.AddFunctionsTelemetry(builder.Configuration);
builder.Build().Run();
