using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Http;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Trainings;

/// <summary>What a POST brought: the archive in a file that disappears with it, and the inputs as given.</summary>
/// <param name="Warnings">What of the request has no effect, one sentence each.</param>
public sealed record ReceivedArchive(
    Stream Archive, string ArchiveName, JsonObject Given, string? Name, string? Owner, string? Base, IReadOnlyList<string> Warnings)
        : IDisposable
{
    public void Dispose() => Archive.Dispose();
}

/// <summary>Reads a training's POST: multipart or JSON.</summary>
public sealed class ArchiveReceiver(BlobStore blobs, InputFiles files, IOptions<SdxlOptions> options)
{
    private const string ArchiveField = "input_images";
    private static readonly string[] s_names = ["input", "name", "owner", "base", "destination"];

    /// <exception cref="IntakeException">The body is not what it should be, or too large.</exception>
    public async Task<ReceivedArchive> ReceiveAsync(HttpRequest request, CancellationToken cancel)
    {
        var given = new JsonObject();
        IReadOnlyList<string> warnings = [];
        Stream archive;
        string archiveName;
        if (request.HasFormContentType)
        {
            var form = await RequestBodies.FormAsync(request, options.Value.MaxArchiveBytes, ArchiveField, TooLarge, cancel);
            foreach (var (key, values) in form.Where(pair => pair.Key != ArchiveField))
                given[key] = values.ToString();
            var file = form.Files.GetFile(ArchiveField) ?? (form.Files.Count == 1 ? form.Files[0] : null);
            if (file is not null)
            {
                var kept = await files.KeepAsync(ArchiveField, file.FileName, file.OpenReadStream(), cancel);
                (archive, archiveName) = (kept.Content!, file.FileName);
            }
            else if (form.TryGetValue(ArchiveField, out var link) && link.Count > 0)
                (archive, archiveName) = await FetchAsync(link.ToString(), request, cancel);
            else
                throw Refuse(422, "The form has no archive. Send the zip or tar as the file field 'input_images'.");
        }
        else
        {
            var body = await RequestBodies.JsonAsync(
                request, options.Value.MaxJsonBytes, ArchiveField,
                    "Send JSON, or the archive as multipart/form-data with the file field 'input_images'.", cancel);
            warnings = RequestBodies.RefuseUnknownNames(body, s_names, TrainingInputs.Fields);
            given = body["input"] as JsonObject ?? throw Refuse(
                422, "The body has no object 'input'. Send {\"input\": {\"input_images\": \"https://…\"}, \"name\": \"my-model\"}.");
            foreach (var key in new[] { "name", "owner", "base" })
                given[key] ??= body[key]?.DeepClone();
            // Replicate's way to say owner/name; ours come before it.
            if (body["destination"]?.ToString().Split('/') is [.. var owners, var wanted] && wanted.Length > 0)
            {
                given["name"] ??= wanted;
                given["owner"] ??= owners is [{ Length: > 0 } wantedOwner] ? wantedOwner : null;
            }
            if (given[ArchiveField] is not JsonValue link || link.GetValueKind() != JsonValueKind.String)
                throw Refuse(422, "Input 'input_images' must be a text: the address of a zip or tar, or container/path of one in this "
                    + "service's storage. To send the archive itself, POST it as multipart/form-data.");
            (archive, archiveName) = await FetchAsync(link.GetValue<string>(), request, cancel);
        }
        given.Remove(ArchiveField);
        var (name, owner, baseName) = (Take(given, "name"), Take(given, "owner"), Take(given, "base"));
        return new ReceivedArchive(archive, Path.GetFileName(archiveName.Replace('\\', '/')) is { Length: > 0 } n ? n : "archive", given,
            name, owner, baseName, warnings);
    }

    private async Task<(Stream, string)> FetchAsync(string link, HttpRequest request, CancellationToken cancel)
    {
        var file = await files.OpenAsync(ArchiveField, link, request, cancel);
        if (file.Blob is null)
            return (file.Content!, file.Name == ArchiveField ? "archive" : file.Name);
        var blob = await blobs.BlobAsync(file.Blob);
        if ((await blob.GetPropertiesAsync(cancellationToken: cancel)).Value.ContentLength > options.Value.MaxArchiveBytes)
            throw TooLarge();
        var kept = await files.KeepAsync(ArchiveField, file.Name, await blob.OpenReadAsync(cancellationToken: cancel), cancel);
        return (kept.Content!, file.Blob);
    }

    private static string? Take(JsonObject given, string key)
    {
        var value = given[key] is JsonValue v ? v.ToString() : null;
        given.Remove(key);
        return string.IsNullOrWhiteSpace(value) ? null : value;
    }

    private IntakeException TooLarge() => files.TooLarge(ArchiveField);

    private static IntakeException Refuse(int status, string sentence) => new([new IntakeProblem("input_images", sentence, status)]);
}
