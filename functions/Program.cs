// The Azure Functions app (isolated worker). On a laptop the same functions run in local/: `./sdxl up`.
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Hosting;
using Sdxl.Functions.Hosting;

var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
builder.Services.AddSdxlFunctions(builder.Configuration);
builder.Build().Run();
