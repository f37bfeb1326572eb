using System.Text.Json;
using System.Text.Json.Nodes;
using Azure;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Trainings;

/// <summary>What a POST brought: the archive in a file that disappears with it, and the inputs as given.</summary>
public sealed record ReceivedArchive(Stream Archive, string ArchiveName, JsonObject Given, string? Name, string? Owner, string? Base) : IDisposable
{
    public void Dispose() => Archive.Dispose();
}

/// <summary>Reads a training's POST: multipart or JSON.</summary>
public sealed class ArchiveReceiver(BlobStore blobs, IOptions<SdxlOptions> options)
{
    private const string ArchiveField = "input_images";

    /// <exception cref="IntakeException">The body is not what it should be, or too large.</exception>
    public async Task<ReceivedArchive> ReceiveAsync(HttpRequest request, CancellationToken cancel)
    {
        var given = new JsonObject();
        Stream archive;
        string archiveName;
        if (request.HasFormContentType)
        {
            var form = await ReadFormAsync(request, cancel);
            foreach (var (key, values) in form.Where(pair => pair.Key != ArchiveField))
                given[key] = values.ToString();
            var file = form.Files.GetFile(ArchiveField) ?? (form.Files.Count == 1 ? form.Files[0] : null);
            if (file is not null)
                (archive, archiveName) = (await KeepAsync(file.OpenReadStream(), cancel), file.FileName);
            else if (form.TryGetValue(ArchiveField, out var link) && link.Count > 0)
                (archive, archiveName) = await FetchAsync(link.ToString(), cancel);
            else
                throw Refuse(422, "The form has no archive. Send the zip or tar as the file field 'input_images'.");
        }
        else
        {
            var body = await ReadJsonAsync(request, cancel);
            given = body["input"] as JsonObject ?? throw Refuse(422, "The body has no object 'input'. Send {\"input\": {\"input_images\": \"https://…\"}, \"name\": \"my-model\"}.");
            foreach (var key in new[] { "name", "owner", "base" })
                given[key] ??= body[key]?.DeepClone();
            if (given[ArchiveField] is not JsonValue link || link.GetValueKind() != JsonValueKind.String)
                throw Refuse(422, "Input 'input_images' must be the URL of a zip or tar in this service's storage. To send the archive itself, POST it as multipart/form-data.");
            (archive, archiveName) = await FetchAsync(link.GetValue<string>(), cancel);
        }
        given.Remove(ArchiveField);
        var (name, owner, baseName) = (Take(given, "name"), Take(given, "owner"), Take(given, "base"));
        return new ReceivedArchive(archive, Path.GetFileName(archiveName.Replace('\\', '/')) is { Length: > 0 } n ? n : "archive", given, name, owner, baseName);
    }

    private async Task<IFormCollection> ReadFormAsync(HttpRequest request, CancellationToken cancel)
    {
        try
        {
            return await request.ReadFormAsync(new FormOptions { MultipartBodyLengthLimit = options.Value.MaxArchiveBytes + (1 << 20), ValueLengthLimit = 1 << 20 }, cancel);
        }
        catch (InvalidDataException e) when (e.Message.Contains("limit", StringComparison.OrdinalIgnoreCase))
        {
            throw TooLarge();
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            throw TooLarge();
        }
        catch (InvalidDataException e)
        {
            throw Refuse(400, $"The multipart body cannot be read: {e.Message}");
        }
    }

    private static async Task<JsonObject> ReadJsonAsync(HttpRequest request, CancellationToken cancel)
    {
        try
        {
            return await JsonNode.ParseAsync(request.Body, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }, cancellationToken: cancel) as JsonObject ?? throw new JsonException("it is not an object");
        }
        catch (JsonException e)
        {
            throw Refuse(400, $"The body is not JSON ({e.Message.TrimEnd('.')}). Send JSON, or the archive as multipart/form-data with the file field 'input_images'.");
        }
    }

    /// <summary>Archives are read from this service's own storage only: fetching any URL a caller names would let him look around inside the network.</summary>
    private async Task<(Stream, string)> FetchAsync(string link, CancellationToken cancel)
    {
        if (link.StartsWith("data:", StringComparison.Ordinal) && link.IndexOf(";base64,", StringComparison.Ordinal) is > 0 and var comma)
            return (new MemoryStream(DecodeBase64(link[(comma + ";base64,".Length)..])), "archive");
        var root = blobs.Endpoint.AbsoluteUri.TrimEnd('/') + "/";
        var path = link.StartsWith(root, StringComparison.OrdinalIgnoreCase) ? Uri.UnescapeDataString(link[root.Length..].Split('?')[0]) : link.Contains("://", StringComparison.Ordinal) ? null : link.TrimStart('/');
        if (path is null || !path.Contains('/'))
            throw Refuse(422, $"Input 'input_images' is {Shown(link)}, which is not in this service's storage ({root}). Upload the archive there, or POST it as multipart/form-data.");
        var blob = await blobs.BlobAsync(path);
        try
        {
            if ((await blob.GetPropertiesAsync(cancellationToken: cancel)).Value.ContentLength > options.Value.MaxArchiveBytes)
                throw TooLarge();
            return (await KeepAsync(await blob.OpenReadAsync(cancellationToken: cancel), cancel), path);
        }
        catch (RequestFailedException e) when (e.Status is 404 or 400)
        {
            throw Refuse(422, $"Input 'input_images' is {Shown(link)}: there is no such blob. Upload the archive first.");
        }
    }

    private async Task<Stream> KeepAsync(Stream content, CancellationToken cancel)
    {
        await using (content)
        {
            var file = await SpoolFile.MakeAsync(target => content.CopyToAsync(target, cancel));
            if (file.Length > options.Value.MaxArchiveBytes)
            {
                await file.DisposeAsync();
                throw TooLarge();
            }
            return file;
        }
    }

    private static byte[] DecodeBase64(string text)
    {
        try
        {
            return Convert.FromBase64String(text);
        }
        catch (FormatException)
        {
            throw Refuse(400, "Input 'input_images' is a data URI whose base64 text is broken. Encode the archive again, or POST it as multipart/form-data.");
        }
    }

    // Query strings may hold access signatures: never repeated.
    private static string Shown(string link) => $"'{(link.Length > 80 ? link[..77] + "…" : link).Split('?')[0]}'";

    private static string? Take(JsonObject given, string key)
    {
        var value = given[key] is JsonValue v ? v.ToString() : null;
        given.Remove(key);
        return string.IsNullOrWhiteSpace(value) ? null : value;
    }

    private IntakeException TooLarge() => Refuse(413, $"The archive is larger than {options.Value.MaxArchiveBytes >> 20} MiB. Leave pictures out or shrink them.");

    private static IntakeException Refuse(int status, string sentence) => new([new IntakeProblem("input_images", sentence, status)]);
}
