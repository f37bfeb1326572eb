using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;

namespace WorkerApp;

public sealed class HttpFunctions(ILogger<HttpFunctions> log)
{
    [Function("Hello")]
    public IActionResult Hello([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "hello/{id}")] HttpRequest request, string id)
    {
        log.LogInformation("hello to {Id}", id);
        return new OkObjectResult(new { id, pid = Environment.ProcessId, host = request.Host.Value, scheme = request.Scheme });
    }

    [Function("Empty")]
    public IActionResult Empty([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "empty")] HttpRequest request) =>
        new NoContentResult();

    [Function("Upload")]
    public async Task<IActionResult> Upload(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "upload")] HttpRequest request, CancellationToken cancel) =>
        new OkObjectResult(Convert.ToHexString(await SHA256.HashDataAsync(request.Body, cancel)));

    /// <summary>Sends a first event, and a second one when it is told to.</summary>
    [Function("Events")]
    public async Task Events(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "events/{key}")] HttpRequest request, string key,
        CancellationToken cancel)
    {
        var response = request.HttpContext.Response;
        response.ContentType = "text/event-stream";
        await response.WriteAsync("data: first\n\n", cancel);
        await response.Body.FlushAsync(cancel);
        await Signals.Wait("go-" + key, cancel);
        await response.WriteAsync("data: second\n\n", cancel);
        if (key == "broken")
        {
            await response.Body.FlushAsync(cancel);
            throw new InvalidOperationException("broken in the middle");
        }
    }

    /// <summary>Tells of each line of the body as it comes.</summary>
    [Function("Listen")]
    public async Task<IActionResult> Listen(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "listen")] HttpRequest request, CancellationToken cancel)
    {
        using var reader = new StreamReader(request.Body);
        var heard = 0;
        for (; await reader.ReadLineAsync(cancel) is { } line; heard++)
            Signals.Set("heard-" + line);
        return new OkObjectResult(heard);
    }

    [Function("Throw")]
    public IActionResult Throw([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "throw")] HttpRequest request) =>
        throw new InvalidOperationException("thrown on purpose");

    [Function("RefusedByMiddleware")]
    public IActionResult Refused([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "refused")] HttpRequest request) =>
        new OkResult();

    /// <summary>Runs until it is released or cancelled.</summary>
    [Function("Hang")]
    public async Task<IActionResult> Hang(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "hang/{key}")] HttpRequest request, string key, CancellationToken cancel)
    {
        Signals.Set("hanging-" + key);
        try
        {
            await Signals.Wait("go-" + key, cancel);
            return new OkObjectResult("released");
        }
        catch (OperationCanceledException)
        {
            Signals.Set("cancelled-" + key);
            throw;
        }
    }

    [Function("Signal")]
    public IActionResult Signal(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "signals/{key}")] HttpRequest request, string key)
    {
        Signals.Set(key);
        return new OkResult();
    }

    [Function("AwaitSignal")]
    public async Task<IActionResult> AwaitSignal(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "signals/{key}")] HttpRequest request, string key,
        CancellationToken cancel) =>
        new OkObjectResult(await Signals.Wait(key, cancel));
}
