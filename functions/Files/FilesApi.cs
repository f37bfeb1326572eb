using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;
using Sdxl.Core.Json;
using Sdxl.Core.Storage;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Http;
using Sdxl.Functions.Retention;

namespace Sdxl.Functions.Files;

/// <summary>A file as Replicate's clients know it. Their Go client reads texts alone in checksums and metadata.</summary>
public sealed record FileView(
    string Id, string Name, string ContentType, long Size, string Etag, IReadOnlyDictionary<string, string> Checksums,
    IReadOnlyDictionary<string, string> Metadata, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt,
    IReadOnlyDictionary<string, string> Urls);

/// <summary>Files over HTTP: POST multipart (content, metadata), list, metadata by id, bytes, delete.</summary>
public sealed class FilesApi(
    FileStore files, InputFiles inputs, BlobAnswers answers, Deletion deletion, Paging paging, Addresses addresses,
    IOptions<SdxlOptions> options)
{
    private const string Content = "content";

    [Function("CreateFile")]
    [Operation("Sends a file.", Gives = typeof(FileView), Status = 201, Body = ApiBodies.File)]
    public async Task<IActionResult> Create(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/files")] HttpRequest request, CancellationToken cancel)
    {
        if (!request.HasFormContentType)
            throw Refuse(Content, 422, "Send the file as multipart/form-data, in the part 'content'.");
        var form = await RequestBodies.FormAsync(request, options.Value.MaxArchiveBytes, Content, () => inputs.TooLarge(Content), cancel);
        var file = form.Files.GetFile(Content) ?? throw Refuse(Content, 422, "The form has no file part 'content'.");
        using var kept = await inputs.KeepAsync(Content, file.FileName, file.OpenReadStream(), cancel);
        var name = form["filename"].ToString() is { Length: > 0 } said ? said : kept.Name;
        var type = form["type"].ToString() is { Length: > 0 } told ? told
            : file.ContentType is { Length: > 0 } sent ? sent : "application/octet-stream";
        var record = await files.CreateAsync(
            request.Owner(), name, type, await MetadataAsync(form, cancel), kept.Content!, cancel);
        request.HttpContext.Response.Headers.Location = addresses.Of(request, $"v1/files/{record.Id}");
        return Answers.Json(View(record, request), StatusCodes.Status201Created);
    }

    [Function("ListFiles")]
    [Operation("Your files, newest first.", Gives = typeof(Page<FileView>), Query = "cursor,limit")]
    public async Task<IActionResult> List(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/files")] HttpRequest request, CancellationToken cancel)
    {
        var wanted = Paging.Of(request);
        var (found, next) = await files.ListAsync(request.Owner(), wanted.Cursor, wanted.Size, cancel);
        return Answers.Json(paging.Page(request, [.. found.Select(file => View(file, request))], next));
    }

    /// <summary>What is known of the file; not its bytes.</summary>
    [Function("GetFile")]
    [Operation("What is known of a file; not its bytes.", Gives = typeof(FileView))]
    public async Task<IActionResult> Get(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "v1/files/{id}")] HttpRequest request, string id,
        CancellationToken cancel) =>
        await files.FindAsync(request.Owner(), id, cancel) is { } file ? Answers.Json(View(file, request)) : NoFile(id);

    [Function("DownloadFile")]
    [Operation("A file's bytes.", Media = "application/octet-stream")]
    public async Task<IActionResult> Download(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "v1/files/{id}/download")] HttpRequest request, string id,
        CancellationToken cancel) =>
        await files.FindAsync(request.Owner(), id, cancel) is { } file
            ? await answers.ServeAsync(request, StorageLayout.Files, StorageLayout.File(file.Owner, file.Id), $"There is no file '{id}'.",
                cancel, "application/octet-stream", file.Name)
            : NoFile(id);

    [Function("DeleteFile")]
    [Operation("Removes a file.", Status = 204)]
    public async Task<IActionResult> Delete(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/files/{id}")] HttpRequest request, string id,
        CancellationToken cancel)
    {
        if (await files.FindAsync(request.Owner(), id, cancel) is not { } file)
            return NoFile(id);
        await deletion.FileAsync(file.Owner, file.Id, cancel);
        return new NoContentResult();
    }

    private FileView View(FileRecord file, HttpRequest request) => new(
        file.Id, file.Name, file.ContentType, file.Size, file.Md5,
        new Dictionary<string, string> { ["sha256"] = file.Sha256, ["md5"] = file.Md5 }, file.Metadata, file.CreatedAt, file.ExpiresAt,
        new Dictionary<string, string> { ["get"] = addresses.Of(request, $"v1/files/{file.Id}") });

    private static ContentResult NoFile(string id) => Answers.NotFound($"There is no file '{id}'.");

    /// <summary>A text field, or a part that looks like a file, as Replicate's JavaScript sends it; or nothing.</summary>
    private static async Task<IReadOnlyDictionary<string, string>> MetadataAsync(IFormCollection form, CancellationToken cancel)
    {
        var text = form["metadata"].ToString();
        if (form.Files.GetFile("metadata") is { } part)
        {
            using var reader = new StreamReader(part.OpenReadStream());
            text = await reader.ReadToEndAsync(cancel);
        }
        if (text.Length == 0)
            return new Dictionary<string, string>();
        try
        {
            var read = StrictJson.Parse(Encoding.UTF8.GetBytes(text), new JsonDocumentOptions { AllowDuplicateProperties = false });
            return (read as JsonObject ?? throw new JsonException("it is not an object"))
                .ToDictionary(pair => pair.Key, pair => pair.Value?.ToString() ?? "");
        }
        catch (JsonException e)
        {
            throw Refuse("metadata", 422, $"'metadata' is not a JSON object ({e.Message.TrimEnd('.')}).");
        }
    }

    private static IntakeException Refuse(string field, int status, string sentence) => new([new IntakeProblem(field, sentence, status)]);
}
