using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Sdxl.Functions.Trainings;

namespace Sdxl.Functions.Http;

/// <summary>Reads a POST's body; whatever is wrong with it becomes one sentence.</summary>
internal static class RequestBodies
{
    private const int MaxTextBytes = 1 << 20; // a form's text field; files have the form's own limit

    /// <param name="maxBytes">Of all files together.</param>
    /// <param name="field">The input that a body too large is put down to.</param>
    public static async Task<IFormCollection> FormAsync(HttpRequest request, long maxBytes, string field, Func<IntakeException> tooLarge, CancellationToken cancel)
    {
        try
        {
            return await request.ReadFormAsync(new FormOptions { MultipartBodyLengthLimit = maxBytes + MaxTextBytes, ValueLengthLimit = MaxTextBytes }, cancel);
        }
        catch (InvalidDataException e) when (e.Message.Contains("limit", StringComparison.OrdinalIgnoreCase))
        {
            throw tooLarge();
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            throw tooLarge();
        }
        catch (InvalidDataException e)
        {
            throw new IntakeException([new IntakeProblem(field, $"The multipart body cannot be read: {e.Message}", 400)]);
        }
    }

    /// <param name="expected">What to send, for the message.</param>
    public static async Task<JsonObject> JsonAsync(HttpRequest request, string field, string expected, Func<IntakeException> tooLarge, CancellationToken cancel)
    {
        try
        {
            return await JsonNode.ParseAsync(request.Body, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }, cancellationToken: cancel) as JsonObject
                ?? throw new JsonException("it is not an object");
        }
        catch (JsonException e)
        {
            throw new IntakeException([new IntakeProblem(field, $"The body is not JSON ({e.Message.TrimEnd('.')}). {expected}", 400)]);
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            throw tooLarge();
        }
    }
}
