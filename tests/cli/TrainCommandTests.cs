using System.IO.Compression;
using System.Text.Json.Nodes;

namespace Sdxl.Tests.Cli;

public sealed class TrainCommandTests : IDisposable
{
    private const string Id = "abcdefghijklmnopqrstuvwxyz";
    private static readonly string Version = "me/cat:" + new string('a', 64);
    private readonly FakeHost host = new();
    private readonly string archive;

    public TrainCommandTests()
    {
        archive = Path.Combine(host.Home, "My Cat.zip");
        using var zip = ZipFile.Open(archive, ZipArchiveMode.Create);
        using var entry = zip.CreateEntry("cat.png").Open();
        entry.Write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
    }

    public void Dispose() => host.Dispose();

    private static JsonObject State(string status, string stage, string logs = "", JsonObject? progress = null, string? error = null) =>
        new()
        {
            ["id"] = Id,
            ["destination"] = "me/cat",
            ["base"] = "toy",
            ["status"] = status,
            ["stage"] = stage,
            ["logs"] = logs,
            ["error"] = error,
            ["warnings"] = new JsonArray(),
            ["input"] = new JsonObject { ["token_string"] = "TOK" },
            ["progress"] = progress,
            ["output"] = null,
            ["created_at"] = "2026-01-02T03:04:05Z",
            ["urls"] = new JsonObject(),
        };

    private static JsonObject Steps(int step, double? loss) =>
        new()
        {
            ["pictures_done"] = 1,
            ["pictures"] = 1,
            ["step"] = step,
            ["total_steps"] = 800,
            ["loss"] = loss,
            ["steps_per_second"] = 5.5,
            ["seconds_left"] = 130.0,
            ["device"] = "cpu",
        };

    private void Succeeds()
    {
        const string log =
            "Unpacked My Cat.zip: 1 picture.\nPicture 1/1 cat.png: a photo of TOK on the grass\nPicture 2/2 bad.jpg skipped: the picture "
                + "is cut off.\n"
            + "File notes.jpg skipped: It is named .jpg but is an HTML page.\nWarning: cat.png: Nothing of it is left.\n"
            + "1,234 further files skipped; the report names them all.\n";
        host.Answer("POST /v1/trainings", State("starting", "queued"));
        var done = State("succeeded", "done", log + "Training on cpu.\n", Steps(800, 0.05));
        done["output"] = new JsonObject
        {
            ["version"] = Version,
            ["files"] = new JsonObject { ["trained_model.tar"] = $"{host.Url}/files/tar", ["lora.safetensors"] = $"{host.Url}/files/lora" },
        };
        done["warnings"] = new JsonArray("Only 1 picture: 5 or more are advised, 10 to 20 are better.");
        done["recommended"] = new JsonObject { ["step"] = 400, ["held_out"] = 0.07, ["reason"] = "What it gets wrong is least there." };
        host.Serve("GET /files/tar", "tar bytes"u8.ToArray());
        host.Serve("GET /files/lora", "lora bytes"u8.ToArray());
        host.Answer(
            $"GET /v1/trainings/{Id}",
            State("starting", "queued"),
            State("processing", "unpack"),
            State("processing", "prepare", log),
            State("processing", "train", log, Steps(40, 0.1234)),
            done
        );
    }

    [Fact]
    public async Task In_a_pipe_each_thing_is_a_plain_line_and_the_weights_path_comes_last()
    {
        Succeeds();
        var outcome = await SdxlProcess.RunAsync(
            host.Home,
            "train",
            archive,
            "--name",
            "cat",
            "--max-train-steps",
            "800",
            "--use-dora",
            "--base",
            "toy",
            "-o",
            "out"
        );
        Assert.Equal("", outcome.Errors);
        Assert.Equal(0, outcome.ExitCode);
        Assert.DoesNotContain('\u001b', outcome.Output);
        Assert.Contains("picture  1 of 1: cat.png: a photo of TOK on the grass", outcome.Lines);
        Assert.Contains("warning  bad.jpg was skipped: the picture is cut off.", outcome.Lines);
        Assert.Contains("warning  notes.jpg was skipped: It is named .jpg but is an HTML page.", outcome.Lines);
        Assert.Contains("warning  cat.png: Nothing of it is left.", outcome.Lines);
        Assert.Contains("         1,234 further files skipped; the report names them all.", outcome.Lines);
        Assert.Contains("train    step 40 of 800, loss 0.1234, 5.5 steps/s, 2 min 10 s left", outcome.Lines);
        Assert.Contains("warning  Only 1 picture: 5 or more are advised, 10 to 20 are better.", outcome.Lines);
        Assert.Contains("weights  out/trained_model.tar", outcome.Lines);
        Assert.Contains("best     step 400. What it gets wrong is least there.", outcome.Lines);
        Assert.Equal("draw     ./sdxl draw \"a photo of TOK on the beach\"", outcome.Lines[^1]);
        Assert.Equal("tar bytes", File.ReadAllText(Path.Combine(host.Home, "out", "trained_model.tar")));
        Assert.Equal("lora bytes", File.ReadAllText(Path.Combine(host.Home, "out", "lora.safetensors")));
        var form = host.Requests.Single(request => request.Line == "POST /v1/trainings").Body;
        foreach (var (field, value) in new[] { ("name", "cat"), ("base", "toy"), ("max_train_steps", "800"), ("use_dora", "true") })
            Assert.Matches($"name=\"?{field}\"?\r\n\r\n{value}\r\n", form);
        Assert.Matches("name=\"?input_images\"?; filename=\"My Cat.zip\"", form);
    }

    [Fact]
    public async Task A_version_is_trained_further_on_its_own_pictures_or_on_others()
    {
        Succeeds();
        Assert.Equal(
            0,
            (await SdxlProcess.RunAsync(host.Home, "train", "--from", "me/cat", "--max-train-steps", "400", "-o", "out")).ExitCode
        );
        var body = JsonNode.Parse(host.Requests.Single(request => request.Line == "POST /v1/trainings").Body)!;
        Assert.Equal("""{"input":{"max_train_steps":"400"},"from":"me/cat"}""", body.ToJsonString());

        Assert.Equal(0, (await SdxlProcess.RunAsync(host.Home, "train", archive, "--from", "me/cat", "-o", "out")).ExitCode);
        var form = host.Requests.Last(request => request.Line == "POST /v1/trainings").Body;
        Assert.Matches("name=\"?from\"?\r\n\r\nme/cat\r\n", form);

        var neither = await SdxlProcess.RunAsync(host.Home, "train");
        Assert.NotEqual(0, neither.ExitCode);
        Assert.Contains("or --from VERSION", neither.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_json_each_line_is_an_object_and_the_last_one_is_the_result()
    {
        Succeeds();
        var outcome = await SdxlProcess.RunAsync(host.Home, "train", archive, "--json");
        Assert.Equal(0, outcome.ExitCode);
        var lines = outcome.Lines.Select(line => JsonNode.Parse(line)!.AsObject()).ToList();
        Assert.All(lines.SkipLast(1), line => Assert.NotNull(line["event"]));
        var step = lines.First(line => line["event"]?.ToString() == "progress");
        Assert.Equal((40, 800, 0.1234), (step["step"]!.GetValue<int>(), step["total"]!.GetValue<int>(), step["loss"]!.GetValue<double>()));
        var result = lines[^1];
        Assert.True(File.Exists(result["weights"]!.ToString()));
        Assert.Equal(Version, result["version"]!.ToString());
        Assert.True(result["seconds"]!.GetValue<double>() > 0);
    }

    [Fact]
    public async Task A_failed_training_is_one_sentence_on_stderr_and_exit_code_1()
    {
        host.Answer("POST /v1/trainings", State("starting", "queued"));
        host.Answer($"GET /v1/trainings/{Id}", State("failed", "prepare", error: "The only picture in My Cat.zip cannot be used."));
        var outcome = await SdxlProcess.RunAsync(host.Home, "train", archive);
        Assert.Equal(1, outcome.ExitCode);
        Assert.Equal("The only picture in My Cat.zip cannot be used.\n", outcome.Errors);
    }

    [Fact]
    public async Task A_refusal_of_the_host_is_its_own_sentence()
    {
        host.Problem("POST /v1/trainings", 422, "cat.png: it has 60000 x 60000 pixels. Shrink it.");
        var outcome = await SdxlProcess.RunAsync(host.Home, "train", archive, "--json");
        Assert.Equal((1, "cat.png: it has 60000 x 60000 pixels. Shrink it.\n"), (outcome.ExitCode, outcome.Errors));
        Assert.Equal("cat.png: it has 60000 x 60000 pixels. Shrink it.", JsonNode.Parse(outcome.Lines[^1])!["error"]!.ToString());
    }

    [Fact]
    public async Task Ctrl_C_leaves_the_training_to_a_host_that_goes_on_and_says_how_to_come_back()
    {
        var training = new TaskCompletionSource();
        host.Answer("POST /v1/trainings", State("starting", "queued"));
        host.On($"GET /v1/trainings/{Id}", () => training.TrySetResult(), State("processing", "train"));
        var outcome = await SdxlProcess.RunAsync(host.Home, training.Task, "train", archive);
        Assert.Equal(130, outcome.ExitCode);
        Assert.Contains(
            $"training {Id} goes on: ./sdxl trainings logs {Id} -f follows it, ./sdxl trainings cancel {Id} ends it",
            outcome.Output,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(host.Requests, request => request.Line.EndsWith("/cancel", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("nothing.zip", "There is no file 'nothing.zip'")]
    [InlineData(".", "'.' is a folder. Pack its pictures into a zip")]
    [InlineData("host.json", "'host.json' is not an archive but a JSON document")]
    public async Task A_bad_archive_is_refused_before_anything_is_sent(string path, string sentence)
    {
        var outcome = await SdxlProcess.RunAsync(host.Home, "train", path);
        Assert.Equal(1, outcome.ExitCode);
        Assert.StartsWith(sentence, outcome.Errors, StringComparison.Ordinal);
        Assert.Empty(host.Requests);
    }

    [Fact]
    public async Task A_mistake_in_the_archives_training_json_is_told_with_the_file_before_anything_is_sent()
    {
        using (var zip = ZipFile.Open(archive, ZipArchiveMode.Update))
        {
            using var settings = zip.CreateEntry("training.json").Open();
            settings.Write("{\"resolution\": 37, \"lora_rank\": 0}"u8);
        }
        var outcome = await SdxlProcess.RunAsync(host.Home, "train", archive, "--lora-rank", "8", "--base", "toy");
        Assert.Equal(
            (1, "training.json in My Cat.zip: Input 'resolution' is 37; it must be 64 to 2048, a multiple of 8 (nearest: 64).\n"),
            (outcome.ExitCode, outcome.Errors)
        );
        Assert.Empty(host.Requests);
    }

    [Fact]
    public async Task Checks_of_a_zip_and_a_tar_of_one_name_leave_a_folder_each()
    {
        using var picture = new MemoryStream(
            File.ReadAllBytes(Path.Combine(TestPaths.Root, "tests", "fixtures", "shared", "pictures", "plain.png"))
        );
        var tar = Path.Combine(host.Home, "My Cat.tar");
        using (var writer = new System.Formats.Tar.TarWriter(File.Create(tar)))
            writer.WriteEntry(
                new System.Formats.Tar.PaxTarEntry(System.Formats.Tar.TarEntryType.RegularFile, "cat.png") { DataStream = picture }
            );
        var done = State("succeeded", "done");
        done["urls"] = new JsonObject { ["report"] = $"{host.Url}/report" };
        host.Answer("POST /v1/checks", State("starting", "queued"));
        host.Answer($"GET /v1/trainings/{Id}", done);
        foreach (var path in new[] { archive, tar })
        {
            host.Serve("GET /report", System.Text.Encoding.UTF8.GetBytes(path));
            Assert.Equal(0, (await SdxlProcess.RunAsync(host.Home, "check", path)).ExitCode);
        }
        Assert.Equal(archive, File.ReadAllText(Path.Combine(host.Home, "output", "check-My Cat.zip", "report.html")));
        Assert.Equal(tar, File.ReadAllText(Path.Combine(host.Home, "output", "check-My Cat.tar", "report.html")));
    }

    [Fact]
    public async Task All_bad_inputs_are_told_at_once()
    {
        var outcome = await SdxlProcess.RunAsync(
            host.Home,
            "train",
            archive,
            "--resolution",
            "37",
            "--token-string",
            "a:b",
            "--base",
            "toy"
        );
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains("Input 'resolution' is 37; it must be 64 to 2048, a multiple of 8", outcome.Errors, StringComparison.Ordinal);
        Assert.Contains("'a:b'", outcome.Errors, StringComparison.Ordinal);
    }
}
