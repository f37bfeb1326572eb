using Microsoft.AspNetCore.WebUtilities;

namespace Sdxl.Local.Functions.Http;

/// <summary>What this host answers in a function's place: problem+json (RFC 9457).</summary>
internal static class Problems
{
    /// <summary>Where the answer has begun, the connection is cut instead: half an answer is not to be taken for a whole one.</summary>
    public static async Task AnswerAsync(HttpContext context, int status, string detail)
    {
        var response = context.Response;
        if (response.HasStarted)
        {
            context.Abort();
            return;
        }
        response.Clear(); // what the worker's own answer has left there
        response.StatusCode = status;
        if (status == StatusCodes.Status503ServiceUnavailable)
            response.Headers.RetryAfter = "2";
        if (status == StatusCodes.Status413PayloadTooLarge)
            response.Headers.Connection = "close"; // the rest of the body will not be read: the connection serves nobody else
        var problem = new { title = ReasonPhrases.GetReasonPhrase(status), status, detail };
        // options null: the framework's for answers, which leave quotes as they are
        await response.WriteAsJsonAsync(problem, options: null, contentType: "application/problem+json");
    }
}
