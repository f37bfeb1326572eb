using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Sdxl.Local.Functions.Http;

/// <summary>
/// Serves HTTP functions: the invocation goes over the worker's stream, the request itself to the worker's own web server, both at once;
/// the worker joins them by the invocation's id.
/// </summary>
internal sealed class HttpFunctions(HostContext host, WorkerSupervisor supervisor, IHttpForwarder forwarder, long maxBodyBytes)
    : IDisposable
{
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(5);

    // Functions may think for as long as they like before and between the parts of an answer.
    private static readonly ForwarderRequestConfig Config = new()
    {
        ActivityTimeout = Timeout.InfiniteTimeSpan,
        Version = HttpVersion.Version11,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        AllowResponseBuffering = false,
    };

    private readonly HttpMessageInvoker client = new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = TimeSpan.FromSeconds(5),
    });

    /// <summary>A worker's HTTP functions. Their routes are read as the worker reads them, which routes each request again.</summary>
    public RequestDelegate RoutesOf(RunningWorker worker, IServiceProvider services)
    {
        var app = new ApplicationBuilder(services);
        app.UseRouting();
        app.UseEndpoints(endpoints =>
        {
            var functions = worker.Functions.Values.Where(function => function.IsTriggeredBy("httpTrigger") && worker.HttpUri is not null);
            foreach (var function in functions)
            {
                try
                {
                    var pattern = $"{host.HostJson.RoutePrefix.Trim('/')}/{function.Trigger.Text("route") ?? function.Name}";
                    var endpoint = endpoints.Map(RoutePatternFactory.Parse(pattern), context => ForwardAsync(context, worker, function));
                    if (function.Trigger.TryGetProperty("methods", out var methods) && methods is { ValueKind: JsonValueKind.Array }
                        && methods.GetArrayLength() > 0)
                        endpoint.WithMetadata(new HttpMethodMetadata(methods.EnumerateArray().Select(method => method.GetString()!)));
                }
                catch (RoutePatternException exception)
                {
                    host.Logger.TriggerNotStarted(
                        function.Name, $"its route '{exception.Pattern}' cannot be read: {exception.Message}");
                }
            }
        });
        return app.Build();
    }

    /// <summary>Answers a request when a worker is there.</summary>
    public async Task ServeAsync(HttpContext context)
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

    public void Dispose() => client.Dispose();

    private async Task ForwardAsync(HttpContext context, RunningWorker worker, FunctionInfo function)
    {
        if (context.Request.ContentLength > maxBodyBytes)
        {
            var tooLarge = $"The body has {context.Request.ContentLength} bytes; at most {maxBodyBytes} are taken.";
            await Problems.AnswerAsync(context, StatusCodes.Status413PayloadTooLarge, tooLarge);
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
        var error = await forwarder.SendAsync(context, worker.HttpUri!.ToString(), client, Config, transform, dropRequest.Token);
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
            return (StatusCodes.Status502BadGateway, $"Function '{function}' [{invocationId}] gives no answer ({error}).");
        try
        {
            var response = await invocation;
            if (IsTooLarge(context.Features.Get<IForwarderErrorFeature>()?.Exception))
                return (StatusCodes.Status413PayloadTooLarge, $"The body has more than the {maxBodyBytes} bytes that are taken.");
            if (response.Succeeded())
                return error == ForwarderError.None ? (StatusCodes.Status200OK, "")
                    : (StatusCodes.Status502BadGateway, $"The answer of function '{function}' [{invocationId}] was lost ({error}).");
            if (!context.RequestAborted.IsCancellationRequested)
                host.Logger.FunctionFailed(function, invocationId, response.Error());
            return (StatusCodes.Status500InternalServerError, $"Function '{function}' failed; the host's log says why [{invocationId}].");
        }
        catch (WorkerGoneException exception)
        {
            var detail = $"Function '{function}' [{invocationId}]: {exception.Message} Whether it did its work is not known.";
            return (StatusCodes.Status502BadGateway, detail);
        }
    }

    private static bool IsTooLarge(Exception? exception) => exception switch
    {
        AggregateException many => many.InnerExceptions.Any(IsTooLarge),
        BadHttpRequestException bad => bad.StatusCode == StatusCodes.Status413PayloadTooLarge,
        _ => false,
    };

    private static bool Failed(Task<InvocationResponse> ended) => !ended.IsCompletedSuccessfully || !ended.Result.Succeeded();

    /// <summary>The request as the worker needs it; an answer that says nothing is held back until the function has ended.</summary>
    private sealed class WorkerRequest(string invocationId, Task<InvocationResponse> invocation) : HttpTransformer
    {
        public override async ValueTask TransformRequestAsync(
            HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            var request = httpContext.Request;
            proxyRequest.Headers.Host = request.Host.Value; // links in answers are to be the caller's
            foreach (var (name, value) in new[]
            {
                ("x-ms-invocation-id", invocationId), ("X-Forwarded-Host", request.Host.Value), ("X-Forwarded-Proto", request.Scheme),
                ("X-Forwarded-For", httpContext.Connection.RemoteIpAddress?.ToString()),
            })
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
