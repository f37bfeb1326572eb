using System.Text.Json;
using Azure.Messaging.ServiceBus;
using Azure.Storage.Blobs;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace Sdxl.Local.Tests.Functions;

public sealed record Greeting(string Text, int Times);

/// <summary>A small functions app: one of each kind, as the product writes them.</summary>
public sealed class SampleFunctions(SampleLog log)
{
    [Function("Hello")]
    public IActionResult Hello([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "hello/{name}/{times:int?}")] HttpRequest request, string name, int times = 1) =>
        new OkObjectResult(new Greeting($"Hello {name}{request.Query["mark"]}", times));

    [Function("Size")]
    public async Task<IResult> Size([HttpTrigger(AuthorizationLevel.Anonymous, "post", "put")] HttpRequest request, FunctionContext context, CancellationToken cancel)
    {
        long bytes = 0;
        var buffer = new byte[1 << 16];
        for (int read; (read = await request.Body.ReadAsync(buffer, cancel)) > 0; bytes += read)
        {
        }
        return Results.Text($"{bytes} {context.FunctionDefinition.Name} {context.GetHttpContext() == request.HttpContext}");
    }

    [Function("Fails")]
    public Task<IActionResult> Fails([HttpTrigger(AuthorizationLevel.Anonymous, "get")] HttpRequest request) => throw new InvalidOperationException("on purpose");

    [Function("Start")]
    public async Task<IActionResult> Start(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "start/{id}")] HttpRequest request, string id, [DurableClient] DurableTaskClient client)
    {
        await client.ScheduleNewOrchestrationInstanceAsync(nameof(Greet), new Greeting("you", 2), new StartOrchestrationOptions(id));
        return new AcceptedResult($"/status/{id}", null);
    }

    [Function("Status")]
    public async Task<IActionResult> Status(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "status/{id}")] HttpRequest request, string id, [DurableClient] DurableTaskClient client, CancellationToken cancel) =>
        new OkObjectResult((await client.WaitForInstanceCompletionAsync(id, true, cancel)).ReadOutputAs<string>());

    [Function(nameof(Greet))]
    public static async Task<string> Greet([OrchestrationTrigger] TaskOrchestrationContext context, Greeting input)
    {
        var parts = await Task.WhenAll(Enumerable.Range(0, input.Times).Select(number => context.CallActivityAsync<string>(nameof(Say), $"{input.Text} {number}")));
        return string.Join(", ", parts);
    }

    [Function(nameof(Say))]
    public string Say([ActivityTrigger] string what, string instanceId) => $"{instanceId}: {what}";

    [Function("Uploaded")]
    public async Task Uploaded([BlobTrigger("uploads/{folder}/{name}.{extension}")] BlobClient blob, string folder, string name, string extension, CancellationToken cancel)
    {
        var text = (await blob.DownloadContentAsync(cancel)).Value.Content.ToString();
        log.Add(text == "broken" ? $"failed {name}" : $"{folder}|{name}|{extension}|{text}");
        if (text == "broken")
            throw new InvalidDataException("on purpose");
    }

    [Function("Text")]
    public void Text([BlobTrigger("texts/{name}")] string content, string name) => log.Add($"{name}={content}");

    [Function("Message")]
    public void Message([ServiceBusTrigger("jobs")] Greeting greeting, int deliveryCount)
    {
        log.Add($"{greeting.Text} {deliveryCount}");
        if (greeting.Times > deliveryCount)
            throw new InvalidOperationException("not yet");
    }

    [Function("Dead")]
    public void Dead([ServiceBusTrigger("jobs/$deadletterqueue")] string body, FunctionContext context)
    {
        var properties = JsonSerializer.Deserialize<JsonElement>((string)context.BindingContext.BindingData["ApplicationProperties"]!);
        log.Add($"dead {properties.GetProperty("DeadLetterReason")}");
    }
}
