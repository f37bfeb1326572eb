using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Sdxl.Core.Bases;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Json;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Core.Versions;
using Sdxl.Functions.Storage;

namespace Sdxl.Tests.Functions;

/// <summary>Checkpoints that a training kept: listed with links, published whole or not at all.</summary>
[Collection(ProductCollection.Name)]
public sealed class CheckpointTests(ProductFixture product)
{
    private readonly BlobStore _blobs = new(product.Storage);

    [Fact]
    public async Task A_checkpoint_of_a_running_training_is_downloaded_and_published_as_a_version_that_says_its_step()
    {
        var training = await WriteAsync("kept-one", 5, 10);

        var list = await ListAsync(training.Id);
        Assert.Equal([5, 10], list.Select(c => c!["step"]!.GetValue<int>()));
        Assert.All(list, c => Assert.Null(c!["version"]));
        var tar = list[1]!["files"]!.AsArray().Single(f => f!["name"]!.ToString() == "trained_model.tar")!;
        using (var nobody = product.With(null))
            Assert.Equal("trained_model.tar of 10", await nobody.GetStringAsync(tar["url"]!.ToString()));
        Assert.Equal(tar["bytes"]!.GetValue<int>(), "trained_model.tar of 10".Length);

        using var answer = await PublishAsync(training.Id, "10");
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        var version = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        var id = version["id"]!.ToString();
        Assert.Equal((10, training.Id), (version["step"]!.GetValue<int>(), version["training_id"]!.ToString()));
        Assert.EndsWith($"/v1/models/me/kept-one/versions/{id}", answer.Headers.Location!.ToString(), StringComparison.Ordinal);
        Assert.Equal("trained_model.tar of 10", await product.Http.GetStringAsync(version["files"]!["trained_model.tar"]!.ToString()));
        var manifest = await product.Http.GetByteArrayAsync(version["files"]!["manifest.json"]!.ToString());
        Assert.Equal(id, VersionManifest.IdOf(manifest));
        Assert.Equal(10, JsonNode.Parse(manifest)!["step"]!.GetValue<int>());

        Assert.Equal([null, $"me/kept-one:{id}"], (await ListAsync(training.Id)).Select(c => c!["version"]?.ToString()));
        Assert.Equal(JobStatus.Processing, (await product.Records().TrainingAsync(training.Key))!.Status);
    }

    [Fact]
    public async Task What_was_measured_on_pictures_held_out_stands_with_each_and_the_training_says_which_step_is_best_and_why()
    {
        var training = await WriteAsync("kept-measured", 5, 10);
        Assert.All(await ListAsync(training.Id), c => Assert.Null(c!["held_out"])); // it is not over yet
        await product.Records().ChangeTrainingAsync(
            training.Key, r => r with { HeldOut = [new(5, 0.0823), new(10, 0.0711), new(15, 0.0796)] }, default);

        Assert.Equal([0.0823, 0.0711], (await ListAsync(training.Id)).Select(c => c!["held_out"]!.GetValue<double>()));
        var view = JsonNode.Parse(await product.Http.GetStringAsync($"v1/trainings/{training.Id}"))!;
        Assert.Equal([5, 10, 15], view["held_out"]!.AsArray().Select(m => m!["step"]!.GetValue<int>()));
        Assert.Equal((10, 0.0711), (view["recommended"]!["step"]!.GetValue<int>(), view["recommended"]!["held_out"]!.GetValue<double>()));
        Assert.Equal(
            "What it gets wrong on the pictures held out is least there, 0.0711; later it learned the others by heart: 0.0796 at the last "
                + "step, 15.",
            view["recommended"]!["reason"]!.ToString());
    }

    [Fact]
    public async Task Published_again_or_by_a_training_of_the_same_bytes_it_is_the_same_version()
    {
        var (one, twin) = (await WriteAsync("kept-twice", 10), await WriteAsync("kept-twice", 10));
        var first = await IdAsync(await PublishAsync(one.Id, "10"), HttpStatusCode.Created);
        Assert.Equal(first, await IdAsync(await PublishAsync(one.Id, "10"), HttpStatusCode.OK));
        Assert.Equal($"me/kept-twice:{first}", (await ListAsync(twin.Id))[0]!["version"]!.ToString());
        Assert.Equal(first, await IdAsync(await PublishAsync(twin.Id, "10"), HttpStatusCode.OK));
        var known = JsonNode.Parse(await product.Http.GetStringAsync("v1/models/me/kept-twice/versions"))!["results"]!.AsArray();
        Assert.Equal(10, Assert.Single(known)!["step"]!.GetValue<int>());
    }

    [Fact]
    public async Task Two_checkpoints_of_a_training_are_two_versions_of_its_model()
    {
        var training = await WriteAsync("kept-both", 5, 10);
        var ids = new List<string>();
        foreach (var step in new[] { "10", "5" })
            ids.Add(await IdAsync(await PublishAsync(training.Id, step), HttpStatusCode.Created));
        Assert.Equal(2, ids.Distinct().Count());
        var known = JsonNode.Parse(await product.Http.GetStringAsync("v1/models/me/kept-both/versions"))!["results"]!.AsArray();
        Assert.Equal([5, 10], known.Select(v => v!["step"]!.GetValue<int>())); // newest first
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_whose_files_are_not_whole_is_not_published_at_all(bool missing)
    {
        var name = $"kept-torn-{missing}".ToLowerInvariant();
        var training = await WriteAsync(name, 10);
        var blob = await _blobs.BlobAsync(StorageLayout.Jobs, StorageLayout.Kept(training.Key, Place(10), "trained_model.tar"));
        if (missing)
            await blob.DeleteAsync();
        else
            await blob.UploadAsync(new BinaryData("other"), overwrite: true);

        using var answer = await PublishAsync(training.Id, "10");

        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
        var detail = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["detail"]!.ToString();
        Assert.Contains($"Checkpoint 10 of training '{training.Id}'", detail, StringComparison.Ordinal);
        Assert.Contains(missing ? "trained_model.tar is missing" : "trained_model.tar has SHA-256", detail, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await product.Http.GetAsync($"v1/models/me/{name}")).StatusCode);
        Assert.Empty(await _blobs.ListAsync(StorageLayout.Models, $"me/{name}/"));
    }

    [Fact]
    public async Task What_is_not_there_is_said_with_what_is()
    {
        var training = await WriteAsync("kept-none", 5, 10);
        Assert.Contains("it keeps those of step 5, 10", await NotFoundAsync(training.Id, "7"), StringComparison.Ordinal);
        Assert.Contains("has no checkpoint 'x'", await NotFoundAsync(training.Id, "x"), StringComparison.Ordinal);
        var early = await WriteAsync("kept-none");
        Assert.Contains("the first is kept with its first row", await NotFoundAsync(early.Id, "5"), StringComparison.Ordinal);
        var without = await WriteAsync("kept-none", keep: false);
        Assert.Contains("started without 'keep_checkpoints'", await NotFoundAsync(without.Id, "5"), StringComparison.Ordinal);
        var old = await WriteAsync("kept-none");
        await product.Records().ChangeTrainingAsync(old.Key, r => r with { ScratchRemoved = true });
        Assert.Contains("removed after its time", await NotFoundAsync(old.Id, "5"), StringComparison.Ordinal);

        var token = await product.TokenAsync(new JsonObject { ["name"] = "k", ["owner"] = "stranger" });
        using var other = product.With(token["token"]!.ToString());
        Assert.Equal(HttpStatusCode.NotFound, (await other.GetAsync($"v1/trainings/{training.Id}/checkpoints")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await other.PostAsync($"v1/trainings/{training.Id}/checkpoints/5", null)).StatusCode);
    }

    private async Task<TrainingRecord> WriteAsync(string name, params int[] steps) => await WriteAsync(name, keep: true, steps);

    private async Task<TrainingRecord> WriteAsync(string name, bool keep, params int[] steps)
    {
        var inputs = TrainingInputs.Read(
            new JsonObject { ["seed"] = 1, ["sample_prompts"] = "a photo of TOK", ["keep_checkpoints"] = keep },
            BaseManifest.Load(product.Models, "toy"),
            "a"
        );
        var training = new TrainingRecord
        {
            Id = JobId.New(),
            Owner = "me",
            Name = name,
            Base = "toy",
            Source = "http",
            Status = JobStatus.Processing,
            Stage = TrainingStage.Train,
            Input = JsonSerializer.SerializeToNode(inputs, SdxlJson.Options)!.AsObject(),
            CreatedAt = DateTimeOffset.UtcNow,
        };
        await _blobs.WriteAsync(StorageLayout.Records, StorageLayout.TrainingRecord(training.Key), training);
        var list = new List<KeptCheckpoint>();
        foreach (var step in steps)
        {
            var files = new List<VersionFile>();
            foreach (var file in new[] { "config.json", "trained_model.tar" })
            {
                var bytes = Encoding.UTF8.GetBytes($"{file} of {step}");
                await _blobs.WriteBytesAsync(
                    StorageLayout.Jobs, StorageLayout.Kept(training.Key, Place(step), file), bytes, "application/octet-stream");
                files.Add(new VersionFile(file, bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes))));
            }
            list.Add(new KeptCheckpoint(step, Place(step), files));
        }
        if (list.Count > 0)
            await _blobs.WriteAsync(StorageLayout.Jobs, StorageLayout.KeptList(training.Key), list);
        return training;
    }

    private static string Place(int step) => $"000001-abc/step-{step:D6}/";

    private async Task<JsonArray> ListAsync(string id) =>
        JsonNode.Parse(await product.Http.GetStringAsync($"v1/trainings/{id}/checkpoints"))!["results"]!.AsArray();

    private Task<HttpResponseMessage> PublishAsync(string id, string step) =>
        product.Http.PostAsync($"v1/trainings/{id}/checkpoints/{step}", null);

    private static async Task<string> IdAsync(HttpResponseMessage answer, HttpStatusCode expected)
    {
        using (answer)
        {
            var text = await answer.Content.ReadAsStringAsync();
            Assert.True(answer.StatusCode == expected, text);
            return JsonNode.Parse(text)!["id"]!.ToString();
        }
    }

    private async Task<string> NotFoundAsync(string id, string step)
    {
        using var answer = await PublishAsync(id, step);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["detail"]!.ToString();
    }
}
