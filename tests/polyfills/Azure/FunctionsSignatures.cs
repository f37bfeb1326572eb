using Azure.Messaging.ServiceBus;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Sdxl.Tests.Polyfills.Azure;

/// <summary>Functions as the product writes them; see <see cref="DurableSignatures"/>.</summary>
internal sealed class FunctionsSignatures
{
    [Function("Http")]
    public static IActionResult Http(
        [HttpTrigger(AuthorizationLevel.Function, "get", "post", Route = "a/{id}")] HttpRequest request, string id, FunctionContext context, CancellationToken cancel) =>
        new OkObjectResult((request, id, context.GetHttpContext(), context.InvocationId, context.FunctionDefinition.Name, context.GetLogger("category"), cancel));

    [Function("Blob")]
    public static void Blob([BlobTrigger("uploads/{name}", Connection = "C", Source = BlobTriggerSource.LogsAndContainerScan)] Stream blob, string name) => _ = (blob, name);

    [Function("Queue")]
    public static async Task Queue(
        [ServiceBusTrigger("queue", Connection = "C", AutoCompleteMessages = false)] ServiceBusReceivedMessage message, ServiceBusMessageActions actions, CancellationToken cancel)
    {
        await actions.CompleteMessageAsync(message, cancel);
        await actions.AbandonMessageAsync(message, new Dictionary<string, object>(), cancel);
        await actions.DeadLetterMessageAsync(message, null, "reason", "description", cancel);
        await actions.DeferMessageAsync(message, null, cancel);
        await actions.RenewMessageLockAsync(message, cancel);
    }

    [Function("Orchestrator")]
    public static Task<string> Orchestrator([OrchestrationTrigger] TaskOrchestrationContext context) => Task.FromResult(context.InstanceId);

    [Function("Activity")]
    public static string Activity([ActivityTrigger] string input, [DurableClient] DurableTaskClient client) => input + client.Name;

    public static IHost App(string[] args)
    {
        FunctionsApplicationBuilder builder = FunctionsApplication.CreateBuilder(args);
        builder.ConfigureFunctionsWebApplication();
        builder.Services.AddSingleton<object>(new object());
        ConfigurationManager configuration = builder.Configuration;
        IHostEnvironment environment = builder.Environment;
        ILoggingBuilder logging = builder.Logging;
        _ = (configuration, environment, logging);
        return builder.Build();
    }
}
