using System.Text.Json.Nodes;
using Sdxl.Cli;

namespace Sdxl.Tests.Cli;

public sealed class OtherCommandsTests : IDisposable
{
    private const string First = "aaaabbbbccccddddeeeeffffgg";
    private const string Second = "aaaazzzzccccddddeeeeffffgg";
    private static readonly string Version = "me/gizmo:" + new string('b', 64);
    private readonly FakeHost host = new();

    public void Dispose() => host.Dispose();

    private static JsonObject Training(string id, string status, string? version = null) =>
        new()
        {
            ["id"] = id,
            ["destination"] = "me/gizmo",
            ["base"] = "toy",
            ["status"] = status,
            ["stage"] = "train",
            ["logs"] = "line one\n",
            ["warnings"] = new JsonArray(),
            ["created_at"] = "2026-01-02T03:04:05Z",
            ["output"] = version is null ? null : new JsonObject { ["version"] = version },
        };

    private void Trainings(params JsonObject[] trainings)
    {
        host.Answer("GET /v1/trainings", new JsonObject { ["results"] = new JsonArray([.. trainings]) });
        foreach (var training in trainings)
            host.Answer($"GET /v1/trainings/{training["id"]}", training.DeepClone().AsObject());
    }

    [Fact]
    public async Task Draw_takes_the_newest_version_and_saves_each_picture_with_its_seed()
    {
        Trainings(Training(Second, "processing"), Training(First, "succeeded", Version));
        host.Answer("POST /v1/predictions", new JsonObject { ["id"] = "ppppppppqqqqqqqq", ["status"] = "starting" });
        host.Answer(
            "GET /v1/predictions/ppppppppqqqqqqqq",
            new JsonObject { ["id"] = "ppppppppqqqqqqqq", ["status"] = "processing" },
            new JsonObject
            {
                ["id"] = "ppppppppqqqqqqqq",
                ["status"] = "succeeded",
                ["output"] = new JsonArray($"{host.Url}/p/0", $"{host.Url}/p/1"),
                ["seeds"] = new JsonArray(7, 8),
                ["warnings"] = new JsonArray("The safety checker left out 1 of 3 pictures: out-2.png (seed 9)."),
            }
        );
        host.Serve("GET /p/0", "zero"u8.ToArray());
        host.Serve("GET /p/1", "one"u8.ToArray());
        var outcome = await SdxlProcess.RunAsync(host.Home, "draw", "a photo of TOK", "--outputs", "2", "--seed", "7");
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Errors));
        Assert.Equal(["output/pppppppp-0.png  (seed 7)", "output/pppppppp-1.png  (seed 8)"], outcome.Lines[^2..]);
        Assert.Contains("The safety checker left out 1 of 3 pictures", outcome.Output, StringComparison.Ordinal);
        Assert.Equal("one", File.ReadAllText(Path.Combine(host.Home, "output", "pppppppp-1.png")));
        var sent = JsonNode.Parse(host.Requests.Single(request => request.Line == "POST /v1/predictions").Body)!;
        Assert.Equal(Version, sent["version"]!.ToString());
        Assert.Equal(
            ("a photo of TOK", "2", "7"),
            (sent["input"]!["prompt"]!.ToString(), sent["input"]!["num_outputs"]!.ToString(), sent["input"]!["seed"]!.ToString())
        );
    }

    [Theory]
    [InlineData("in a pipe")]
    [InlineData("on a terminal without escape codes", "TERM=dumb")]
    [InlineData("on a build service's terminal", "TERM=xterm-256color", "GITHUB_ACTIONS=true")]
    [InlineData("on a terminal", "TERM=xterm-256color")]
    public async Task Draw_tells_how_far_it_is(string where, params string[] terminal)
    {
        JsonObject State(string status, JsonNode? progress) =>
            new()
            {
                ["id"] = "ppppppppqqqqqqqq",
                ["status"] = status,
                ["progress"] = progress,
            };
        var done = State("succeeded", null);
        (done["output"], done["seeds"]) = (new JsonArray($"{host.Url}/p/0"), new JsonArray(7));
        host.Answer("POST /v1/predictions", State("starting", null));
        host.Answer(
            "GET /v1/predictions/ppppppppqqqqqqqq",
            State(
                "processing",
                new JsonObject
                {
                    ["step"] = 10,
                    ["total_steps"] = 25,
                    ["steps_per_second"] = 2.5,
                    ["seconds_left"] = 6.0,
                }
            ),
            State("processing", null),
            State("processing", null),
            done
        );
        host.Serve("GET /p/0", "zero"u8.ToArray());
        string[] draw = ["draw", "a photo of TOK", "--version", "none"];
        var outcome =
            terminal.Length == 0
                ? await SdxlProcess.RunAsync(host.Home, draw)
                : await SdxlProcess.RunOnTerminalAsync(host.Home, terminal, draw);

        Assert.True(outcome.ExitCode == 0, $"{where}: {outcome.Output}{outcome.Errors}");
        Assert.Contains("step 10 of 25, 2.5 steps/s, 6 s left", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Draw_sends_a_file_of_this_machine_along_with_the_inputs_and_says_what_the_host_warns_of()
    {
        Directory.CreateDirectory(Path.Combine(host.Home, "weights"));
        await File.WriteAllTextAsync(Path.Combine(host.Home, "weights", "GIZMO.safetensors"), "the weights' bytes");
        host.Answer(
            "POST /v1/predictions",
            new JsonObject
            {
                ["id"] = "ppppppppqqqqqqqq",
                ["status"] = "succeeded",
                ["output"] = new JsonArray($"{host.Url}/p/0"),
                ["seeds"] = new JsonArray(7),
                ["warnings"] = new JsonArray("The pictures were not checked."),
            }
        );
        host.Serve("GET /p/0", "zero"u8.ToArray());

        var outcome = await SdxlProcess.RunAsync(
            host.Home,
            "draw",
            "a photo of GIZMO",
            "--replicate-weights",
            "weights/GIZMO.safetensors",
            "--image",
            "jobs/some/blob.png",
            "--base",
            "toy"
        );

        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Errors));
        Assert.Contains("a photo of GIZMO (toy with GIZMO.safetensors)", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("The pictures were not checked.", outcome.Output, StringComparison.Ordinal);
        var body = host.Requests.Single(request => request.Line == "POST /v1/predictions").Body;
        Assert.Matches("name=\"?replicate_weights\"?; filename=\"?GIZMO.safetensors\"?", body);
        Assert.Contains("the weights' bytes", body, StringComparison.Ordinal);
        Assert.Matches("name=\"?base\"?\r\n\r\ntoy\r\n", body);
        Assert.Matches("name=\"?image\"?\r\n\r\njobs/some/blob.png\r\n", body);
        Assert.DoesNotContain("version", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Draw_sends_an_address_as_it_is_and_refuses_a_path_that_is_not_there_in_one_sentence()
    {
        host.Problem("POST /v1/predictions", 422, "not reachable");
        var sent = await SdxlProcess.RunAsync(host.Home, "draw", "x", "--replicate-weights", "https://example.com/w.tar?sig=secret");
        Assert.Equal(
            "https://example.com/w.tar?sig=secret",
            JsonNode.Parse(host.Requests.Single(r => r.Line == "POST /v1/predictions").Body)!["input"]!["replicate_weights"]!.ToString()
        );
        Assert.DoesNotContain("secret", sent.Output + sent.Errors, StringComparison.Ordinal);

        var missing = await SdxlProcess.RunAsync(host.Home, "draw", "x", "--replicate-weights", "./none.tar");
        Assert.Equal(
            (
                1,
                "There is no file './none.tar' for --replicate-weights. Give a file, an http(s) address, a data URI, or container/path of "
                    + "a blob in the host's storage."
            ),
            (missing.ExitCode, missing.Errors.Trim())
        );
    }

    [Theory]
    [InlineData(
        "Input 'width' is 100; it must be 64 to 4096, a multiple of 8 (nearest: 96). Input 'scheduler' is EULER; it must be one of ",
        "--width",
        "100",
        "--scheduler",
        "EULER"
    )]
    [InlineData("Input 'mask' was given without 'image'.", "--mask", "jobs/some/blob.png")]
    [InlineData(
        "Input 'replicate_weights' was given together with 'version'",
        "--version",
        "me/cat",
        "--replicate-weights",
        "jobs/some/weights.tar"
    )]
    [InlineData("There is no file 'Pictures/none.png' for --image. Give a file, an http(s) address", "--image", "Pictures/none.png")]
    [InlineData(
        "There is no file 'weights/none.tar' for --replicate-weights. Give a file, an http(s) address",
        "--replicate-weights",
        "weights/none.tar"
    )]
    [InlineData("There is no base model called 'none' in ", "--base", "none")]
    public async Task What_is_wrong_with_a_drawings_inputs_is_said_before_a_host_is_asked_or_started(string says, params string[] options)
    {
        Directory.CreateDirectory(Path.Combine(host.Home, "weights"));
        var outcome = await SdxlProcess.RunAsync(host.Home, ["draw", "a photo of TOK", .. options]);
        Assert.Equal((1, ""), (outcome.ExitCode, outcome.Output));
        Assert.StartsWith(says, outcome.Errors, StringComparison.Ordinal);
        Assert.Empty(host.Requests);
    }

    [Fact]
    public async Task Draw_without_a_training_says_how_to_get_one()
    {
        var outcome = await SdxlProcess.RunAsync(host.Home, "draw", "a photo of TOK");
        Assert.Equal(1, outcome.ExitCode);
        Assert.StartsWith("Nothing is trained yet. Run ./sdxl demo", outcome.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_lists_trainings_and_tells_one_by_the_first_letters_of_its_id()
    {
        Trainings(Training(First, "succeeded", Version), Training(Second, "processing"));
        var list = await SdxlProcess.RunAsync(host.Home, "status");
        Assert.Equal(0, list.ExitCode);
        Assert.Equal([First, Second], list.Lines.Select(line => line.Split(' ')[0]));
        Assert.Contains("processing (train)", list.Lines[1], StringComparison.Ordinal);

        var one = await SdxlProcess.RunAsync(host.Home, "status", "aaaabb");
        Assert.Contains($"version   {Version}", one.Lines);
        Assert.Equal("line one", one.Lines[^1]);

        Assert.Contains("begins 2 ids", (await SdxlProcess.RunAsync(host.Home, "status", "aaaa")).Errors, StringComparison.Ordinal);
        Assert.Contains(
            "There is no training 'x'",
            (await SdxlProcess.RunAsync(host.Home, "status", "x")).Errors,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Cancel_waits_until_the_training_is_canceled()
    {
        Trainings(Training(Second, "processing"));
        host.On(
            $"POST /v1/trainings/{Second}/cancel",
            () => host.Answer($"GET /v1/trainings/{Second}", Training(Second, "processing"), Training(Second, "canceled")),
            Training(Second, "processing")
        );
        var outcome = await SdxlProcess.RunAsync(host.Home, "cancel", "aaaaz");
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Errors));
        Assert.Equal($"Training {Second} is canceled.", outcome.Lines[^1]);
        Assert.Equal(1, (await SdxlProcess.RunAsync(host.Home, "cancel", "aaaaz")).ExitCode);
    }

    [Fact]
    public async Task Up_beside_a_running_host_names_that_one()
    {
        var outcome = await SdxlProcess.RunAsync(host.Home, "up");
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains($"A host is up already on {host.Home}: {host.Url}/", outcome.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void A_storage_that_is_away_is_one_sentence()
    {
        var refused = new Azure.RequestFailedException("Connection refused (127.0.0.1:10000)");

        var sentence = CommandRunner.Sentence(new AggregateException("Retry failed after 6 tries.", refused, refused, refused));

        Assert.Equal(
            "Blob storage does not answer: Connection refused (127.0.0.1:10000). See the host's log with ./sdxl status, or start it with "
                + "./sdxl up.",
            sentence
        );
        Assert.Null(CommandRunner.Sentence(new AggregateException(new InvalidOperationException("a defect of ours"))));
    }

    [Theory]
    [InlineData("There is no command 'trian'. Did you mean train?", "trian", "x.zip")]
    [InlineData(
        "There is no option '--max-train-step' for train. Did you mean --max-train-steps?",
        "train",
        "x.zip",
        "--max-train-step",
        "5"
    )]
    [InlineData("The archive is missing: ./sdxl check ARCHIVE.", "check")]
    [InlineData("The archive is missing: give the path of a zip, tar or tar.gz of pictures, or --from VERSION", "train")]
    [InlineData("'photo' is one word too many for draw: put texts with spaces into quotes.", "draw", "a", "photo")]
    public async Task A_wrong_command_line_is_one_sentence(string sentence, params string[] arguments)
    {
        var outcome = await SdxlProcess.RunAsync(host.Home, arguments);
        Assert.Equal((1, ""), (outcome.ExitCode, outcome.Output));
        Assert.StartsWith(sentence, outcome.Errors, StringComparison.Ordinal);
        Assert.Single(outcome.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Theory]
    [InlineData("demo")]
    [InlineData("train")]
    [InlineData("draw")]
    [InlineData("up")]
    [InlineData("status")]
    [InlineData("cancel")]
    public async Task Help_of_each_command_has_examples_and_stays_within_its_columns(string command)
    {
        var outcome = await SdxlProcess.RunAsync(host.Home, command, "--help");
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Errors));
        Assert.Contains($"./sdxl {command}", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("Example", outcome.Output, StringComparison.Ordinal);
        Assert.All(outcome.Lines, line => Assert.True(line.Length <= 150, line));
    }
}
