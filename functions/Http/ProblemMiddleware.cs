using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.Logging;

namespace Sdxl.Functions.Http;

/// <summary>
/// Around every function with an HTTP trigger. What a request brought that cannot be used is answered with its own status and sentences.
/// An exception that none of ours expected is answered with 500 problem+json that names the invocation, under which the log has the
/// exception itself; without this the platform's answer has no body. A caller who has gone is no fault.
/// </summary>
public sealed class ProblemMiddleware(ILogger<ProblemMiddleware> log) : IFunctionsWorkerMiddleware
{
    /// <summary>Response header with the invocation's id, by which the logs find it.</summary>
    public const string InvocationHeader = "x-sdxl-invocation";

    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        if (context.GetHttpContext() is not { } http)
        {
            await next(context);
            return;
        }
        http.Response.Headers[InvocationHeader] = context.InvocationId;
        try
        {
            await next(context);
        }
        catch (IntakeException e) when (!http.Response.HasStarted)
        {
            await Answers.WriteAsync(http.Response, Answers.Problem(e));
        }
        catch (Exception e) when (!http.RequestAborted.IsCancellationRequested && !http.Response.HasStarted)
        {
            log.Unexpected(e, context.FunctionDefinition.Name, context.InvocationId);
            var problem = Answers.Problem(
                StatusCodes.Status500InternalServerError, "Internal error",
                $"{http.Request.Method} {http.Request.Path} failed for a reason that is not yours. Try again in a moment; if it stays so, "
                    + $"the app's log says more under invocation {context.InvocationId}.");
            await Answers.WriteAsync(http.Response, problem);
        }
    }
}
