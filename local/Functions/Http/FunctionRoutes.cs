using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Primitives;

namespace Sdxl.Local.Functions.Http;

/// <summary>
/// The routes of the app's HTTP functions. They are known when its first worker has listed them, and read again from each next one.
/// </summary>
internal sealed class FunctionRoutes(string routePrefix, Func<HttpContext, string, Task> serve, ILogger logger) : EndpointDataSource
{
    private readonly Lock turn = new();
    private IReadOnlyList<Endpoint> endpoints = [];
    private CancellationTokenSource changed = new();

    public override IReadOnlyList<Endpoint> Endpoints => endpoints;

    public override IChangeToken GetChangeToken()
    {
        lock (turn)
            return new CancellationChangeToken(changed.Token);
    }

    public void Update(IEnumerable<FunctionInfo> functions)
    {
        var routes = new List<Endpoint>();
        foreach (var function in functions.Where(function => function.IsTriggeredBy("httpTrigger")))
        {
            try
            {
                routes.Add(Map(function));
            }
            catch (RoutePatternException exception)
            {
                logger.TriggerNotStarted(function.Name, $"its route '{exception.Pattern}' cannot be read: {exception.Message}");
            }
        }
        CancellationTokenSource old;
        lock (turn)
        {
            endpoints = routes;
            old = changed;
            changed = new CancellationTokenSource();
        }
        old.Cancel();
    }

    private RouteEndpoint Map(FunctionInfo function)
    {
        // As the worker reads it, which routes the same request again.
        var pattern = RoutePatternFactory.Parse($"{routePrefix}/{function.Trigger.Text("route") ?? function.Name}");
        var builder = new RouteEndpointBuilder(context => serve(context, function.Name), pattern, order: 0) { DisplayName = function.Name };
        if (function.Trigger.TryGetProperty("methods", out var methods) && methods.ValueKind == JsonValueKind.Array
            && methods.GetArrayLength() > 0)
            builder.Metadata.Add(new HttpMethodMetadata(methods.EnumerateArray().Select(method => method.GetString()!.ToUpperInvariant())));
        return (RouteEndpoint)builder.Build();
    }
}
