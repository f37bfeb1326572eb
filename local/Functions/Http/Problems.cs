using Microsoft.AspNetCore.WebUtilities;

namespace Sdxl.Local.Functions.Http;

/// <summary>What this host answers in a function's place: problem+json (RFC 9457).</summary>
internal static class Problems
{
    /// <summary>
    /// Nothing where the answer has begun already: then the connection is cut, so that half an answer is not taken for a whole one.
    /// </summary>
    public static async Task AnswerAsync(HttpContext context, int status, string detail)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }
        context.Response.Clear(); // what the worker's own answer has left there
        context.Response.StatusCode = status;
        if (status == StatusCodes.Status503ServiceUnavailable)
            context.Response.Headers.RetryAfter = "2";
        if (status == StatusCodes.Status413PayloadTooLarge)
            context.Response.Headers.Connection = "close"; // the rest of the body will not be read: the connection serves nobody else
        await context.Response.WriteAsJsonAsync(
            new { title = ReasonPhrases.GetReasonPhrase(status), status, detail },
            options: null, // the framework's for answers, which leave quotes as they are
            contentType: "application/problem+json");
    }
}
