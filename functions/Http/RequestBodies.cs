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

    /// <param name="maxBytes">Of each file: the form's limit is one section's.</param>
    /// <param name="field">The input that a body too large is put down to.</param>
    public static async Task<IFormCollection> FormAsync(HttpRequest request, long maxBytes, string field, Func<IntakeException> tooLarge, CancellationToken cancel)
    {
        try
        {
            return await request.ReadFormAsync(new FormOptions { MultipartBodyLengthLimit = maxBytes + MaxTextBytes, ValueLengthLimit = MaxTextBytes }, cancel);
        }
        catch (InvalidDataException e) when (e.Message.StartsWith("Multipart body length limit", StringComparison.Ordinal)) // a form's other limits are told as they are
        {
            throw tooLarge();
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            throw tooLarge();
        }
        catch (InvalidDataException e)
        {
            throw new IntakeException([new IntakeProblem(field, $"The form cannot be read: {e.Message.TrimEnd('.')}. Send files as file fields of multipart/form-data; a text field may have {MaxTextBytes >> 20} MiB.", 400)]);
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
