using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Versions;

namespace Sdxl.Tests.Functions;

/// <summary>
/// The requests of Replicate's Go client and command line, byte for byte (replicate-go v0.26.0 client.go and files.go, cli v0.8.0), in the
/// order in which its commands send them. (Neither can be built here.)
/// </summary>
[Collection(ProductCollection.Name)]
public sealed class ReplayTests(ProductFixture product)
{
    // 60 hex digits, as mime/multipart makes them
    private const string Boundary = "4f1c3b0a9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e";

    private static readonly byte[] s_picture = File.ReadAllBytes(
        Path.Combine(TestPaths.Root, "tests", "fixtures", "shared", "pictures", "plain.png")
    );
    private static readonly byte[] s_archive = IncompleteBaseTests.Tar(("a.png", s_picture), ("a.txt", "a photo of TOK"u8.ToArray()));

    /// <summary>replicate auth login; model create me/from-cli --private --hardware gpu-a40-small; train stability-ai/sdxl --destination
    /// me/from-cli input_images=@data.zip max_train_steps=5 seed= token_string=123 is_lora=true; training show ID.</summary>
    [Fact]
    public async Task The_command_line_logs_in_makes_a_model_trains_on_a_file_and_shows_the_training()
    {
        var login = await SendAsync("GET", "/v1/hardware", "replicate-cli/0.8.0");
        Assert.Equal(200, login.Status);
        Assert.All(login.Body.AsArray(), hardware => Assert.True(hardware!["sku"] is not null && hardware["name"] is not null));

        var model = await SendAsync(
            "POST",
            "/v1/models",
            "replicate-cli/0.8.0",
            Json("""{"owner":"me","name":"from-cli","visibility":"private","hardware":"gpu-a40-small"}""")
        );
        Assert.Equal((201, "from-cli"), (model.Status, model.Body["name"]!.ToString()));

        var trainer = await SendAsync("GET", "/v1/models/stability-ai/sdxl", "replicate-cli/0.8.0");
        Assert.NotNull(trainer.Body["latest_version"]!["openapi_schema"]!["components"]!["schemas"]!["Input"]!["properties"]);

        var file = await SendAsync(
            "POST",
            "/v1/files",
            "replicate-cli/0.8.0",
            Form("data.zip", "application/zip"),
            $"multipart/form-data; boundary={Boundary}"
        );
        Assert.Equal(201, file.Status);
        Assert.All(
            file.Body["metadata"]!.AsObject(),
            pair => Assert.Equal(System.Text.Json.JsonValueKind.String, pair.Value!.GetValueKind())
        );
        var link = file.Body["urls"]!["get"]!.ToString();
        Assert.NotEqual("", link);

        var version = trainer.Body["latest_version"]!["id"]!.ToString();
        var training = await SendAsync(
            "POST",
            $"/v1/models/stability-ai/sdxl/versions/{version}/trainings",
            "replicate-cli/0.8.0",
            Json(
                $$"""{"destination":"me/from-cli","input":{"input_images":"{{link}}","is_lora":true,"max_train_steps":5,"resolution":64,"seed":"","token_string":123},"version":"{{version}}"}"""
            )
        );
        Assert.True(training.Status == 201, training.Body.ToJsonString());
        // Go reads these into texts and maps; null would be a panic or an error.
        foreach (var text in new[] { "id", "status", "logs", "source", "created_at", "model", "version" })
            Assert.Equal(System.Text.Json.JsonValueKind.String, training.Body[text]!.GetValueKind());
        Assert.True(
            training.Body["input"] is JsonObject
                && training.Body["metrics"] is JsonObject
                && training.Body["urls"] is JsonObject
                && training.Body["error"] is null
        );

        var shown = await SendAsync("GET", $"/v1/trainings/{training.Body["id"]}", "replicate-cli/0.8.0");
        Assert.Equal((200, training.Body["id"]!.ToString()), (shown.Status, shown.Body["id"]!.ToString()));
        // Go's client POSTs a cancel with a JSON type and no body.
        var canceled = await SendAsync("POST", $"/v1/trainings/{training.Body["id"]}/cancel", "replicate/go", []);
        Assert.Equal(200, canceled.Status);
        Assert.Equal(training.Body["id"]!.ToString(), canceled.Body["id"]!.ToString());
    }

    /// <summary>replicate run me/for-cli:VERSION prompt=… image=@a.png num_outputs=1; then run me/for-cli, which has no version in it. The
    /// stream flag is false, so that it is left out, and no stream may be offered.</summary>
    [Fact]
    public async Task The_command_line_runs_a_version_with_a_file_and_a_model_by_name_and_polls()
    {
        var id = await PublishedAsync("for-cli");
        var known = await SendAsync("GET", $"/v1/models/me/for-cli/versions/{id}", "replicate-cli/0.8.0");
        Assert.Equal((200, id), (known.Status, known.Body["id"]!.ToString()));
        var inputs = known.Body["openapi_schema"]!["components"]!["schemas"]!["Input"]!["properties"]!;
        Assert.Equal("integer", inputs["num_outputs"]!["type"]!.ToString());

        var file = await SendAsync(
            "POST",
            "/v1/files",
            "replicate-cli/0.8.0",
            Form("a.png", "image/png", s_picture),
            $"multipart/form-data; boundary={Boundary}"
        );
        var link = file.Body["urls"]!["get"]!.ToString();
        var run = await SendAsync("POST", "/v1/predictions", "replicate-cli/0.8.0", Json(
            $$"""{"input":{"image":"{{link}}","num_outputs":1,"prompt":"a photo of TOK"},"version":"{{id}}"}"""));
        AssertPrediction(run, id);
        await PolledAsync(run.Body);

        var model = await SendAsync("GET", "/v1/models/me/for-cli", "replicate-cli/0.8.0");
        Assert.Equal(id, model.Body["latest_version"]!["id"]!.ToString());
        var named = await SendAsync(
            "POST",
            "/v1/models/me/for-cli/predictions",
            "replicate-cli/0.8.0",
            Json("""{"input":{"prompt":"a photo of TOK"}}""")
        );
        AssertPrediction(named, id);
        await PolledAsync(named.Body);

        async Task PolledAsync(JsonNode prediction)
        {
            var polled = await SendAsync("GET", $"/v1/predictions/{prediction["id"]}", "replicate-cli/0.8.0");
            Assert.Equal((200, prediction["id"]!.ToString()), (polled.Status, polled.Body["id"]!.ToString()));
            Assert.Equal(System.Text.Json.JsonValueKind.String, polled.Body["logs"]!.GetValueKind());
            await SendAsync("POST", $"/v1/predictions/{prediction["id"]}/cancel", "replicate/go", []);
        }
    }

    /// <summary>Run, CreatePrediction with a webhook and a stream, ListPredictions, CancelPrediction, GetDefaultWebhookSecret,
    /// CreateTraining, ListTrainings, CancelTraining of replicate-go.</summary>
    [Fact]
    public async Task The_Go_client_draws_trains_lists_and_cancels()
    {
        var id = await PublishedAsync("for-go");
        var drawn = await SendAsync(
            "POST",
            "/v1/predictions",
            "replicate/go",
            Json(
                $$"""{"input":{"prompt":"a photo of TOK"},"stream":true,"version":"{{id}}","webhook":"https://example.org/hook","webhook_events_filter":["start","completed"]}"""
            )
        );
        Assert.True(drawn.Status == 201, drawn.Body.ToJsonString());
        Assert.Equal("https://example.org/hook", drawn.Body["webhook"]!.ToString());
        Assert.StartsWith(
            $"{product.Http.BaseAddress}v1/files/stream/",
            drawn.Body["urls"]!["stream"]!.ToString(),
            StringComparison.Ordinal
        );
        var listed = await SendAsync("GET", "/v1/predictions", "replicate/go");
        Assert.Equal(drawn.Body["id"]!.ToString(), listed.Body["results"]![0]!["id"]!.ToString());
        var canceled = await SendAsync("POST", $"/v1/predictions/{drawn.Body["id"]}/cancel", "replicate/go", []);
        Assert.Equal((200, "canceled"), (canceled.Status, canceled.Body["status"]!.ToString()));
        var secret = await SendAsync("GET", "/v1/webhooks/default/secret", "replicate/go");
        Assert.StartsWith("whsec_", secret.Body["key"]!.ToString(), StringComparison.Ordinal);

        var file = await SendAsync(
            "POST",
            "/v1/files",
            "replicate/go",
            Form("data.zip", "application/zip"),
            $"multipart/form-data; boundary={Boundary}"
        );
        var trainer = (await SendAsync("GET", "/v1/models/stability-ai/sdxl", "replicate/go")).Body["latest_version"]!["id"]!.ToString();
        var training = await SendAsync(
            "POST",
            $"/v1/models/stability-ai/sdxl/versions/{trainer}/trainings",
            "replicate/go",
            Json(
                $$"""{"destination":"me/for-go","input":{"input_images":"{{file.Body["urls"]!["get"]}}","max_train_steps":5,"resolution":64},"version":"{{trainer}}","webhook":"https://example.org/hook","webhook_events_filter":["completed"]}"""
            )
        );
        Assert.True(training.Status == 201, training.Body.ToJsonString());
        var trainings = await SendAsync("GET", "/v1/trainings", "replicate/go");
        Assert.Contains(trainings.Body["results"]!.AsArray(), one => one!["id"]!.ToString() == training.Body["id"]!.ToString());
        var ended = await SendAsync("POST", $"/v1/trainings/{training.Body["id"]}/cancel", "replicate/go", []);
        Assert.Equal((200, training.Body["id"]!.ToString()), (ended.Status, ended.Body["id"]!.ToString()));
    }

    /// <summary>replicate-python with the base address of the other clients asks for /v1/v1/….</summary>
    [Fact]
    public async Task The_Python_client_with_the_other_clients_address_is_told_what_to_set()
    {
        var (status, body) = await SendAsync(
            "POST",
            "/v1/v1/predictions",
            "replicate-python/1.0.7",
            Json("""{"input":{},"version":"x"}""")
        );
        Assert.Equal(404, status);
        Assert.Contains("REPLICATE_BASE_URL", body["detail"]!.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/account")]
    [InlineData("/v1/models")]
    [InlineData("/v1/trainings")]
    [InlineData("/v1/files")]
    [InlineData("/v1/models/stability-ai/sdxl/versions")]
    public async Task The_Go_client_reads_every_list_with_a_JSON_type_on_its_GET(string path)
    {
        var (status, body) = await SendAsync("GET", path, "replicate/go");
        Assert.Equal(200, status);
        if (path == "/v1/account")
            return;
        Assert.True(body["results"] is JsonArray && body.AsObject().ContainsKey("previous"));
        Assert.NotEqual("", body["next"]?.ToString());
    }

    [Fact]
    public async Task The_Go_client_can_read_every_error_into_its_fields()
    {
        var (status, body) = await SendAsync(
            "POST",
            "/v1/models",
            "replicate/go",
            Json("""{"owner":"me","name":"a b","visibility":"private","hardware":"nothing"}""")
        );
        Assert.Equal((422, 422), (status, body["status"]!.GetValue<int>()));
        Assert.All(new[] { "title", "detail" }, field => Assert.Equal(System.Text.Json.JsonValueKind.String, body[field]!.GetValueKind()));
    }

    private static void AssertPrediction((int Status, JsonNode Body) made, string version)
    {
        Assert.True(made.Status == 201, made.Body.ToJsonString());
        Assert.Equal(version, made.Body["version"]!.ToString());
        Assert.Null(made.Body["urls"]!["stream"]);
        foreach (var text in new[] { "id", "status", "logs", "source", "created_at", "model" })
            Assert.Equal(System.Text.Json.JsonValueKind.String, made.Body[text]!.GetValueKind());
    }

    /// <summary>A version as if a worker had trained it.</summary>
    private async Task<string> PublishedAsync(string name)
    {
        var id = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(name)));
        await new VersionStore(new BlobStore(product.Storage)).MakeVisibleAsync(
            new PublishedVersion(id, "me", name, "toy", new string('a', 26), DateTimeOffset.UnixEpoch), CancellationToken.None);
        return id;
    }

    private static byte[] Json(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>As mime/multipart's CreateFormFile and CreatePart write it.</summary>
    private static byte[] Form(string name, string type, byte[]? content = null) =>
        [
            .. Encoding.UTF8.GetBytes(
                $"--{Boundary}\r\nContent-Disposition: form-data; name=\"content\"; filename=\"{name}\"\r\nContent-Type: {type}\r\n\r\n"
            ),
            .. content ?? s_archive,
            .. Encoding.UTF8.GetBytes($"\r\n--{Boundary}--\r\n"),
        ];

    /// <summary>
    /// Header names in the order in which net/http writes them: Host, User-Agent, Content-Length, then the others by name.
    /// </summary>
    private async Task<(int Status, JsonNode Body)> SendAsync(
        string method,
        string path,
        string agent,
        byte[]? body = null,
        string type = "application/json"
    )
    {
        var host = product.Http.BaseAddress!;
        var length = body is null ? "" : string.Create(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n");
        var head = $"{method} {path} HTTP/1.1\r\nHost: {host.Authority}\r\nUser-Agent: {agent}\r\n{length}"
            + $"Authorization: Bearer {product.Http.DefaultRequestHeaders.Authorization!.Parameter}\r\nContent-Type: {type}\r\nConnection: "
            + $"close\r\n\r\n";
        using var socket = new TcpClient();
        await socket.ConnectAsync(host.Host, host.Port);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head));
        await stream.WriteAsync(body ?? []);
        using var all = new MemoryStream();
        await stream.CopyToAsync(all);
        var text = Encoding.UTF8.GetString(all.ToArray());
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        var content = text[(end + 4)..];
        if (text[..end].Contains("Transfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase))
            // Sizes and pieces in turn; no piece holds a line end
            content = string.Concat(content.Split("\r\n").Where((_, i) => i % 2 == 1));
        return (int.Parse(text.Split(' ')[1], CultureInfo.InvariantCulture), JsonNode.Parse(content)!);
    }
}
