using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace WorkerApp;

public sealed class OutOfPaintException(string message, Exception inner) : Exception(message, inner);

public sealed record Order(string Name, int Count);

public sealed class DurableFunctions
{
    private static readonly ConcurrentDictionary<string, int> Attempts = new();

    [Function(nameof(FanOut))]
    public static async Task<long> FanOut([OrchestrationTrigger] TaskOrchestrationContext context, int count)
    {
        context.SetCustomStatus(new { count });
        var squares = await Task.WhenAll(
            Enumerable.Range(1, count).Select(number => context.CallActivityAsync<long>(nameof(Square), number)));
        return squares.Sum();
    }

    [Function(nameof(Square))]
    public static long Square([ActivityTrigger] int number) => (long)number * number;

    [Function(nameof(Values))]
    public static async Task<string> Values([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var order = await context.CallActivityAsync<Order>(nameof(Double), new Order("a \"quoted\" name", 21));
        var list = await context.CallActivityAsync<int[]>(nameof(Reverse), new[] { 7 });
        var text = await context.CallActivityAsync<string>(nameof(Shout), "[\"no list\"]");
        var none = await context.CallActivityAsync<string?>(nameof(Nothing), input: null);
        await context.CallActivityAsync(nameof(Quiet), true);
        return JsonSerializer.Serialize(new { order, list, text, none });
    }

    [Function(nameof(Double))]
    public static Order Double([ActivityTrigger] Order order) => order with { Count = order.Count * 2 };

    [Function(nameof(Reverse))]
    public static int[] Reverse([ActivityTrigger] int[] list) => [.. list.Reverse(), 0];

    [Function(nameof(Shout))]
    public static string Shout([ActivityTrigger] string text) => text + "!";

    [Function(nameof(Nothing))]
    public static string? Nothing([ActivityTrigger] string? text) => text;

    [Function(nameof(Quiet))]
    public static Task Quiet([ActivityTrigger] bool flag, string instanceId)
    {
        Signals.Set("quiet-" + instanceId);
        return Task.CompletedTask;
    }

    [Function(nameof(Retried))]
    public static Task<int> Retried([OrchestrationTrigger] TaskOrchestrationContext context) => context.CallActivityAsync<int>(
        nameof(FailTwice), context.InstanceId, TaskOptions.FromRetryPolicy(new RetryPolicy(5, TimeSpan.FromMilliseconds(50))));

    [Function(nameof(FailTwice))]
    public static int FailTwice([ActivityTrigger] string id)
    {
        var attempt = Attempts.AddOrUpdate(id, 1, (_, before) => before + 1);
        return attempt > 2 ? attempt : throw new InvalidOperationException("attempt " + attempt);
    }

    [Function(nameof(Approval))]
    public static async Task<string> Approval([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var word = await context.WaitForExternalEvent<string>("word", TimeSpan.FromHours(1));
        return "approved with " + word;
    }

    [Function(nameof(Impatient))]
    public static async Task<string> Impatient([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        try
        {
            return await context.WaitForExternalEvent<string>("never", TimeSpan.FromMilliseconds(100));
        }
        catch (OperationCanceledException)
        {
            return "gave up";
        }
    }

    [Function(nameof(Parent))]
    public static async Task<string> Parent([OrchestrationTrigger] TaskOrchestrationContext context, int number)
    {
        var doubled = await context.CallSubOrchestratorAsync<int>(nameof(Child), number);
        try
        {
            await context.CallSubOrchestratorAsync<int>(nameof(Child), -1);
            return "the child did not fail";
        }
        catch (TaskFailedException failed)
        {
            return $"{doubled}, {failed.FailureDetails.ErrorType}: {failed.FailureDetails.ErrorMessage}";
        }
    }

    [Function(nameof(Child))]
    public static int Child([OrchestrationTrigger] TaskOrchestrationContext context, int number) =>
        number >= 0 ? number * 2 : throw new ArgumentOutOfRangeException(nameof(number), "negative");

    [Function(nameof(Careful))]
    public static async Task<string> Careful([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        try
        {
            await context.CallActivityAsync(nameof(Paint), "red");
            return "painted";
        }
        catch (TaskFailedException failed)
        {
            var details = failed.FailureDetails;
            return JsonSerializer.Serialize(new
            {
                details.ErrorType,
                details.ErrorMessage,
                Inner = details.InnerFailure?.ErrorType,
                InnerMessage = details.InnerFailure?.ErrorMessage,
                IsOurs = details.IsCausedBy<OutOfPaintException>(),
                HasStack = details.StackTrace?.Contains(nameof(Paint), StringComparison.Ordinal),
            });
        }
    }

    [Function(nameof(Careless))]
    public static async Task Careless([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        await context.CallActivityAsync(nameof(Paint), "blue");
    }

    [Function(nameof(Paint))]
    public static void Paint([ActivityTrigger] string colour) =>
        throw new OutOfPaintException($"no {colour} left\nnor any other", new IOException("the tin is empty"));

    [Function(nameof(Counting))]
    public static int Counting([OrchestrationTrigger] TaskOrchestrationContext context, int round)
    {
        if (round < 3)
            context.ContinueAsNew(round + 1);
        return round;
    }

    [Function(nameof(Astray))]
    public static async Task<string> Astray([OrchestrationTrigger] TaskOrchestrationContext context, string name)
    {
        try
        {
            await context.CallActivityAsync(name, "");
            return "it was there";
        }
        catch (TaskFailedException failed)
        {
            return failed.FailureDetails.ErrorMessage;
        }
    }

    /// <summary>Its activity never ends in the first process that runs it.</summary>
    [Function(nameof(Survivor))]
    public static Task<string> Survivor([OrchestrationTrigger] TaskOrchestrationContext context, string markerFile) =>
        context.CallActivityAsync<string>(nameof(HangOnce), markerFile);

    [Function(nameof(HangOnce))]
    public static async Task<string> HangOnce([ActivityTrigger] string markerFile, CancellationToken cancel)
    {
        if (File.Exists(markerFile))
            return "done by " + Environment.ProcessId;
        await File.WriteAllTextAsync(markerFile, "", cancel);
        Signals.Set("hanging-activity");
        await Signals.Wait("never", cancel);
        return "never";
    }

    [Function("Start")]
    public static async Task<IActionResult> Start(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "start/{name}/{id}")] HttpRequest request,
        [DurableClient] DurableTaskClient client, string name, string id, CancellationToken cancel)
    {
        var input = request.ContentLength > 0 ? await request.ReadFromJsonAsync<JsonElement>(cancel) : (JsonElement?)null;
        try
        {
            return new OkObjectResult(
                await client.ScheduleNewOrchestrationInstanceAsync(name, input, new StartOrchestrationOptions(id), cancel));
        }
        catch (Exception exception) when (exception.GetType().Name == "OrchestrationAlreadyExistsException")
        {
            return new ConflictResult();
        }
    }

    [Function("Wait")]
    public static async Task<IActionResult> Wait(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "wait/{id}/{state}")] HttpRequest request,
        [DurableClient] DurableTaskClient client, string id, string state, CancellationToken cancel) => Show(state == "end"
            ? await client.WaitForInstanceCompletionAsync(id, getInputsAndOutputs: true, cancel)
            : await client.WaitForInstanceStartAsync(id, getInputsAndOutputs: true, cancel));

    [Function("Get")]
    public static async Task<IActionResult> Get(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "instances/{id}")] HttpRequest request,
        [DurableClient] DurableTaskClient client, string id, CancellationToken cancel) =>
        await client.GetInstanceAsync(id, getInputsAndOutputs: true, cancel) is { } found ? Show(found) : new NotFoundResult();

    [Function("Act")]
    public static async Task<IActionResult> Act(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "instances/{id}/{action}")] HttpRequest request,
        [DurableClient] DurableTaskClient client, string id, string action, CancellationToken cancel)
    {
        switch (action)
        {
            case "raise":
                await client.RaiseEventAsync(id, "word", "please", cancel);
                return new OkResult();
            case "terminate":
                await client.TerminateInstanceAsync(id, "enough", cancel);
                return new OkResult();
            case "suspend":
                await client.SuspendInstanceAsync(id, "wait", cancel);
                return new OkResult();
            case "resume":
                await client.ResumeInstanceAsync(id, "go on", cancel);
                return new OkResult();
            case "purge":
                return new OkObjectResult((await client.PurgeInstanceAsync(id, cancel)).PurgedInstanceCount);
            case "query":
                var found = client.GetAllInstancesAsync(
                    new OrchestrationQuery { InstanceIdPrefix = id, Statuses = [OrchestrationRuntimeStatus.Completed] });
                return new OkObjectResult(await found.Select(instance => instance.InstanceId).Order().ToListAsync(cancel));
            default:
                return new NotFoundResult();
        }
    }

    private static OkObjectResult Show(OrchestrationMetadata found) => new(new
    {
        status = found.RuntimeStatus.ToString(),
        output = found.SerializedOutput,
        customStatus = found.SerializedCustomStatus,
        failure = found.FailureDetails is { } failure ? $"{failure.ErrorType}: {failure.ErrorMessage}" : null,
    });
}
