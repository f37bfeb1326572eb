using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Sdxl.Local.Functions;

/// <summary>Serves HTTP functions as the ASP.NET Core integration of the Functions worker does.</summary>
internal static class HttpBinding
{
    private const string ContextKey = "HttpRequestContext"; // the key that GetHttpContext() looks under

    public static void Map(IEndpointRouteBuilder routes, IEnumerable<FunctionMethod> functions, string routePrefix)
    {
        foreach (var function in functions)
        {
            if (function.Trigger is not HttpTriggerAttribute trigger)
                continue;
            var pattern = string.Join('/', new[] { routePrefix.Trim('/'), trigger.Route ?? function.Name }.Where(part => part.Length > 0));
            RequestDelegate handler = context => Serve(function, context);
            var endpoint = trigger.Methods is { Length: > 0 } methods
                ? routes.MapMethods(pattern, methods.Select(method => method.ToUpperInvariant()), handler)
                : routes.Map(pattern, handler);
            endpoint.WithDisplayName(function.Name);
        }
    }

    private static async Task Serve(FunctionMethod function, HttpContext context)
    {
        var invoker = context.RequestServices.GetRequiredService<FunctionInvoker>();
        var invocation = new Invocation
        {
            TriggerValue = type => Trigger(function, type, context),
            BindingData = context.Request.RouteValues.ToDictionary(pair => pair.Key, pair => pair.Value),
            ByType = [context.Request, context],
            Items = new Dictionary<object, object> { [ContextKey] = context },
        };
        try
        {
            await Answer(await invoker.Invoke(function, invocation, context.RequestAborted), context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller has gone; there is nobody to answer.
        }
        catch (BadHttpRequestException exception) when (!context.Response.HasStarted)
        {
            context.Response.StatusCode = exception.StatusCode;
        }
        catch (Exception exception)
        {
            Logger(context).FunctionFailed(exception, function.Name, $"{context.Request.Method} {context.Request.Path}");
            if (context.Response.HasStarted)
                context.Abort();
            else
                context.Response.StatusCode = StatusCodes.Status500InternalServerError;
        }
    }

    private static object Trigger(FunctionMethod function, Type type, HttpContext context) =>
        type.IsAssignableFrom(typeof(HttpRequest)) || type.IsInstanceOfType(context.Request)
            ? context.Request
            : throw new InvalidOperationException(
                $"Function '{function.Name}': an HTTP trigger of the ASP.NET Core integration is a HttpRequest, not a {type.Name}.");

    private static Task Answer(object? result, HttpContext context) => result switch
    {
        null => Task.CompletedTask, // The function wrote to the response itself.
        IActionResult action => action.ExecuteResultAsync(new ActionContext(context, context.GetRouteData(), new ActionDescriptor())),
        IResult minimal => minimal.ExecuteAsync(context),
        _ => new ObjectResult(result).ExecuteResultAsync(new ActionContext(context, context.GetRouteData(), new ActionDescriptor())),
    };

    private static ILogger Logger(HttpContext context) => context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Sdxl.Local.Functions.Http");
}
