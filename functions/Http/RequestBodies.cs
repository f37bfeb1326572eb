using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Sdxl.Core.Inputs;
using Sdxl.Core.Json;

namespace Sdxl.Functions.Http;

/// <summary>Reads a POST's body; whatever is wrong with it becomes one sentence.</summary>
internal static class RequestBodies
{
    private const int MaxTextBytes = 1 << 20; // a form's text field; files have the form's own limit

    /// <param name="maxBytes">Of each file: the form's limit is one section's.</param>
    /// <param name="field">The input that a body too large is put down to.</param>
    public static async Task<IFormCollection> FormAsync(
        HttpRequest request, long maxBytes, string field, Func<IntakeException> tooLarge, CancellationToken cancel)
    {
        try
        {
            var limits = new FormOptions { MultipartBodyLengthLimit = maxBytes + MaxTextBytes, ValueLengthLimit = MaxTextBytes };
            return await request.ReadFormAsync(limits, cancel);
        }
        // A form's other limits are told as they are.
        catch (InvalidDataException e) when (e.Message.StartsWith("Multipart body length limit", StringComparison.Ordinal))
        {
            throw tooLarge();
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            throw tooLarge();
        }
        // A body that breaks off inside a field is an IOException; one whose connection broke is no fault of the form, and nobody waits.
        catch (Exception e)
            when (e is InvalidDataException || (e is IOException && !request.HttpContext.RequestAborted.IsCancellationRequested))
        {
            throw new IntakeException([new IntakeProblem(
                field,
                $"The form cannot be read: {e.Message.TrimEnd('.')}. Send files as file fields of multipart/form-data; "
                    + $"a text field may have {MaxTextBytes >> 20} MiB.",
                400)]);
        }
    }

    /// <param name="maxBytes">Of the body, which is held in memory.</param>
    /// <param name="expected">What to send, for the message.</param>
    public static async Task<JsonObject> JsonAsync(HttpRequest request, long maxBytes, string field, string expected,
        CancellationToken cancel)
    {
        IntakeException TooLarge() => new([new IntakeProblem(
            field,
            $"The body is larger than the {maxBytes >> 20} MiB that JSON may have. POST files as multipart/form-data, "
                + "or put them into this service's storage and give container/path.",
            413)]);
        if (request.ContentLength > maxBytes)
            throw TooLarge();
        try
        {
            using var body = new MemoryStream();
            await new LimitedStream(request.Body, maxBytes, TooLarge).CopyToAsync(body, cancel);
            return StrictJson.Parse(
                    body.GetBuffer().AsSpan(0, (int)body.Length),
                    new JsonDocumentOptions { AllowDuplicateProperties = false }
                ) as JsonObject
                ?? throw new JsonException("it is not an object");
        }
        catch (JsonException e)
        {
            throw new IntakeException([new IntakeProblem(field, $"The body is not JSON ({e.Message.TrimEnd('.')}). {expected}", 400)]);
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            throw TooLarge();
        }
    }

    /// <inheritdoc cref="BodyNames.RefuseUnknown"/>
    /// <exception cref="IntakeException">Unknown names, as 400.</exception>
    public static IReadOnlyList<string> RefuseUnknownNames(JsonObject body, IReadOnlyList<string> own, IReadOnlyList<InputField> inputs)
    {
        try
        {
            return BodyNames.RefuseUnknown(body, own, inputs);
        }
        catch (InputException e)
        {
            throw new IntakeException([.. e.Problems.Select(problem => new IntakeProblem(problem.Field, problem.Sentence, 400))]);
        }
    }
}
