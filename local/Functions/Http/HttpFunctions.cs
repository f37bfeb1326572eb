namespace Sdxl.Local.Functions.Http;

/// <summary>
/// Serves HTTP functions: the invocation goes over the worker's stream, the request itself to the worker's own web server, both at once;
/// the worker joins them by the invocation's id.
/// </summary>
internal sealed class HttpFunctions(
    WorkerSupervisor supervisor, FunctionInvoker invoker, IHttpForwarder forwarder, long maxBodyBytes, ILogger logger) : IDisposable
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

    /// <summary>Holds requests back until the routes are known; to be used before routing.</summary>
    public async Task WaitForRoutesAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await supervisor.GetAsync(context.RequestAborted);
        }
        catch (WorkerUnavailableException exception)
        {
            await Problems.AnswerAsync(context, StatusCodes.Status503ServiceUnavailable, exception.Message);
            return;
        }
        catch (OperationCanceledException)
        {
            return; // the caller has left
        }
        await next(context);
    }

    public async Task ServeAsync(HttpContext context, string functionName)
    {
        if (context.Request.ContentLength > maxBodyBytes)
        {
            await Problems.AnswerAsync(
                context, StatusCodes.Status413PayloadTooLarge,
                $"The body has {context.Request.ContentLength} bytes; at most {maxBodyBytes} are taken.");
            return;
        }
        try
        {
            var worker = await supervisor.GetAsync(context.RequestAborted);
            if (worker.HttpUri is { } address && worker.Functions.TryGetValue(functionName, out var function))
                await ServeAsync(context, worker, address, function);
            else
                await Problems.AnswerAsync(
                    context, StatusCodes.Status404NotFound, $"The app has no HTTP function '{functionName}' any more.");
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

    private async Task ServeAsync(HttpContext context, RunningWorker worker, Uri address, FunctionInfo function)
    {
        var invocationId = FunctionInvoker.NewInvocationId();
        using var dropInvocation = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        var dropRequest = new CancellationTokenSource(); // has nothing to dispose of, and may be cancelled after we are done
        var metadata = context.GetRouteData().Values.Where(value => value.Value is not null)
            .ToDictionary(value => value.Key, value => Typed.Text(value.Value!.ToString()!));
        var invocation = invoker.InvokeAsync(
            worker, function, invocationId, new TypedData { Http = new RpcHttp() }, metadata, dropInvocation.Token);
        // A function that fails before the two halves met leaves the request's half waiting for five seconds.
        _ = invocation.ContinueWith(
            ended => Failed(ended) && !context.Response.HasStarted ? dropRequest.CancelAsync() : Task.CompletedTask,
            TaskScheduler.Default).Unwrap();

        var error = await forwarder.SendAsync(
            context, address.ToString(), client, Config, new WorkerRequest(invocationId, invocation), dropRequest.Token);
        if (error != ForwarderError.None && !invocation.IsCompleted)
        {
            var worth = context.RequestAborted.IsCancellationRequested ? Timeout.InfiniteTimeSpan : AnswerPatience;
            await dropInvocation.CancelAsync();
            await Task.WhenAny(invocation, worker.Gone, Task.Delay(worth));
        }
        if (error == ForwarderError.None || invocation.IsCompleted || worker.Gone.IsCompleted)
            await ConcludeAsync(context, function, invocationId, invocation, error);
        else
            await Problems.AnswerAsync(
                context, StatusCodes.Status502BadGateway, $"Function '{function.Name}' [{invocationId}] gives no answer ({error}).");
    }

    /// <summary>The function's end decides: an answer that the worker sent for a function that failed is not an answer.</summary>
    private async Task ConcludeAsync(
        HttpContext context, FunctionInfo function, string invocationId, Task<InvocationResponse> invocation, ForwarderError error)
    {
        try
        {
            var response = await invocation;
            if (context.RequestAborted.IsCancellationRequested)
                return;
            if (IsTooLarge(context.Features.Get<IForwarderErrorFeature>()?.Exception))
            {
                await Problems.AnswerAsync(
                    context, StatusCodes.Status413PayloadTooLarge, $"The body has more than the {maxBodyBytes} bytes that are taken.");
            }
            else if (!response.Succeeded())
            {
                logger.FunctionFailed(function.Name, invocationId, response.Error());
                await Problems.AnswerAsync(
                    context, StatusCodes.Status500InternalServerError,
                    $"Function '{function.Name}' failed; the host's log says why [{invocationId}].");
            }
            else if (error != ForwarderError.None)
            {
                await Problems.AnswerAsync(
                    context, StatusCodes.Status502BadGateway,
                    $"The answer of function '{function.Name}' [{invocationId}] was lost ({error}).");
            }
        }
        catch (WorkerGoneException exception)
        {
            await Problems.AnswerAsync(
                context, StatusCodes.Status502BadGateway,
                $"Function '{function.Name}' [{invocationId}]: {exception.Message} Whether it did its work is not known.");
        }
    }

    private static bool IsTooLarge(Exception? exception) => exception switch
    {
        AggregateException many => many.InnerExceptions.Any(IsTooLarge),
        BadHttpRequestException bad => bad.StatusCode == StatusCodes.Status413PayloadTooLarge,
        _ => false,
    };

    private static bool Failed(Task<InvocationResponse> ended) => !ended.IsCompletedSuccessfully || !ended.Result.Succeeded();

    /// <summary>
    /// The request as the worker needs it; and the worker's answer held back until the function has ended, where that answer says nothing.
    /// </summary>
    private sealed class WorkerRequest(string invocationId, Task<InvocationResponse> invocation) : HttpTransformer
    {
        private const string InvocationHeader = "x-ms-invocation-id";

        public override async ValueTask TransformRequestAsync(
            HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            var request = httpContext.Request;
            proxyRequest.Headers.Host = request.Host.Value; // links in answers are to be the caller's
            Set(InvocationHeader, invocationId); // over whatever the caller sent
            Set("X-Forwarded-Host", request.Host.Value ?? "");
            Set("X-Forwarded-Proto", request.Scheme);
            if (httpContext.Connection.RemoteIpAddress is { } caller)
                Set("X-Forwarded-For", caller.ToString());

            void Set(string name, string value)
            {
                proxyRequest.Headers.Remove(name);
                proxyRequest.Headers.TryAddWithoutValidation(name, value);
            }
        }

        /// <remarks>For a function that throws the worker sends an empty 200, before it says that the function failed.</remarks>
        public override async ValueTask<bool> TransformResponseAsync(
            HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
        {
            var isEmpty = proxyResponse?.Content.Headers.ContentLength == 0 || proxyResponse?.StatusCode == HttpStatusCode.NoContent;
            if (isEmpty && Failed(await Wait(cancellationToken)))
                return false; // no copy: the caller of the forwarder answers
            return await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
        }

        private async Task<Task<InvocationResponse>> Wait(CancellationToken cancel)
        {
            await Task.WhenAny(invocation, Task.Delay(Timeout.Infinite, cancel));
            cancel.ThrowIfCancellationRequested();
            return invocation;
        }
    }
}
