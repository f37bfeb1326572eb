using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Sdxl.Core.Json;

namespace Sdxl.Functions.Http;

/// <summary>HTTP answers: snake_case JSON, and problem+json (RFC 9457) whose "detail" is one string with every problem in it.</summary>
public static class Answers
{
    public static ContentResult Json<T>(T value, int status = StatusCodes.Status200OK) =>
        new() { Content = SdxlJson.Serialize(value), ContentType = "application/json; charset=utf-8", StatusCode = status };

    /// <summary>With an ETag of its text: who has it already is answered 304.</summary>
    public static IActionResult Tagged<T>(HttpRequest request, T value) =>
        Tagged(request, SdxlJson.Serialize(value), "application/json; charset=utf-8");

    /// <inheritdoc cref="Tagged{T}"/>
    public static IActionResult Tagged(HttpRequest request, string text, string type)
    {
        var tag = $"\"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16))}\"";
        request.HttpContext.Response.Headers.ETag = tag;
        request.HttpContext.Response.Headers.CacheControl = "private, no-cache";
        return request.Headers.IfNoneMatch
            .SelectMany(tags => (tags ?? "").Split(',', StringSplitOptions.TrimEntries)).Any(known => known == tag || known == $"W/{tag}")
            ? new StatusCodeResult(StatusCodes.Status304NotModified)
            : new ContentResult { Content = text, ContentType = type, StatusCode = StatusCodes.Status200OK };
    }

    /// <param name="invalidFields">Sentence by field, for programs; the detail says the same in one string.</param>
    public static ContentResult Problem(
        int status, string title, string detail, IReadOnlyList<IntakeProblem>? invalidFields = null) => new()
    {
        Content = SdxlJson.Serialize(new ProblemBody(
            title, status, detail, [.. (invalidFields ?? []).Select(p => new InvalidField(p.Field, p.Sentence))])),
        ContentType = "application/problem+json; charset=utf-8",
        StatusCode = status,
    };

    public static ContentResult Problem(IntakeException e) => Problem(
        e.Problems.Max(p => p.Status),
        e.Problems.Any(p => p.Field == "input_images") ? "Archive refused" : "Input refused",
        e.Message, e.Problems);

    /// <summary>One of the product's own pages, self-contained: whatever stands in it, the browser runs no script, loads nothing from
    /// elsewhere and sends nothing anywhere.</summary>
    public static FileStreamResult Page(HttpRequest request, Stream html)
    {
        var headers = request.HttpContext.Response.Headers;
        headers.ContentSecurityPolicy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
            + "form-action 'none'; frame-ancestors 'none'";
        headers.XContentTypeOptions = "nosniff";
        return new FileStreamResult(html, "text/html; charset=utf-8");
    }

    public static ContentResult NotFound(string what) => Problem(StatusCodes.Status404NotFound, "Not found", what);

    /// <summary>From a middleware, which returns no result.</summary>
    public static Task WriteAsync(HttpResponse response, ContentResult answer)
    {
        response.StatusCode = answer.StatusCode!.Value;
        response.ContentType = answer.ContentType;
        return response.WriteAsync(answer.Content!, CancellationToken.None);
    }

    private sealed record ProblemBody(string Title, int Status, string Detail, IReadOnlyList<InvalidField> InvalidFields);

    private sealed record InvalidField(string Field, string Detail);
}
