using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Sdxl.Core.Events;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Events;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Http;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Trainings;

/// <summary>What a POST brought: the archive in a file that disappears with it, or the data set of another training, and the inputs as
/// given.</summary>
/// <param name="Archive">null where <paramref name="Data"/> is given.</param>
/// <param name="Data">Id of the training or check whose data set is taken.</param>
/// <param name="From">The version that it is to go on from, as said; null: not said.</param>
/// <param name="Destination">owner/name or name, as said; null: not said.</param>
/// <param name="Warnings">What of the request has no effect, one sentence each.</param>
public sealed record ReceivedArchive(
    Stream? Archive, string ArchiveName, string? Data, string? From, JsonObject Given, string? Destination, string? Base,
    WebhookRequest? Webhook, IReadOnlyList<string> Warnings) : IDisposable
{
    public void Dispose() => Archive?.Dispose();
}

/// <summary>Reads a training's POST: multipart or JSON.</summary>
public sealed class ArchiveReceiver(BlobStore blobs, InputFiles files, IOptions<SdxlOptions> options)
{
    private const string ArchiveField = "input_images";
    private const string Webhook = "webhook", Filter = "webhook_events_filter";
    private static readonly string[] s_names =
        ["input", "name", "owner", "base", "destination", "check", "from", "version", Webhook, Filter, "webhook_completed"];

    /// <param name="from">The version to go on from, over what the body says; null: the body may say it.</param>
    /// <exception cref="IntakeException">The body is not what it should be, or too large.</exception>
    public async Task<ReceivedArchive> ReceiveAsync(HttpRequest request, string? from, CancellationToken cancel)
    {
        if (request.HasFormContentType)
            return await FormAsync(request, from, cancel);
        var body = await RequestBodies.JsonAsync(
            request, options.Value.MaxJsonBytes, ArchiveField,
            "Send JSON, or the archive as multipart/form-data with the file field 'input_images'.", cancel);
        var warnings = RequestBodies.RefuseUnknownNames(body, s_names, TrainingInputs.Fields);
        var data = Text(body, "check");
        var input = body["input"] as JsonObject;
        from ??= Text(body, "from") ?? Text(input ?? [], "from");
        if (input is null && (data is null && from is null || body["input"] is not null))
        {
            throw Refuse(
                422, "The body has no object 'input'. Send {\"input\": {\"input_images\": \"https://…\"}, \"name\": \"my-model\"}.");
        }
        var given = input?.DeepClone().AsObject() ?? [];
        // Ours may stand beside the inputs or among them; Replicate's way to say owner/name is 'destination'.
        var owner = Text(body, "owner") ?? Take(given, "owner");
        var name = Text(body, "name") ?? Take(given, "name");
        var baseName = Text(body, "base") ?? Take(given, "base");
        var destination = name is null ? Text(body, "destination") : owner is null ? name : $"{owner}/{name}";
        // What goes on from a version may be of the version's own pictures, which are there.
        var hasNoArchive = data is not null || from is not null && given[ArchiveField] is null;
        var (archive, archiveName) = hasNoArchive ? (null, "archive") : await LinkedAsync(given[ArchiveField], request, cancel);
        given.Remove(ArchiveField);
        given.Remove("from");
        return new ReceivedArchive(
            archive, Plain(archiveName), data, from, given, destination, baseName, WebhookFields.Read(body), warnings);
    }

    private async Task<ReceivedArchive> FormAsync(HttpRequest request, string? from, CancellationToken cancel)
    {
        var form = await RequestBodies.FormAsync(request, options.Value.MaxArchiveBytes, ArchiveField, TooLarge, cancel);
        var given = new JsonObject();
        foreach (var (key, values) in form.Where(pair => pair.Key is not (ArchiveField or Filter)))
            given[key] = values.ToString();
        var (owner, name, destination) = (Take(given, "owner"), Take(given, "name"), Take(given, "destination"));
        var (baseName, data, said) = (Take(given, "base"), Take(given, "check"), Take(given, "from"));
        from ??= said;
        var webhook = new JsonObject { [Webhook] = Take(given, Webhook) };
        if (form[Filter] is { Count: > 0 } words)
            webhook[Filter] = new JsonArray([.. words.Select(word => (JsonNode?)word)]);
        destination = name is null ? destination : owner is null ? name : $"{owner}/{name}";
        var file = form.Files.GetFile(ArchiveField) ?? (form.Files.Count == 1 ? form.Files[0] : null);
        Stream? archive = null;
        var archiveName = "archive";
        if (file is not null)
        {
            var kept = await files.KeepAsync(ArchiveField, file.FileName, file.OpenReadStream(), cancel);
            (archive, archiveName) = (kept.Content!, file.FileName);
        }
        else if (form.TryGetValue(ArchiveField, out var link) && link.Count > 0)
            (archive, archiveName) = await FetchAsync(link.ToString(), request, cancel);
        else if (data is null && from is null)
            throw Refuse(422, "The form has no archive. Send the zip or tar as the file field 'input_images'.");
        return new ReceivedArchive(
            archive, Plain(archiveName), archive is null ? data : null, from, given, destination, baseName, WebhookFields.Read(webhook),
            []);
    }

    /// <summary>Replicate's JavaScript turns a file in a training's input into {"type":"Buffer",…} or {}.</summary>
    private Task<(Stream?, string)> LinkedAsync(JsonNode? link, HttpRequest request, CancellationToken cancel) =>
        link is JsonValue text && text.GetValueKind() == JsonValueKind.String
            ? FetchAsync(text.GetValue<string>(), request, cancel)
            : throw Refuse(422, "Input 'input_images' must be a text: the address of a zip or tar, the url of a file sent to v1/files "
                + "(files.create in Replicate's clients gives it as urls.get), or container/path of one in this service's storage. To send "
                + "the archive itself, POST it as multipart/form-data.");

    private async Task<(Stream?, string)> FetchAsync(string link, HttpRequest request, CancellationToken cancel)
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

    private static string Plain(string name) => Path.GetFileName(name.Replace('\\', '/')) is { Length: > 0 } n ? n : "archive";

    private static string? Text(JsonObject body, string key) =>
        body[key] is JsonValue value && value.ToString() is { } text && !string.IsNullOrWhiteSpace(text) ? text : null;

    private static string? Take(JsonObject given, string key)
    {
        var text = Text(given, key);
        given.Remove(key);
        return text;
    }

    private IntakeException TooLarge() => files.TooLarge(ArchiveField);

    private static IntakeException Refuse(int status, string sentence) => new([new IntakeProblem(ArchiveField, sentence, status)]);
}
