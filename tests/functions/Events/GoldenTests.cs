using System.Text.Json;
using System.Text.Json.Nodes;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Options;
using Sdxl.Core.Bases;
using Sdxl.Core.Events;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.Core.Predictions;
using Sdxl.Core.Records;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Events;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Predictions;
using Sdxl.Functions.Files;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Trainings;
using Sdxl.Functions.Versions;

namespace Sdxl.Tests.Functions.Events;

/// <summary>
/// The shapes of messages, records and events, letter by letter: sender and receiver, this version and the next one, and whoever is told of
/// events depend on them. tests/fixtures/messages/v1 and tests/fixtures/events/v1 hold them.
/// </summary>
public sealed class GoldenTests
{
    private static readonly JobKey s_key = new("me", "abcdefghijklmnopqrstuvwxyz");
    private static readonly DateTimeOffset s_at = new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);
    private static readonly DrawnPicture[] s_pictures = [new("out-0.png", 7, false), new("out-1.png", 8, true)];

    public static TheoryData<string, object> Messages =>
        new()
        {
            { "event-happened", new Wrapped<EventMessage>(new EventsHappened(s_key, "predictions", "webhook")) },
            { "event-logs", new Wrapped<EventMessage>(new LogsGrew(s_key, "trainings", 120, 3)) },
            { "event-training-due", new Wrapped<EventMessage>(new TrainingDue(s_key)) },
            { "event-prediction-due", new Wrapped<EventMessage>(new PredictionDue(s_key)) },
            { "worker-drawing-started", new Wrapped<WorkerEvent>(new DrawingStarted(s_key, 1, s_at, "cpu")) },
            { "worker-picture-drawn", new Wrapped<WorkerEvent>(new PictureDrawn(s_key, 1, s_at, s_pictures)) },
            { "worker-drawing-logged", new Wrapped<WorkerEvent>(new DrawingLogged(s_key, 1, s_at)) },
            {
                "worker-prediction-completed",
                new Wrapped<WorkerEvent>(new PredictionCompleted(s_key, 1, s_at, s_pictures, 1.5, ["Not checked."]))
            },
            { "worker-failed", new Wrapped<WorkerEvent>(new JobFailed(s_key, 1, s_at, "It broke.")) },
            { "worker-canceled", new Wrapped<WorkerEvent>(new JobCanceled(s_key, 1, s_at)) },
            { "prediction-job", new Wrapped<PredictionJob>(Job()) },
            {
                "prediction-record",
                new Wrapped<PredictionRecord>(
                    Prediction() with
                    {
                        Outbox = [OutboxMessage.Of<EventMessage>("events", "due/x", new PredictionDue(s_key), s_at)],
                    }
                )
            },
            { "drawing-state", new Wrapped<DrawingState>(new DrawingState(s_at, "cpu", 12, 50, 2.5, 15.2, s_pictures, "Using seed: 7\n")) },
            {
                "undelivered-event",
                new Wrapped<UndeliveredEvent>(
                    new UndeliveredEvent(
                        $"{s_key.Id}-0002.webhook",
                        "predictions",
                        s_key,
                        new JobEvent(2, EventTypes.PredictionProcessing, s_at),
                        "webhook",
                        "https://example.org/hook",
                        11,
                        s_at,
                        s_at.AddDays(1),
                        "It answers 500."
                    )
                )
            },
            { "subscription", new Wrapped<Subscription>(new Subscription("s", "https://example.org/hook", ["training.*"], s_at)) },
        };

    [Theory]
    [MemberData(nameof(Messages))]
    public void A_message_is_written_as_its_golden_file_says_and_read_back_from_it(string name, object message)
    {
        var golden = Golden("messages", name);
        var wrapped = (IWrapped)message;
        Assert.Equal(golden, Indented(wrapped.Text));
        Assert.Equal(golden, Indented(wrapped.Again(golden)));
    }

    [Fact]
    public async Task Every_event_of_a_prediction_is_as_its_golden_file_says()
    {
        var story = Stories().Of(Prediction());
        foreach (var happened in story.Events)
            Assert.Equal(
                Golden("events", $"{happened.Number}-{happened.Type}"),
                Indented((await CloudEventShape.OfAsync(story, happened, CancellationToken.None)).ToJsonString(SdxlJson.Options))
            );
    }

    [Fact]
    public async Task Every_event_of_a_training_is_as_its_golden_file_says()
    {
        var story = Stories().Of(Training());
        Assert.Equal(4, story.Events.Count);
        foreach (var happened in story.Events)
            Assert.Equal(
                Golden("events", $"{happened.Number}-{happened.Type}"),
                Indented((await CloudEventShape.OfAsync(story, happened, CancellationToken.None)).ToJsonString(SdxlJson.Options))
            );
    }

    /// <summary>As Replicate's clients read a training: its fields, then ours.</summary>
    [Theory]
    [InlineData(2, "webhook-training-start")]
    [InlineData(4, "webhook-training-completed")]
    public async Task The_body_of_a_trainings_webhook_is_as_its_golden_file_says(int number, string name)
    {
        using var memory = new MemoryBlobs();
        var blobs = new BlobStore(memory.Client());
        foreach (var (log, text) in new[]
        {
            (StorageLayout.Log(s_key), "Unpacked cat.zip: 5 pictures.\nWaiting for a GPU worker.\n"),
            (StorageLayout.WorkerLog(s_key), "100%|####################| 7/7 [loss 0.1000, 4.20 steps/s]\n"),
        })
            await blobs.WriteBytesAsync(StorageLayout.Jobs, log, System.Text.Encoding.UTF8.GetBytes(text), "text/plain");
        await blobs.WriteAsync(
            StorageLayout.Jobs,
            StorageLayout.Progress(s_key),
            new JobProgress(1, 7, 7, 0.1, 4.2, 0, s_at, "cpu", 1 << 30)
        );
        var story = Stories(blobs).Of(Training());

        var body = await story.View(story.Events.Single(happened => happened.Number == number), CancellationToken.None);

        Assert.Equal(Golden("events", name), Indented(body));
    }

    [Fact]
    public void A_record_of_before_there_were_events_is_read_and_owes_nothing()
    {
        var old = SdxlJson.Deserialize<PredictionRecord>(
            """{"id":"a","owner":"me","base":"toy","version":null,"status":"succeeded","input":{},"pictures":[],"warnings":[],"error":null,"predict_seconds":1,"created_at":"2026-01-01T00:00:00+00:00","started_at":null,"completed_at":null}"""
        );
        Assert.False(old.OwesSomething());
        Assert.Empty(old.Events);
    }

    private static PredictionRecord Prediction()
    {
        var made = new PredictionRecord
        {
            Id = s_key.Id,
            Owner = "me",
            Base = "toy",
            Version = "me/cat:f00d",
            Status = JobStatus.Starting,
            Input = new JsonObject { ["prompt"] = "a cat" },
            CreatedAt = s_at,
            Root = "https://sdxl.example",
            Webhook = new WebhookRequest("https://example.org/hook", ["output", "completed"]),
            StreamSecret = "5ec7e7",
        }.Remembering(null, s_at);
        var begun = (made with { Status = JobStatus.Processing, StartedAt = s_at.AddSeconds(1) }).Remembering(made, s_at.AddSeconds(1));
        return (
            begun with
            {
                Status = JobStatus.Succeeded,
                Pictures = s_pictures,
                PredictSeconds = 1.5,
                CompletedAt = s_at.AddSeconds(3),
                Logs = "Using seed: 7\n",
                Warnings = ["Not checked."],
            }
        ).Remembering(begun, s_at.AddSeconds(3));
    }

    private static TrainingRecord Training()
    {
        var training = new TrainingRecord
        {
            Id = s_key.Id,
            Owner = "me",
            Name = "cat",
            Base = "toy",
            Source = "http",
            Status = JobStatus.Starting,
            Stage = TrainingStage.Queued,
            Input = new JsonObject { ["max_train_steps"] = 7 },
            CreatedAt = s_at,
            Root = "https://sdxl.example",
            Pictures = 5,
            Webhook = new WebhookRequest("https://example.org/hook", ["start", "completed"]),
        };
        var begun = Next(training, training.With(JobStatus.Processing, TrainingStage.Unpack, s_at.AddSeconds(1)), 1);
        return Next(begun, begun.With(JobStatus.Succeeded, TrainingStage.Done, s_at.AddMinutes(2)) with
        {
            Output = new TrainingOutput("f00d", ["trained_model.tar", "manifest.json"]),
        }, 120);

        static TrainingRecord Next(TrainingRecord before, TrainingRecord after, int seconds) =>
            (before.Events.Count == 0 ? after.Owing(before.Remembering(null, s_at).Events, 0, []) : after).Remembering(
                before,
                s_at.AddSeconds(seconds)
            );
    }

    private static PredictionJob Job() =>
        new(
            s_key,
            "toy",
            "me/cat/versions/f00d/",
            PredictionInputs.Read(
                new JsonObject { ["prompt"] = "a cat", ["seed"] = 7 },
                BaseManifest.Load(TestPaths.Models, "toy"),
                s_key.Id
            ),
            true
        );

    /// <param name="blobs">null: an event's data takes nothing from storage.</param>
    private static JobStories Stories(BlobStore? blobs = null)
    {
        var settings = new SdxlOptions
        {
            ModelsFolder = TestPaths.Models,
            DefaultBase = "toy",
            SigningKey = Convert.ToBase64String(new byte[32]),
        };
        var options = Options.Create(settings);
        var bases = new BaseModels(options, new BaseCatalog(settings));
        var links = new FileLinks(new BlobServiceClient(new Uri("https://memory.example/")), options, new ManualTime());
        var trainings = new TrainingViews(
            blobs!,
            bases,
            links,
            new TrainingLogs(blobs!),
            Quotes(blobs!, options),
            options,
            new ManualTime()
        );
        return new JobStories(null!, blobs!, new PredictionViews(blobs!, bases, links, options), trainings, bases, options);
    }

    private static Quotes Quotes(BlobStore blobs, IOptions<SdxlOptions> options)
    {
        var records = new RecordStore(
            blobs,
            null!,
            new RecordChanges(),
            new ManualTime(),
            Microsoft.Extensions.Logging.Abstractions.NullLogger<RecordStore>.Instance
        );
        return new Quotes(records, new TrainingQueue(blobs, records, new ManualTime()), blobs, options, new ManualTime());
    }

    private static string Golden(string folder, string name) =>
        File.ReadAllText(Path.Combine(TestPaths.Root, "tests", "fixtures", folder, "v1", $"{name}.json")).TrimEnd('\n');

    private static string Indented(string json) => JsonSerializer.Serialize(JsonNode.Parse(json), SdxlJson.Indented);

    private interface IWrapped
    {
        string Text { get; }

        string Again(string json);
    }

    private sealed record Wrapped<T>(T Value) : IWrapped
    {
        public string Text => SdxlJson.Serialize(Value);

        public string Again(string json) => SdxlJson.Serialize(SdxlJson.Deserialize<T>(json));
    }
}
