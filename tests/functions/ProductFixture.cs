using System.Text.Json.Nodes;
using Azure.Messaging.ServiceBus;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Logging.Abstractions;
using Sdxl.Core.Storage;
using Sdxl.Functions.Storage;
using Sdxl.Local.Azurite;
using Sdxl.Local.Broker;
using Sdxl.Local.Durable;
using Sdxl.Local.Functions;
using Sdxl.Local.Hosting;

namespace Sdxl.Tests.Functions;

/// <summary>
/// The functions app as it is deployed, in its own process on the local Functions host, with a real Azurite, no GPU worker, and a models
/// folder of its own:
/// the toy, and a base model "big" of whose files none is there.
/// </summary>
public sealed class ProductFixture : IAsyncLifetime
{
    private const string Key = "tests";

    private readonly TempFolder folder = new();
    private AzuriteServer azurite = null!;
    private ServiceBusServer queues = null!;
    private SqliteOrchestrationService orchestrations = null!;
    private FunctionsHost host = null!;
    private UploadsWatcher uploads = null!;

    public string Models => folder.File("models");

    public HttpClient Http { get; private set; } = null!;

    public BlobServiceClient Storage { get; private set; } = null!;

    public ServiceBusClient ServiceBus { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        WriteModels();
        azurite = await AzuriteServer.StartAsync(
            Path.Combine(TestPaths.Root, "tools/npm/node_modules/azurite/dist/src/blob/main.js"),
            folder.File("azurite"),
            NullLogger.Instance,
            CancellationToken.None
        );
        queues = await ServiceBusServer.StartAsync(
            new ServiceBusServerOptions
            {
                DatabasePath = folder.File("queues.db"),
                Queues = LocalQueues.All,
                Keys = [AccessKey.Create(Key)],
            },
            NullLogger.Instance
        );
        orchestrations = new SqliteOrchestrationService(
            folder.File("orchestrations.db"),
            new SqliteOrchestrationOptions(),
            TimeProvider.System,
            NullLogger.Instance
        );
        host = await StartHostAsync([]);
        Http = With(LocalKeys.Of(new StateFolder(folder.Path)).Token);
        await azurite.WaitUntilReadyAsync(CancellationToken.None);
        Storage = azurite.CreateClient();
        foreach (var container in StorageLayout.Containers)
            await Storage.GetBlobContainerClient(container).CreateIfNotExistsAsync();
        ServiceBus = new ServiceBusClient(queues.ConnectionString(Key));
        uploads = new UploadsWatcher(Storage, ServiceBus, folder.File("uploads.db"), NullLogger.Instance);
        await host.WaitUntilReadyAsync();
    }

    public async Task DisposeAsync()
    {
        Http.Dispose();
        await uploads.DisposeAsync();
        await ServiceBus.DisposeAsync();
        await host.DisposeAsync();
        await orchestrations.DisposeAsync();
        await queues.DisposeAsync();
        await azurite.DisposeAsync();
        folder.Dispose();
    }

    /// <summary>The app once more, with other settings: it shares storage and queues, and has orchestrations of its own.</summary>
    public async Task<OtherHost> StartWithAsync(params (string Name, string Value)[] settings)
    {
        var own = new SqliteOrchestrationService(
            folder.File($"{Guid.NewGuid()}.db"),
            new SqliteOrchestrationOptions(),
            TimeProvider.System,
            NullLogger.Instance
        );
        var other = await StartHostAsync(settings, own);
        await other.WaitUntilReadyAsync();
        return new OtherHost(other, own, LocalKeys.Of(new StateFolder(folder.Path)).Token);
    }

    /// <summary>The app's records, read and written beside it.</summary>
    public RecordStore Records() =>
        new(new BlobStore(Storage), new NoQueues(), new RecordChanges(), TimeProvider.System, NullLogger<RecordStore>.Instance);

    /// <summary>What an address answers once that is so: it comes about in other processes.</summary>
    public async Task<JsonNode> UntilAsync(string path, Func<JsonNode, bool> reached)
    {
        JsonNode? last = null;
        for (var waited = 0; waited < 1200; waited++)
        {
            last = JsonNode.Parse(await Http.GetStringAsync(path))!;
            if (reached(last))
                return last;
            await Task.Delay(50);
        }
        throw new TimeoutException($"{path} did not get there within 60 s: {last}");
    }

    /// <summary>Makes a token.</summary>
    public async Task<JsonNode> TokenAsync(JsonObject body)
    {
        using var answer = await PostAsync("v1/tokens", body);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode == 201, text);
        return JsonNode.Parse(text)!;
    }

    /// <summary>A client with another token; null: with none.</summary>
    public HttpClient With(string? token) => Client(host, token);

    internal static HttpClient Client(FunctionsHost host, string? token)
    {
        var client = new HttpClient { BaseAddress = new Uri(host.Url + "/") };
        if (token is not null)
            client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        return client;
    }

    private Task<FunctionsHost> StartHostAsync(IEnumerable<(string Name, string Value)> more, SqliteOrchestrationService? own = null)
    {
        var keys = LocalKeys.Of(new StateFolder(folder.Path));
        var programs = new DeployedPrograms(
            LocalArguments.Parse(["--state", folder.Path]),
            azurite.ConnectionString,
            queues.ConnectionString(Key),
            keys
        );
        var settings = programs.FunctionsSettings();
        settings["Sdxl__ModelsFolder"] = Models;
        foreach (var (name, value) in more)
            settings[name] = value;
        return FunctionsHost.StartAsync(
            new FunctionsHostOptions
            {
                AppDll = programs.FunctionsDll,
                Settings = settings,
                Orchestrations = own ?? orchestrations,
                Loggers = NullLoggerFactory.Instance,
            }
        );
    }

    /// <summary>POSTs an archive with inputs as a form.</summary>
    public Task<HttpResponseMessage> PostArchiveAsync(
        string path,
        byte[] archive,
        string name,
        params (string Name, string Value)[] fields
    ) => PostArchiveAsync(Http, path, archive, name, fields);

    public static async Task<HttpResponseMessage> PostArchiveAsync(
        HttpClient http,
        string path,
        byte[] archive,
        string name,
        params (string Name, string Value)[] fields
    )
    {
        using var form = new MultipartFormDataContent { { new ByteArrayContent(archive), "input_images", name } };
        foreach (var (field, value) in fields)
            form.Add(new StringContent(value), field);
        return await http.PostAsync(path, form);
    }

    public Task<HttpResponseMessage> PostAsync(string path, JsonObject body) => PostAsync(Http, path, body);

    public static Task<HttpResponseMessage> PostAsync(HttpClient http, string path, JsonObject body) =>
        http.PostAsync(path, new StringContent(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json"));

    /// <summary>The problem+json's status and detail.</summary>
    public static async Task<(int Status, string Detail)> ProblemAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        return answer.Content.Headers.ContentType?.MediaType == "application/problem+json"
            ? ((int)answer.StatusCode, JsonNode.Parse(text)!["detail"]!.ToString())
            : ((int)answer.StatusCode, text);
    }

    /// <summary>
    /// What a queue holds for a worker that is not there: the first message that <paramref name="read"/> makes something of.
    /// </summary>
    public async Task<T> PeekAsync<T>(string queue, Func<string, T?> read)
        where T : class
    {
        await using var receiver = ServiceBus.CreateReceiver(queue);
        for (var (waited, from) = (0, 0L); waited < 600;)
        {
            var message = await receiver.PeekMessageAsync(from);
            if (message is null)
            {
                waited++;
                await Task.Delay(50);
                continue;
            }
            if (read(message.Body.ToString()) is { } found)
                return found;
            from = message.SequenceNumber + 1;
        }
        throw new TimeoutException($"Queue {queue} did not get the message within 30 s.");
    }

    /// <summary>The only training of that model name, once it is over.</summary>
    public async Task<JsonNode> EndOfUploadAsync(string model)
    {
        for (var waited = 0; waited < 600; waited++)
        {
            var list = JsonNode.Parse(await Http.GetStringAsync("v1/trainings"))!["results"]!.AsArray();
            if (
                list.FirstOrDefault(t => t!["destination"]!.ToString().EndsWith("/" + model, StringComparison.Ordinal)) is { } training
                && training["status"]!.ToString() is "failed" or "succeeded"
            )
                return training;
            await Task.Delay(100);
        }
        throw new TimeoutException($"No training of '{model}' ended within 60 s.");
    }

    /// <summary>Nobody is told of what a test writes beside the app.</summary>
    private sealed class NoQueues : IMessageQueues
    {
        public Task SendAsync<T>(string queue, string messageId, T body, DateTimeOffset? due = null, CancellationToken cancel = default) =>
            Task.CompletedTask;
    }

    private void WriteModels()
    {
        Directory.CreateDirectory(Models);
        File.Copy(Path.Combine(TestPaths.Models, "toy.json"), Path.Combine(Models, "toy.json"));
        foreach (var part in Directory.GetDirectories(TestPaths.Models))
            File.CreateSymbolicLink(Path.Combine(Models, Path.GetFileName(part)), part);
        JsonObject Source(string into, params string[] files) =>
            new()
            {
                ["repository"] = "owner/repo",
                ["revision"] = new string('a', 40),
                ["licence"] = "mit",
                ["licence_url"] = "https://example.org/",
                ["into"] = into,
                ["files"] = new JsonArray([.. files.Select(file => (JsonNode)new JsonObject { ["file"] = file })]),
            };
        var big = new JsonObject
        {
            ["name"] = "big", ["description"] = "d", ["model"] = "big/base", ["refiner"] = "big/refiner", ["vision"] = "big",
            ["training_defaults"] = new JsonObject { ["resolution"] = 64 }, ["prediction_defaults"] = new JsonObject(),
            ["sources"] = new JsonArray(
                Source("big/base", "unet/a.safetensors"),
                Source("big/refiner", "r.safetensors"),
                Source("big/safety_checker", "s.safetensors"),
                Source("big/blip", "text.onnx"),
                Source("big/clipseg", "model.onnx"),
                Source("big/yunet", "model.onnx")
            ),
        };
        File.WriteAllText(Path.Combine(Models, "big.json"), big.ToJsonString());
    }
}

/// <summary>A second host over the same storage.</summary>
public sealed class OtherHost(FunctionsHost host, SqliteOrchestrationService orchestrations, string token) : IAsyncDisposable
{
    public HttpClient Http { get; } = ProductFixture.Client(host, token);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await host.DisposeAsync();
        await orchestrations.DisposeAsync();
    }
}

[CollectionDefinition(Name)]
public sealed class ProductCollection : ICollectionFixture<ProductFixture>
{
    public const string Name = "the product's functions";
}
