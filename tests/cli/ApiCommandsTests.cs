using System.Text.Json.Nodes;

namespace Sdxl.Tests.Cli;

/// <summary>The commands that list, make and remove single things, here and at a service elsewhere.</summary>
public sealed class ApiCommandsTests : IDisposable
{
    private const string Id = "aaaabbbbccccddddeeeeffffgg";

    private readonly FakeHost host = new();

    private Dictionary<string, string> Elsewhere => new()
    {
        ["SDXL_URL"] = host.Url, ["SDXL_API_TOKEN"] = FakeHost.Token, ["SDXL_HOME"] = Path.Combine(host.Home, "none"),
    };

    public void Dispose() => host.Dispose();

    [Fact]
    public async Task Lists_follow_their_pages_to_the_end()
    {
        host.Answer(
            "GET /v1/tokens",
            Page(
                new JsonObject
                {
                    ["id"] = "one",
                    ["name"] = "laptop",
                    ["scopes"] = new JsonArray("read", "write"),
                },
                next: $"{host.Url}/v1/tokens?cursor=2"
            ),
            Page(
                new JsonObject
                {
                    ["id"] = "two",
                    ["name"] = "ci",
                    ["scopes"] = new JsonArray("read"),
                    ["revoked_at"] = "2026-01-02T03:04:05Z",
                },
                next: null
            )
        );
        var outcome = await SdxlProcess.RunAsync(host.Home, "tokens", "list");
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Errors));
        Assert.Equal(["one", "two"], outcome.Lines.Select(line => line.Split(' ')[0]));
        Assert.Contains("revoked 2026-01-02", outcome.Lines[1], StringComparison.Ordinal);

        var json = await SdxlProcess.RunAsync(host.Home, "tokens", "list", "--json");
        Assert.Equal("two", JsonNode.Parse(json.Lines[^1])!["id"]!.ToString());
    }

    [Fact]
    public async Task A_new_token_alone_is_printed_and_what_it_may_do_is_sent()
    {
        host.Answer("POST /v1/tokens", new JsonObject { ["id"] = "x", ["token"] = "sdxl_new" });
        var outcome = await SdxlProcess.RunAsync(host.Home, "tokens", "create", "ci", "--scope", "read", "--owner", "bob", "--days", "2");
        Assert.Equal((0, "sdxl_new\n"), (outcome.ExitCode, outcome.Output));
        var sent = JsonNode.Parse(host.Requests.Single(request => request.Line == "POST /v1/tokens").Body)!;
        Assert.Equal(("ci", "bob", "[\"read\"]"), (sent["name"]!.ToString(), sent["owner"]!.ToString(), sent["scopes"]!.ToJsonString()));
        Assert.InRange(
            DateTimeOffset.Parse(sent["expires_at"]!.ToString(), null) - DateTimeOffset.UtcNow,
            TimeSpan.FromDays(1.9),
            TimeSpan.FromDays(2)
        );
    }

    [Fact]
    public async Task Logs_are_followed_to_the_end_and_a_failure_is_an_exit_code()
    {
        host.Answer("GET /v1/trainings", Page(Training("processing", ""), null));
        host.Answer(
            $"GET /v1/trainings/{Id}",
            Training("processing", "one\ntw"),
            Training("processing", "one\ntwo\n"),
            Training("failed", "one\ntwo\nthree", "No picture is left.")
        );
        var outcome = await SdxlProcess.RunAsync(host.Home, "trainings", "logs", Id, "-f");
        Assert.Equal((1, "No picture is left.\n"), (outcome.ExitCode, outcome.Errors));
        Assert.Equal("one\ntwo\nthree", outcome.Output);
    }

    [Fact]
    public async Task Sample_stop_and_delete_reach_their_training()
    {
        host.Answer($"GET /v1/trainings/{Id}", Training("processing", ""));
        host.Answer($"POST /v1/trainings/{Id}/stop", Training("processing", ""));
        host.Answer($"POST /v1/trainings/{Id}/sample", Training("processing", ""));
        host.Answer($"DELETE /v1/trainings/{Id}", new JsonObject());
        Assert.Contains(
            "draws its sample prompts at its next step",
            (await SdxlProcess.RunAsync(host.Home, "trainings", "sample", Id)).Output,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "stops at its next step",
            (await SdxlProcess.RunAsync(host.Home, "trainings", "stop", Id)).Output,
            StringComparison.Ordinal
        );
        Assert.Equal(0, (await SdxlProcess.RunAsync(host.Home, "trainings", "delete", Id)).ExitCode);
        Assert.Contains(host.Requests, request => request.Line == $"DELETE /v1/trainings/{Id}");
    }

    [Fact]
    public async Task A_version_comes_whole_by_the_first_letters_of_its_id()
    {
        var version = new string('a', 64);
        host.Answer("GET /v1/models/me/cat/versions", Page(new JsonObject { ["id"] = version }, null));
        host.Answer(
            $"GET /v1/models/me/cat/versions/{version}",
            new JsonObject
            {
                ["id"] = version,
                ["files"] = new JsonObject { ["x.json"] = $"{host.Url}/signed/x.json", ["../y"] = $"{host.Url}/signed/y" },
            }
        );
        host.Serve("GET /signed/x.json", "{}"u8.ToArray());
        host.Serve("GET /signed/y", "y"u8.ToArray());
        var folder = Path.Combine(host.Home, "out");
        var outcome = await SdxlProcess.RunAsync(host.Home, "models", "download", "cat:aaaa", "-o", folder);
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Errors));
        Assert.Equal(["x.json", "y"], Directory.GetFiles(folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task A_service_elsewhere_is_spoken_to_without_a_host_of_ones_own()
    {
        host.Answer("GET /v1/files", Page(new JsonObject { ["id"] = "f", ["name"] = "my.zip", ["size"] = 2048 }, null));
        var outcome = await SdxlProcess.RunAsync(host.Home, null, Elsewhere, "files", "list");
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Errors));
        Assert.Contains("2 KiB", outcome.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(host.Home, "none")));

        var wrong = await SdxlProcess.RunAsync(
            host.Home,
            null,
            new Dictionary<string, string> { ["SDXL_API_TOKEN"] = "sdxl_wrong" },
            "--url",
            host.Url,
            "files",
            "list"
        );
        Assert.Equal((1, "no token\n"), (wrong.ExitCode, wrong.Errors));
    }

    [Fact]
    public async Task A_login_is_kept_for_its_owner_alone_until_the_logout()
    {
        host.Answer("GET /v1/models", Page(new JsonObject { ["owner"] = "me", ["name"] = "cat", ["visibility"] = "private" }, null));
        var settings = Path.Combine(host.Home, "settings");
        var here = new Dictionary<string, string> { ["XDG_CONFIG_HOME"] = settings, ["SDXL_HOME"] = Path.Combine(host.Home, "none") };
        var refused = await SdxlProcess.RunAsync(
            host.Home,
            null,
            new Dictionary<string, string>(here) { ["SDXL_API_TOKEN"] = "sdxl_wrong" },
            "login",
            host.Url
        );
        Assert.Equal(1, refused.ExitCode);
        Assert.False(File.Exists(Path.Combine(settings, "sdxl", "login.json")));

        var login = await SdxlProcess.RunAsync(
            host.Home,
            null,
            new Dictionary<string, string>(here) { ["SDXL_API_TOKEN"] = FakeHost.Token },
            "login",
            host.Url
        );
        Assert.Equal((0, ""), (login.ExitCode, login.Errors));
        Assert.DoesNotContain(FakeHost.Token, login.Output, StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite,
                File.GetUnixFileMode(Path.Combine(settings, "sdxl", "login.json"))
            );
        Assert.StartsWith("me/cat", (await SdxlProcess.RunAsync(host.Home, null, here, "models", "list")).Output, StringComparison.Ordinal);

        Assert.StartsWith("Logged out", (await SdxlProcess.RunAsync(host.Home, null, here, "logout")).Output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Path.Combine(settings, "sdxl")));
    }

    [Fact]
    public async Task Events_are_lines_and_end_where_the_service_says_so()
    {
        host.Answer($"GET /v1/trainings/{Id}", Training("succeeded", ""));
        host.Serve(
            $"GET /v1/trainings/{Id}/events",
            ": hello\n\nid: 1\nevent: training.starting\ndata: {\"a\":1}\n\nid: 2\nevent: done\ndata: {}\n\n"u8.ToArray()
        );
        var outcome = await SdxlProcess.RunAsync(host.Home, "events", Id, "-f");
        Assert.Equal((0, "{\"a\":1}\n"), (outcome.ExitCode, outcome.Output));
    }

    [Theory]
    [InlineData("bash", "complete ")]
    [InlineData("zsh", "compdef ")]
    [InlineData("fish", "complete -c sdxl")]
    public async Task Completion_scripts_ask_the_program_itself(string shell, string part)
    {
        var script = await SdxlProcess.RunAsync(host.Home, "completion", shell);
        Assert.Contains(part, script.Output, StringComparison.Ordinal);
        Assert.Contains("suggest", script.Output, StringComparison.Ordinal);
        var words = await SdxlProcess.RunAsync(host.Home, "[suggest:10]", "trainings ");
        Assert.Contains("logs", words.Lines);
    }

    private static JsonObject Page(JsonObject item, string? next) => new() { ["results"] = new JsonArray(item), ["next"] = next };

    private static JsonObject Training(string status, string logs, string? error = null) =>
        new()
        {
            ["id"] = Id,
            ["status"] = status,
            ["stage"] = "train",
            ["destination"] = "me/cat",
            ["logs"] = logs,
            ["error"] = error,
            ["warnings"] = new JsonArray(),
        };
}
