using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Sdxl.EndToEnd.Tests;

/// <summary>A checkpoint of a training under way becomes something to draw with.</summary>
[Collection(SharedHostCollection.Name)]
public sealed class CheckpointTests(SharedHost shared)
{
    private const int Steps = 110, Row = 100, Rank = 4;
    private const int LoraBytesPerRank = 134_656, LoraFiles = 3; // models/toy.json, "attention"

    private readonly LocalHostProcess _host = shared.Host;

    [Fact]
    public async Task A_kept_checkpoint_is_published_drawn_with_and_other_than_the_end_and_samples_come_when_they_are_asked_for()
    {
        var fields = Short.Training(
            Steps,
            ("name", "kept"),
            ("checkpointing_steps", "20"),
            ("sample_prompts", "a photo of TOK"),
            ("sample_every_steps", $"{Row}"),
            ("keep_checkpoints", "true"),
            ("held_out_pictures", "1")
        );
        using var created = await _host.PostAsync(Short.Dataset("gizmo.zip"), "gizmo.zip", fields);
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        var id = JsonNode.Parse(await created.Content.ReadAsStringAsync())!["id"]!.GetValue<string>();
        await _host.UntilAsync(id, t => t["progress"]?["step"]?.GetValue<int>() > 0, "the first step");

        using (var asked = await _host.Http.PostAsync($"v1/trainings/{id}/sample", null))
            Assert.True(asked.IsSuccessStatusCode, await asked.Content.ReadAsStringAsync());
        var training = await _host.EndOfTrainingAsync(id);
        Assert.Equal("succeeded", training["status"]!.GetValue<string>());

        var rows = await StepsAsync("samples");
        Assert.Equal([0, Row, Steps], rows.Where(step => step is 0 or Row or Steps));
        var kept = await StepsAsync("checkpoints");
        Assert.InRange(kept[0], 1, Row - 1); // the one that was asked for
        Assert.Equal(rows.Except([0, Steps]), kept);
        Assert.Contains(
            $"Sample at step {kept[0]}: a photo of TOK",
            await _host.Http.GetStringAsync($"v1/trainings/{id}/logs"),
            StringComparison.Ordinal
        );
        Assert.Empty(await LeftoversAsync());
        var measured = training["held_out"]!.AsArray().ToDictionary(m => m!["step"]!.GetValue<int>(), m => m!["loss"]!.GetValue<double>());
        Assert.Equal(rows.Except([0]), measured.Keys);
        Assert.Equal(measured.MinBy(m => m.Value).Key, training["recommended"]!["step"]!.GetValue<int>());
        Assert.All(await CheckpointsAsync(), c => Assert.Equal(measured[c!["step"]!.GetValue<int>()], c!["held_out"]!.GetValue<double>()));
        var lora = (await CheckpointsAsync()).Single(c => c!["step"]!.GetValue<int>() == Row)!["files"]!.AsArray()
            .Where(f => f!["name"]!.ToString() is "trained_model.tar" or "kept-kohya.safetensors" or "kept-peft.safetensors").ToList();
        Assert.Equal(LoraFiles, lora.Count);
        Assert.InRange(lora.Sum(f => f!["bytes"]!.GetValue<long>()) / (double)(LoraFiles * Rank * LoraBytesPerRank), 1, 1.1);

        using var published = await _host.Http.PostAsync($"v1/trainings/{id}/checkpoints/{Row}", null);
        Assert.Equal(HttpStatusCode.Created, published.StatusCode);
        var version = JsonNode.Parse(await published.Content.ReadAsStringAsync())!;
        Assert.Equal((Row, id), (version["step"]!.GetValue<int>(), version["training_id"]!.ToString()));
        var ofRow = await DrawnAsync($"me/kept:{version["id"]}");
        var ofEnd = await DrawnAsync(Short.Version(training));
        Assert.NotEqual(ofEnd, ofRow);

        // The training goes with all that it kept; what was published stays.
        Assert.Equal(HttpStatusCode.NoContent, (await _host.Http.DeleteAsync($"v1/trainings/{id}")).StatusCode);
        Assert.Equal(ofRow, await DrawnAsync($"me/kept:{version["id"]}"));

        async Task<List<int>> StepsAsync(string list) =>
            [
                .. (await _host.GetAsync($"v1/trainings/{id}/{list}"))["results"]!
                    .AsArray()
                    .Select(r => r!["step"]!.GetValue<int>())
                    .Distinct(),
            ];

        async Task<JsonArray> CheckpointsAsync() => (await _host.GetAsync($"v1/trainings/{id}/checkpoints"))["results"]!.AsArray();

        // Places of deliveries, and the mark by which samples were asked for.
        async Task<List<string>> LeftoversAsync()
        {
            var names = new List<string>();
            await foreach (var blob in _host.Blobs.GetBlobContainerClient("jobs").GetBlobsAsync(
                Azure.Storage.Blobs.Models.BlobTraits.None, Azure.Storage.Blobs.Models.BlobStates.None, $"me/{id}/", CancellationToken.None))
            {
                var name = blob.Name[$"me/{id}/".Length..];
                if (name == "sample" || name.StartsWith("attempts/", StringComparison.Ordinal))
                    names.Add(name);
            }
            return names;
        }
    }

    /// <summary>The picture of one seed and prompt.</summary>
    private async Task<string> DrawnAsync(string version)
    {
        using var answer = await _host.Http.PostAsJsonAsync(
            "v1/predictions",
            new
            {
                version,
                input = new
                {
                    prompt = "a photo of TOK",
                    seed = 7,
                    num_inference_steps = 3,
                    disable_safety_checker = true,
                },
            }
        );
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        var id = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["id"]!.GetValue<string>();
        var drawn = await _host.EventuallyAsync(
            async () =>
                await _host.GetAsync($"v1/predictions/{id}") is var now
                && now["status"]!.GetValue<string>() is "succeeded" or "failed" or "canceled"
                    ? now
                    : null,
            TimeSpan.FromSeconds(120),
            $"prediction {id}"
        );
        Assert.True(drawn["status"]!.GetValue<string>() == "succeeded", drawn.ToJsonString());
        return Convert.ToBase64String(await _host.Http.GetByteArrayAsync(drawn["output"]![0]!.ToString()));
    }
}
