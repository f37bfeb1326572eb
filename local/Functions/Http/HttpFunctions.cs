using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;

namespace Sdxl.Local.Functions.Http;

/// <summary>
/// Serves HTTP functions: the invocation goes over the worker's stream, the request itself to the worker's own web server, both at once;
/// the worker joins them by the invocation's id.
/// </summary>
internal sealed class HttpFunctions(HostContext host, IServiceProvider services)
{
    private const int BadGateway = StatusCodes.Status502BadGateway;
    private const int TooLarge = StatusCodes.Status413PayloadTooLarge;

    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(5);

    // Functions may think for as long as they like before and between the parts of an answer.
    private static readonly ForwarderRequestConfig Config =
        new() { ActivityTimeout = Timeout.InfiniteTimeSpan, Version = HttpVersion.Version11 };

    private static readonly HttpMessageInvoker Client = new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        ConnectTimeout = TimeSpan.FromSeconds(5),
    });

    private readonly IHttpForwarder forwarder = services.GetRequiredService<IHttpForwarder>();

    /// <summary>A worker's HTTP functions. Their routes are read as the worker reads them, which routes each request again.</summary>
    public RequestDelegate RoutesOf(RunningWorker worker)
    {
        var functions = worker.Functions.Values.Where(function => function.IsTriggeredBy("httpTrigger") && worker.HttpUri is not null);
        return new ApplicationBuilder(services).UseRouting().UseEndpoints(endpoints =>
        {
            foreach (var function in functions)
            {
                var route = $"{host.HostJson.RoutePrefix.Trim('/')}/{function.Trigger.Text("route") ?? function.Name}";
                try
                {
                    var endpoint = endpoints.Map(RoutePatternFactory.Parse(route), context => ForwardAsync(context, worker, function));
                    if (function.Trigger["methods"]?.Deserialize<string[]>() is { Length: > 0 } methods)
                        endpoint.WithMetadata(new HttpMethodMetadata(methods));
                }
                catch (Exception exception) when (exception is RoutePatternException or JsonException)
                {
                    host.Logger.TriggerNotStarted(function.Name, $"its route '{route}' cannot be read: {exception.Message}");
                }
            }
        }).Build();
    }

    /// <summary>Answers a request when a worker is there.</summary>
    public static async Task ServeAsync(HttpContext context, WorkerSupervisor supervisor)
    {
        try
        {
            var worker = await supervisor.GetAsync(context.RequestAborted);
            await worker.Routes(context);
        }
        catch (WorkerUnavailableException exception)
        {
            await Problems.AnswerAsync(context, StatusCodes.Status503ServiceUnavailable, exception.Message);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be answered.
        }
    }

    private async Task ForwardAsync(HttpContext context, RunningWorker worker, FunctionInfo function)
    {
        if (context.Request.ContentLength > MaxBodyBytes(context))
        {
            var tooLarge = $"The body has {context.Request.ContentLength} bytes; at most {MaxBodyBytes(context)} are taken.";
            await Problems.AnswerAsync(context, TooLarge, tooLarge);
            return;
        }
        var invocationId = Guid.NewGuid().ToString();
        using var dropInvocation = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        var dropRequest = new CancellationTokenSource(); // has nothing to dispose of, and may be cancelled after we are done
        var metadata = context.GetRouteData().Values.Where(value => value.Value is not null)
            .ToDictionary(value => value.Key, value => Typed.Text(value.Value!.ToString()!));
        var invocation = worker.InvokeAsync(function, invocationId, new() { Http = new RpcHttp() }, metadata, dropInvocation.Token);
        // A function that fails before the two halves met leaves the request's half waiting for five seconds.
        _ = invocation.ContinueWith(
            ended => Failed(ended) && !context.Response.HasStarted ? dropRequest.CancelAsync() : Task.CompletedTask,
            TaskScheduler.Default).Unwrap();

        var transform = new WorkerRequest(invocationId, invocation);
        var error = await forwarder.SendAsync(context, worker.HttpUri!.ToString(), Client, Config, transform, dropRequest.Token);
        if (error != ForwarderError.None)
        {
            await dropInvocation.CancelAsync();
            var patience = context.RequestAborted.IsCancellationRequested ? Timeout.InfiniteTimeSpan : AnswerPatience;
            await Task.WhenAny(invocation, Task.Delay(patience));
        }
        var (status, detail) = await OutcomeAsync(context, function.Name, invocationId, invocation, error);
        if (status != StatusCodes.Status200OK && !context.RequestAborted.IsCancellationRequested)
            await Problems.AnswerAsync(context, status, detail);
    }

    /// <summary>The function's end decides: an answer that the worker sent for a function that failed is not an answer.</summary>
    private async Task<(int Status, string Detail)> OutcomeAsync(
        HttpContext context, string function, string invocationId, Task<InvocationResponse> invocation, ForwarderError error)
    {
        if (error != ForwarderError.None && !invocation.IsCompleted)
            return (BadGateway, $"Function '{function}' [{invocationId}] gives no answer ({error}).");
        try
        {
            var response = await invocation;
            if (IsTooLarge(context.Features.Get<IForwarderErrorFeature>()?.Exception))
                return (TooLarge, $"The body has more than the {MaxBodyBytes(context)} bytes that are taken.");
            if (response.Succeeded() && error == ForwarderError.None)
                return (StatusCodes.Status200OK, "");
            if (response.Succeeded())
                return (BadGateway, $"The answer of function '{function}' [{invocationId}] was lost ({error}).");
            if (!context.RequestAborted.IsCancellationRequested)
                host.Logger.FunctionFailed(function, invocationId, response.Error());
            return (StatusCodes.Status500InternalServerError, $"Function '{function}' failed; the host's log says why [{invocationId}].");
        }
        catch (WorkerGoneException gone)
        {
            return (BadGateway, $"Function '{function}' [{invocationId}]: {gone.Message} Whether it did its work is not known.");
        }
    }

    private static long? MaxBodyBytes(HttpContext context) => context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize;

    private static bool IsTooLarge(Exception? exception) => exception is BadHttpRequestException { StatusCode: TooLarge }
        || (exception is AggregateException many && many.InnerExceptions.Any(IsTooLarge));

    private static bool Failed(Task<InvocationResponse> ended) => !ended.IsCompletedSuccessfully || !ended.Result.Succeeded();

    /// <summary>The request as the worker needs it; an answer that says nothing is held back until the function has ended.</summary>
    private sealed class WorkerRequest(string invocationId, Task<InvocationResponse> invocation) : HttpTransformer
    {
        public override async ValueTask TransformRequestAsync(
            HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            var caller = httpContext.Request;
            proxyRequest.Headers.Host = caller.Host.Value; // links in answers are to be the caller's
            Set("x-ms-invocation-id", invocationId);
            Set("X-Forwarded-Host", caller.Host.Value);
            Set("X-Forwarded-Proto", caller.Scheme);
            Set("X-Forwarded-For", httpContext.Connection.RemoteIpAddress?.ToString());

            void Set(string name, string? value)
            {
                proxyRequest.Headers.Remove(name); // whatever the caller sent
                proxyRequest.Headers.TryAddWithoutValidation(name, value);
            }
        }

        /// <remarks>For a function that throws the worker sends an empty 200, before it says that the function failed.</remarks>
        public override async ValueTask<bool> TransformResponseAsync(
            HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
        {
            if (proxyResponse?.Content.Headers.ContentLength == 0 || proxyResponse?.StatusCode == HttpStatusCode.NoContent)
            {
                await Task.WhenAny(invocation, Task.Delay(Timeout.Infinite, cancellationToken));
                cancellationToken.ThrowIfCancellationRequested();
                if (Failed(invocation))
                    return false; // no copy: the caller of the forwarder answers
            }
            return await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
        }
    }
}
