using System.Text.Json;
using System.Text.Json.Nodes;
using Azure.Storage.Blobs.Models;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Sdxl.Core.Events;
using Sdxl.Core.Identity;
using Sdxl.Core.Inputs;
using Sdxl.Core.Json;
using Sdxl.Core.Predictions;
using Sdxl.Core.Storage;
using Sdxl.Functions.Events;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Http;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Predictions;

/// <summary>What a prediction's POST brought.</summary>
/// <param name="Input">As given; an input that came as a file holds its name.</param>
/// <param name="Files">Files by input name.</param>
/// <param name="Warnings">What of the request has no effect, one sentence each.</param>
/// <param name="Stream">The caller wants to follow it by server-sent events.</param>
public sealed record ReceivedPrediction(string? Version, string? Base, JsonObject Input, IReadOnlyDictionary<string, IFormFile> Files,
    IReadOnlyList<string> Warnings, WebhookRequest? Webhook = null, bool Stream = false);

/// <summary>
/// Reads a prediction's POST, JSON or multipart, and brings the files that its inputs name or carry into storage: jobs and records hold
/// blob names, never payloads or addresses that might hold an access signature.
/// </summary>
public sealed class PredictionReceiver(BlobStore blobs, InputFiles files, IOptions<SdxlOptions> options)
{
    private const string Image = "image", Mask = "mask", Weights = "replicate_weights";
    private static readonly string[] s_fileInputs = [Image, Mask, Weights];
    private static readonly string[] s_names = ["version", "base", "input", "webhook", "webhook_events_filter", "stream"];
    private static readonly string[] s_inputs = [.. PredictionInputs.Fields.Select(field => field.Name)];

    /// <exception cref="IntakeException">The body is not what it should be, or too large.</exception>
    public async Task<ReceivedPrediction> ReceiveAsync(HttpRequest request, CancellationToken cancel)
    {
        if (!request.HasFormContentType)
        {
            var body = await RequestBodies.JsonAsync(request, options.Value.MaxJsonBytes, "input",
                "Send {\"input\": {\"prompt\": \"a photo of TOK\"}}.", cancel);
            var warnings = RequestBodies.RefuseUnknownNames(body, s_names, PredictionInputs.Fields);
            if (body["input"] is not (null or JsonObject))
                throw Refuse("input", "'input' must be an object, {\"input\": {\"prompt\": \"a photo of TOK\"}}.");
            var (given, dropped) = Known(body["input"] as JsonObject ?? []);
            return new ReceivedPrediction(Text(body["version"]), Text(body["base"]), given, new Dictionary<string, IFormFile>(),
                [.. warnings, .. dropped], WebhookFields.Read(body), body["stream"]?.ToString() == "true");
        }
        var form = await RequestBodies.FormAsync(request, options.Value.MaxArchiveBytes, "input", () => files.TooLarge(Weights), cancel);
        var input = new JsonObject();
        foreach (var (key, values) in form.Where(pair => pair.Key is not ("version" or "base")))
            input[key] = values.ToString();
        var sent = new Dictionary<string, IFormFile>(StringComparer.Ordinal);
        foreach (var file in form.Files)
        {
            if (!s_fileInputs.Contains(file.Name))
                throw Refuse(file.Name, $"'{file.Name}' came as a file; only {string.Join(", ", s_fileInputs)} may.");
            if (!sent.TryAdd(file.Name, file) || input.ContainsKey(file.Name))
                throw Refuse(file.Name, $"Input '{file.Name}' was given twice.");
            input[file.Name] = file.FileName;
        }
        var (known, unknown) = Known(input);
        return new ReceivedPrediction(form["version"].ToString() is { Length: > 0 } v ? v : null,
            form["base"].ToString() is { Length: > 0 } b ? b : null, known, sent, unknown);
    }

    /// <summary>The input as answers repeat it: what was given, typed. A file is named by its address without the query, which may hold an
    /// access signature, or by its blob.</summary>
    public static JsonObject Echo(ReceivedPrediction received, PredictionInputs effective)
    {
        var values = JsonSerializer.SerializeToNode(effective, SdxlJson.Options)!.AsObject();
        var echo = new JsonObject();
        foreach (var (name, value) in received.Input.Where(pair => pair.Value is not null))
        {
            echo[name] = s_fileInputs.Contains(name) && Text(value)?.Trim() is { } link && !received.Files.ContainsKey(name)
                && Uri.TryCreate(link, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
                ? link.Split('?', '#')[0] : values[name]?.DeepClone();
        }
        return echo;
    }

    /// <summary>An input that nobody knows is neither used nor kept: one of Replicate's clients sends its own configuration there, with the
    /// token in it.</summary>
    private static (JsonObject Input, IReadOnlyList<string> Warnings) Known(JsonObject given)
    {
        var unknown = given.Select(pair => pair.Key).Where(name => !s_inputs.Contains(name)).ToList();
        foreach (var name in unknown)
            given.Remove(name);
        return (given, [.. unknown.Select(name =>
            $"There is no input called '{(name.Length > 60 ? name[..57] + "…" : name)}'; it was passed over."
                + (InputReader.Misspelt(name, s_inputs) is { } meant ? $" Did you mean '{meant}'?" : ""))]);
    }

    /// <summary>The inputs with every file input naming a blob (container/name). What was sent or fetched lies under
    /// jobs/{owner}/{id}/inputs until the prediction is over.</summary>
    /// <exception cref="IntakeException">Files that are not there, too large or not to be fetched; all of them at once.</exception>
    public async Task<PredictionInputs> StoreAsync(
        JobKey prediction, PredictionInputs inputs, ReceivedPrediction received, HttpRequest request, CancellationToken cancel)
    {
        var problems = new List<IntakeProblem>();
        // All are found before one is stored: a prediction that is refused leaves nothing in storage.
        using var image = await Find(Image, inputs.Image);
        using var mask = await Find(Mask, inputs.Mask);
        using var weights = await Find(Weights, inputs.ReplicateWeights);
        return problems.Count == 0
            ? inputs with
            {
                Image = await Store(Image, image),
                Mask = await Store(Mask, mask),
                ReplicateWeights = await Store(Weights, weights),
            }
            : throw new IntakeException(problems);

        async Task<InputFile?> Find(string field, string? link)
        {
            if (string.IsNullOrWhiteSpace(link))
                return null;
            try
            {
                return received.Files.TryGetValue(field, out var sent)
                    ? await files.KeepAsync(field, sent.FileName, sent.OpenReadStream(), cancel)
                    : await files.OpenAsync(field, link, request, cancel);
            }
            catch (IntakeException e)
            {
                problems.AddRange(e.Problems);
                return null;
            }
        }

        async Task<string?> Store(string field, InputFile? file)
        {
            if (file?.Content is null)
                return file?.Blob;
            var name = StorageLayout.JobInput(prediction, field, BlobSafe(file.Name));
            await (await blobs.BlobAsync(StorageLayout.Jobs, name)).UploadAsync(file.Content, new BlobUploadOptions(), cancel);
            return $"{StorageLayout.Jobs}/{name}";
        }
    }

    /// <summary>The file's own name is kept: an embedding's is its trigger word.</summary>
    private static string BlobSafe(string name)
    {
        var kept = string.Concat(name.Where(c => !char.IsControl(c) && c is not ('/' or '\\' or '?' or '#' or '%'))).Trim(' ', '.');
        return kept.Length switch { 0 => "file", > 200 => kept[^200..], _ => kept };
    }

    private static string? Text(JsonNode? node) => node is JsonValue value && value.ToString() is { Length: > 0 } text ? text : null;

    private static IntakeException Refuse(string field, string sentence) => new([new IntakeProblem(field, sentence, 422)]);
}
