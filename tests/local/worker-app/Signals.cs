using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace WorkerApp;

/// <summary>Things that happened in this process, by name, each with a text; whoever asks early waits.</summary>
public static class Signals
{
    private static readonly ConcurrentDictionary<string, TaskCompletionSource<string>> All = new();

    public static void Set(string name, string text = "") => Of(name).TrySetResult(text);

    public static Task<string> Wait(string name, CancellationToken cancel) => Of(name).Task.WaitAsync(cancel);

    private static TaskCompletionSource<string> Of(string name) =>
        All.GetOrAdd(name, _ => new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously));
}

/// <summary>Sees every invocation, whatever its trigger, before the function runs.</summary>
[SuppressMessage("Performance", "CA1812", Justification = "The worker makes it.")]
internal sealed class CountingMiddleware : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        Signals.Set("middleware-" + context.FunctionDefinition.Name, context.InvocationId);
        if (context.FunctionDefinition.Name == "RefusedByMiddleware")
            throw new InvalidOperationException("refused");
        await next(context);
    }
}
