using System.Net;
using System.Text.Json.Nodes;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Storage;

namespace Sdxl.Tests.Functions;

/// <summary>Asking a running training for its samples: a mark for the worker, or a sentence that says why not.</summary>
[Collection(ProductCollection.Name)]
public sealed class SampleNowTests(ProductFixture product)
{
    [Fact]
    public async Task A_training_under_way_gets_the_mark_that_its_worker_looks_for()
    {
        var training = await WriteAsync(JobStatus.Processing, TrainingStage.Train, "a photo of TOK");
        using var answer = await AskAsync(training.Id);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var view = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.EndsWith($"/v1/trainings/{training.Id}/sample", view["urls"]!["sample"]!.ToString(), StringComparison.Ordinal);
        Assert.True(await new BlobStore(product.Storage).ExistsAsync(StorageLayout.Jobs, StorageLayout.SampleMark(training.Key)));
    }

    [Theory]
    [InlineData(JobStatus.Processing, TrainingStage.Train, null, "has no sample prompts")]
    [InlineData(JobStatus.Processing, TrainingStage.Prepare, "a photo of TOK", "not being trained yet")]
    [InlineData(JobStatus.Starting, TrainingStage.Queued, "a photo of TOK", "not being trained yet")]
    [InlineData(JobStatus.Processing, TrainingStage.Publish, "a photo of TOK", "is being published")]
    [InlineData(JobStatus.Succeeded, TrainingStage.Done, "a photo of TOK", "is over (succeeded)")]
    [InlineData(JobStatus.Canceled, TrainingStage.Train, "a photo of TOK", "is over (canceled)")]
    public async Task Where_no_samples_can_be_drawn_the_answer_says_why_and_no_mark_is_left(
        JobStatus status, TrainingStage stage, string? prompts, string why)
    {
        var training = await WriteAsync(status, stage, prompts);
        using var answer = await AskAsync(training.Id);
        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
        var detail = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["detail"]!.ToString();
        Assert.Contains($"'{training.Id}'", detail, StringComparison.Ordinal);
        Assert.Contains(why, detail, StringComparison.Ordinal);
        Assert.False(await new BlobStore(product.Storage).ExistsAsync(StorageLayout.Jobs, StorageLayout.SampleMark(training.Key)));
    }

    [Fact]
    public async Task A_training_that_is_not_there_is_not_found()
    {
        using var answer = await AskAsync(JobId.New());
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    private async Task<TrainingRecord> WriteAsync(JobStatus status, TrainingStage stage, string? prompts)
    {
        var now = DateTimeOffset.UtcNow;
        var training = new TrainingRecord
        {
            Id = JobId.New(),
            Owner = "me",
            Name = "sampled",
            Base = "toy",
            Source = "http",
            Status = status,
            Stage = stage,
            Input = prompts is null ? [] : new JsonObject { ["sample_prompts"] = prompts },
            CreatedAt = now,
            StartedAt = now,
            CompletedAt = JobTransitions.IsTerminal(status) ? now : null,
        };
        await new BlobStore(product.Storage).WriteAsync(StorageLayout.Records, StorageLayout.TrainingRecord(training.Key), training);
        return training;
    }

    private Task<HttpResponseMessage> AskAsync(string id) => product.Http.PostAsync($"v1/trainings/{id}/sample", null);
}
