using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Sdxl.Core.Json;
using Sdxl.Core.Workers;

namespace Sdxl.Cli.Api;

/// <summary>The host's HTTP API, as far as the command line needs it.</summary>
/// <param name="token">Sent with everything; null: none.</param>
internal sealed class ApiClient(Uri address, string? token) : IDisposable
{
    private readonly HttpClient http = new()
    {
        BaseAddress = address,
        Timeout = TimeSpan.FromMinutes(10),
        DefaultRequestHeaders = { Authorization = Bearer(token) },
    };

    public Uri Address => address;

    public static AuthenticationHeaderValue? Bearer(string? token) => token is null ? null : new AuthenticationHeaderValue("Bearer", token);

    /// <param name="archive">Path of the zip or tar; null: none is sent, the service has the pictures.</param>
    /// <param name="fields">What stands beside the inputs: name, owner, base, from.</param>
    /// <param name="input">Training inputs by name.</param>
    public async Task<TrainingView> CreateTrainingAsync(
        string? archive, IReadOnlyDictionary<string, string> fields, JsonObject input, CancellationToken cancel)
    {
        if (archive is not null)
        {
            var all = fields.Concat(input.Select(pair => KeyValuePair.Create(pair.Key, pair.Value!.ToString()))).ToDictionary();
            return await PostArchiveAsync("v1/trainings", archive, all, cancel);
        }
        var body = new JsonObject { ["input"] = input.DeepClone() };
        foreach (var (name, value) in fields)
            body[name] = value;
        return new TrainingView(await PostAsync("v1/trainings", body, cancel));
    }

    /// <summary>Only the data set and its report.</summary>
    public Task<TrainingView> CreateCheckAsync(string archive, IReadOnlyDictionary<string, string> fields, CancellationToken cancel) =>
        PostArchiveAsync("v1/checks", archive, fields, cancel);

    private async Task<TrainingView> PostArchiveAsync(
        string path,
        string archive,
        IReadOnlyDictionary<string, string> fields,
        CancellationToken cancel
    )
    {
        await using var file = File.OpenRead(archive);
        using var form = new MultipartFormDataContent();
        foreach (var (name, value) in fields)
            form.Add(new StringContent(value), name);
        var content = new StreamContent(file);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        form.Add(content, "input_images", Path.GetFileName(archive));
        using var response = await http.PostAsync(path, form, cancel);
        return new TrainingView(await ReadAsync(response, cancel));
    }

    /// <returns>null where there is no such training.</returns>
    public async Task<TrainingView?> TrainingAsync(string id, CancellationToken cancel)
    {
        using var response = await http.GetAsync($"v1/trainings/{id}", cancel);
        return response.StatusCode == HttpStatusCode.NotFound ? null : new TrainingView(await ReadAsync(response, cancel));
    }

    /// <summary>Newest first.</summary>
    public async Task<IReadOnlyList<TrainingView>> TrainingsAsync(CancellationToken cancel) =>
        [.. (await AllAsync("v1/trainings", cancel)).Select(item => new TrainingView(item))];

    public async Task<JsonObject> GetAsync(string path, CancellationToken cancel)
    {
        using var response = await http.GetAsync(path, cancel);
        return await ReadAsync(response, cancel);
    }

    /// <param name="body">null: none.</param>
    public async Task<JsonObject> PostAsync(string path, JsonObject? body, CancellationToken cancel)
    {
        using var content = body is null ? null : new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await http.PostAsync(path, content, cancel);
        return await ReadAsync(response, cancel);
    }

    public async Task DeleteAsync(string path, CancellationToken cancel)
    {
        using var response = await http.DeleteAsync(path, cancel);
        if (!response.IsSuccessStatusCode)
            await ReadAsync(response, cancel); // says why
    }

    /// <summary>Every item of a list, page after page.</summary>
    public async Task<IReadOnlyList<JsonObject>> AllAsync(string path, CancellationToken cancel)
    {
        var items = new List<JsonObject>();
        for (var next = path; next is not null;)
        {
            var page = await GetAsync(next, cancel);
            items.AddRange((page["results"] as JsonArray ?? []).OfType<JsonObject>());
            // The service names itself as others see it; the token goes only where this client was told to.
            next = page["next"]?.ToString() is { Length: > 0 } link
                ? new Uri(new Uri(address.GetLeftPart(UriPartial.Authority)), new Uri(address, link).PathAndQuery).ToString() : null;
        }
        return items;
    }

    /// <summary>Sends a file to be an input of jobs.</summary>
    public async Task<JsonObject> UploadAsync(string path, CancellationToken cancel)
    {
        await using var file = File.OpenRead(path);
        using var form = new MultipartFormDataContent { { new StreamContent(file), "content", Path.GetFileName(path) } };
        using var response = await http.PostAsync("v1/files", form, cancel);
        return await ReadAsync(response, cancel);
    }

    /// <summary>Server-sent events until the service ends the stream.</summary>
    /// <param name="after">Id of the last one that is known; null: from the first.</param>
    /// <param name="untilQuiet">Only those that are there already: ends where none comes for a moment.</param>
    public async IAsyncEnumerable<SseItem<string>> EventsAsync(
        string path, string? after, bool untilQuiet, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.ParseAdd("text/event-stream");
        if (after is not null)
            request.Headers.Add("Last-Event-ID", after);
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
        if (!response.IsSuccessStatusCode)
            await ReadAsync(response, cancel);
        using var quiet = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        await using var stream = await response.Content.ReadAsStreamAsync(cancel);
        await using var events = SseParser.Create(stream).EnumerateAsync(quiet.Token).GetAsyncEnumerator(quiet.Token);
        while (true)
        {
            if (untilQuiet)
                quiet.CancelAfter(TimeSpan.FromSeconds(1));
            try
            {
                if (!await events.MoveNextAsync())
                    yield break;
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                yield break;
            }
            yield return events.Current;
        }
    }

    /// <summary>The GPU workers that are there.</summary>
    public async Task<IReadOnlyList<WorkerStatus>> WorkersAsync(CancellationToken cancel)
    {
        using var response = await http.GetAsync("v1/workers", cancel);
        return (await ReadAsync(response, cancel))["results"].Deserialize<List<WorkerStatus>>(SdxlJson.Options) ?? [];
    }

    public async Task<TrainingView?> CancelTrainingAsync(string id, CancellationToken cancel)
    {
        using var response = await http.PostAsync($"v1/trainings/{id}/cancel", null, cancel);
        return response.StatusCode == HttpStatusCode.NotFound ? null : new TrainingView(await ReadAsync(response, cancel));
    }

    /// <summary>An address that signs one browser in, once, within ten minutes.</summary>
    public async Task<string> SignInLinkAsync(CancellationToken cancel)
    {
        using var response = await http.PostAsync("v1/session/codes", null, cancel);
        return (await ReadAsync(response, cancel))["url"]!.GetValue<string>();
    }

    /// <param name="version">owner/name:id, owner/name or id; null draws with the base model alone.</param>
    /// <param name="files">Inputs that are files of this machine, path by name; they are sent along.</param>
    public async Task<PredictionView> CreatePredictionAsync(
        string? version, string? baseModel, JsonObject input, IReadOnlyDictionary<string, string> files, CancellationToken cancel)
    {
        var outer = new Dictionary<string, string?> { ["version"] = version, ["base"] = baseModel }.Where(pair => pair.Value is not null);
        using HttpContent content = files.Count > 0 ? Form() : Json();
        using var response = await http.PostAsync("v1/predictions", content, cancel);
        return new PredictionView(await ReadAsync(response, cancel));

        HttpContent Json()
        {
            var body = new JsonObject { ["input"] = input.DeepClone() };
            foreach (var (name, value) in outer)
                body[name] = value;
            return new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        }

        HttpContent Form()
        {
            var form = new MultipartFormDataContent();
            foreach (var (name, value) in outer.Concat(input.Select(pair => KeyValuePair.Create(pair.Key, pair.Value?.ToString()))))
                form.Add(new StringContent(value ?? ""), name);
            foreach (var (name, path) in files)
            {
                var file = new StreamContent(File.OpenRead(path)); // closed with the form
                file.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
                form.Add(file, name, Path.GetFileName(path));
            }
            return form;
        }
    }

    public async Task<PredictionView> PredictionAsync(string id, CancellationToken cancel)
    {
        using var response = await http.GetAsync($"v1/predictions/{id}", cancel);
        return new PredictionView(await ReadAsync(response, cancel));
    }

    public async Task CancelPredictionAsync(string id, CancellationToken cancel)
    {
        using var response = await http.PostAsync($"v1/predictions/{id}/cancel", null, cancel);
    }

    /// <param name="url">An answer's link. The token goes to this host alone: a link elsewhere has its own signature.</param>
    public async Task<byte[]> DownloadAsync(string url, CancellationToken cancel)
    {
        var link = new Uri(address, url);
        using var stranger = link.Authority == address.Authority ? null : new HttpClient { Timeout = http.Timeout };
        return await (stranger ?? http).GetByteArrayAsync(link, cancel);
    }

    public void Dispose() => http.Dispose();

    /// <summary>The answer's JSON, or a CliException with the problem's detail (problem+json).</summary>
    private static async Task<JsonObject> ReadAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        var text = await response.Content.ReadAsStringAsync(cancel);
        JsonNode? body = null;
        try
        {
            body = JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            // Not JSON: said below with what came instead.
        }
        if (!response.IsSuccessStatusCode)
            throw new CliException((body as JsonObject)?["detail"]?.GetValue<string>() ?? Unexpected());
        return body switch
        {
            JsonObject answer => answer,
            JsonArray list => new JsonObject { ["items"] = list.DeepClone() },
            _ => throw new CliException(Unexpected()),
        };

        string Unexpected() =>
            $"The host answered {(int)response.StatusCode} {response.ReasonPhrase} to {response.RequestMessage?.Method} "
                + $"{response.RequestMessage?.RequestUri}: "
            + (
                text.Length > 200 ? text[..200] + "…"
                : text.Length == 0 ? "no text."
                : text
            );
    }
}
