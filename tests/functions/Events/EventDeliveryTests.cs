using System.Net;
using System.Text.Json.Nodes;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Identity;
using Azure.Messaging.EventGrid;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Sdxl.Core.Events;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Messages;
using Sdxl.Core.Predictions;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Events;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Http;
using Sdxl.Functions.Predictions;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Trainings;
using Sdxl.Functions.Versions;
using Sdxl.Functions.Files;

namespace Sdxl.Tests.Functions.Events;

/// <summary>From a record's events to those who want to hear of them: in order, at least once, known by their ids.</summary>
public sealed class EventDeliveryTests : IAsyncLifetime
{
    private static readonly JobKey s_key = new("me", new string('a', 26));

    private readonly MemoryBlobs _memory = new();
    private readonly ManualTime _time = new();
    private readonly ReminderQueue _queue = new();
    private readonly SdxlOptions _options = new()
    {
        PublicUrl = "https://sdxl.example",
        ModelsFolder = TestPaths.Models,
        DefaultBase = "toy",
        SigningKey = Convert.ToBase64String(new byte[32]),
    };
    private HookServer _hooks = null!;
    private PublicWeb _web = null!;
    private EventGridPublisherClientOptions? _grid;

    public async Task InitializeAsync()
    {
        _hooks = await HookServer.StartAsync();
        _options.TrustedHosts = _hooks.Host;
        _web = new PublicWeb(Options.Create(_options));
    }

    public async Task DisposeAsync()
    {
        await _hooks.DisposeAsync();
        _web.Dispose();
        _memory.Dispose();
    }

    [Fact]
    public async Task A_webhook_gets_the_prediction_as_it_was_signed_and_in_order()
    {
        await LiveAsync(new WebhookRequest(_hooks.Url, WebhookRequest.Events));
        await DeliverAsync();

        var secret = await new WebhookSecrets(Blobs(), _time).SecretAsync("me", CancellationToken.None);
        Assert.Equal(["processing 0", "processing 2", "succeeded 2"], _hooks.Taken.Select(StateOf));
        Assert.Equal([Id(2), Id(4), Id(5)], _hooks.Taken.Select(hook => hook.Id)); // of two outputs at once the later tells all
        Assert.All(_hooks.Taken, hook => Assert.True(hook.IsSignedBy(secret)));
        Assert.All(_hooks.Taken, hook => Assert.Equal("application/json", hook.ContentType));
        var last = _hooks.Taken.Last().Json;
        Assert.Equal(
            (
                s_key.Id,
                $"https://sdxl.example/v1/predictions/{s_key.Id}",
                _hooks.Url,
                "https://sdxl.example/v1/outputs/predictions/me/aaaaaaaaaaaaaaaaaaaaaaaaaa/out-1.png"
            ),
            (
                last["id"]!.ToString(),
                last["urls"]!["get"]!.ToString(),
                last["webhook"]!.ToString(),
                last["output"]![1]!.ToString().Split('?')[0]
            )
        );

        await DeliverAsync(); // the message came twice
        Assert.Equal(3, _hooks.Taken.Count);
    }

    [Fact]
    public async Task A_trainings_webhook_gets_its_start_and_its_end_as_they_were_signed_and_in_order()
    {
        var records = Records();
        await records.CreateAsync(Training(new WebhookRequest(_hooks.Url, [WebhookRequest.Start, WebhookRequest.Completed])));
        await records.ChangeTrainingAsync(s_key, r => r.With(JobStatus.Processing, TrainingStage.Unpack, _time.GetUtcNow()));
        await records.ChangeTrainingAsync(s_key, r => r.With(JobStatus.Succeeded, TrainingStage.Done, _time.GetUtcNow()) with
        {
            Output = new TrainingOutput("f00d", ["trained_model.tar"]),
        });
        await Delivery().DeliverAsync(new EventsHappened(s_key, "trainings"), CancellationToken.None);

        var secret = await new WebhookSecrets(Blobs(), _time).SecretAsync("me", CancellationToken.None);
        Assert.Equal(["processing", "succeeded"], _hooks.Taken.Select(hook => hook.Json["status"]!.ToString()));
        Assert.Equal([Id(2), Id(4)], _hooks.Taken.Select(hook => hook.Id));
        Assert.All(_hooks.Taken, hook => Assert.True(hook.IsSignedBy(secret)));
        Assert.Null(_hooks.Taken.First().Json["output"]);
        Assert.Equal("me/cat:f00d", _hooks.Taken.Last().Json["output"]!["version"]!.ToString());
    }

    [Fact]
    public async Task Without_a_filter_a_webhook_gets_outputs_and_the_end()
    {
        await LiveAsync(new WebhookRequest(_hooks.Url, WebhookRequest.UsualFilter));
        await DeliverAsync();
        Assert.Equal(["processing 2", "succeeded 2"], _hooks.Taken.Select(StateOf));
    }

    [Fact]
    public async Task Outputs_that_come_one_by_one_are_told_half_a_second_apart()
    {
        var records = Records();
        await records.CreateAsync(Record(new WebhookRequest(_hooks.Url, WebhookRequest.UsualFilter)));
        await records.ChangePredictionAsync(s_key, r => r with { Status = JobStatus.Processing, Pictures = [new("out-0.png", 1, false)] });
        await DeliverAsync();
        Assert.Single(_hooks.Taken);
        await records.ChangePredictionAsync(s_key, r => r with { Pictures = [.. r.Pictures, new("out-1.png", 2, false)] });
        var second = DeliverAsync();
        await _time.WaitsAsync();
        Assert.Single(_hooks.Taken);
        _time.Advance(TimeSpan.FromMilliseconds(500));
        await second;
        Assert.Equal(2, _hooks.Taken.Count);
    }

    [Fact]
    public async Task Who_does_not_take_an_event_gets_it_later_and_none_before_it()
    {
        await LiveAsync(new WebhookRequest(_hooks.Url, WebhookRequest.Events));
        _hooks.Status = 503;
        await DeliverAsync();
        var (message, due) = Assert.Single(_queue.Reminders);
        Assert.Equal((new EventsHappened(s_key, "predictions", "webhook"), _time.GetUtcNow().AddSeconds(5)), (message, due));

        _hooks.Status = 204;
        await DeliverAsync(); // another event's message in between: not its turn
        Assert.Empty(_hooks.Taken);
        _time.Advance(TimeSpan.FromSeconds(5));
        await Delivery().DeliverAsync((EventsHappened)message, CancellationToken.None);
        Assert.Equal([Id(2), Id(4), Id(5)], _hooks.Taken.Select(hook => hook.Id));
    }

    [Fact]
    public async Task After_a_day_it_is_given_up_written_down_and_can_be_sent_by_hand()
    {
        await LiveAsync(new WebhookRequest(_hooks.Url, [WebhookRequest.Start, WebhookRequest.Completed]));
        var began = _time.GetUtcNow();
        _hooks.Status = 500;
        await DeliverAsync();
        for (var tries = 1; tries < 1 + EventDelivery.Pauses.Count; tries++)
            await NextReminderAsync();
        Assert.InRange((_time.GetUtcNow() - began).TotalHours, 23, 24.5);
        var name = $"{Id(2)}.webhook";
        var undelivered = (await Blobs().ReadAsync<UndeliveredEvent>(StorageLayout.Records, StorageLayout.UndeliveredEvent("me", name)))!
            .Value
            .Value;
        Assert.Equal((EventTypes.PredictionProcessing, 11, began), (undelivered.Event.Type, undelivered.Tries, undelivered.FailingSince));
        Assert.EndsWith("/hook' answers 500", undelivered.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", _memory.Text($"records/{StorageLayout.UndeliveredEvent("me", name)}"), StringComparison.Ordinal);

        _hooks.Status = 204;
        await NextReminderAsync(); // the event after it
        Assert.Equal([Id(5)], _hooks.Taken.Select(hook => hook.Id));
        Assert.Null(await Delivery().RetryAsync("me", undelivered, CancellationToken.None));
        Assert.Equal([Id(5), Id(2)], _hooks.Taken.Select(hook => hook.Id));
        Assert.DoesNotContain(_memory.Names, blob => blob.Contains("_undelivered", StringComparison.Ordinal));
    }

    /// <summary>Dies at each request to storage in turn, before and after it is carried out; the message comes again.</summary>
    [Fact]
    public async Task Whatever_dies_in_between_a_receiver_that_drops_repetitions_sees_each_event_once_and_in_order()
    {
        var subscriptions = new Subscriptions(Blobs(), _time);
        await subscriptions.AddAsync("me", _hooks.Url, [], CancellationToken.None);
        await LiveAsync(null);
        var before = _memory.Copy();
        var steps = 0;
        _memory.Around = _ => steps++;
        await DeliverAsync();
        Assert.InRange(steps, 20, 200);
        string[] all = [Id(1), Id(2), Id(3), Id(4), Id(5)];
        Assert.Equal(all, _hooks.Taken.Select(hook => hook.Id));
        for (var death = 0; death < steps; death++)
        {
            _memory.Restore(before);
            _hooks.Taken.Clear();
            var left = death;
            _memory.Around = _ =>
            {
                if (left-- <= 0)
                    throw new InvalidOperationException("died");
            };
            await Assert.ThrowsAsync<InvalidOperationException>(DeliverAsync);
            _memory.Around = _ => { };
            await DeliverAsync();
            Assert.Equal(all, _hooks.Taken.Select(hook => hook.Id).Distinct());
        }
    }

    [Fact]
    public async Task A_subscription_gets_cloud_events_of_its_types()
    {
        await new Subscriptions(Blobs(), _time).AddAsync(
            "me",
            _hooks.Url,
            ["prediction.starting", "prediction.comp*"],
            CancellationToken.None
        );
        await new Subscriptions(Blobs(), _time).AddAsync("you", _hooks.Url, [], CancellationToken.None); // another owner's
        await LiveAsync(null);
        await DeliverAsync();

        Assert.Equal(["prediction.starting", "prediction.completed"], _hooks.Taken.Select(hook => hook.Json["type"]!.ToString()));
        Assert.All(_hooks.Taken, hook => Assert.Equal("application/cloudevents+json", hook.ContentType));
    }

    [Fact]
    public async Task Event_grid_gets_every_event_by_its_own_client()
    {
        var taken = new List<(string? Key, JsonNode Body)>();
        _options.EventGrid = new EventGridOptions { Endpoint = "https://topic.example/api/events", Key = "k" };
        _grid = new EventGridPublisherClientOptions
        {
            Transport = new HttpClientTransport(new HttpClient(new Answering(async request =>
            {
                var key = request.Headers.TryGetValues("aeg-sas-key", out var keys) ? keys.Single() : null;
                taken.Add((key, JsonNode.Parse(await request.Content!.ReadAsStringAsync())!));
                return new HttpResponseMessage(HttpStatusCode.OK);
            }))),
        };
        await LiveAsync(null);
        await DeliverAsync();

        Assert.All(taken, one => Assert.Equal("k", one.Key));
        var events = taken.Select(one => one.Body.AsArray().Single()!).ToList();
        Assert.Equal(
            ["prediction.starting", "prediction.processing", "prediction.output", "prediction.output", "prediction.completed"],
            events.Select(e => e["type"]!.ToString())
        );
        Assert.Equal(Enumerable.Range(1, 5).Select(Id), events.Select(e => e["id"]!.ToString()));
        Assert.Equal("succeeded", events[^1]["data"]!["status"]!.ToString());
    }

    [Fact]
    public async Task An_address_inside_the_network_is_not_posted_to()
    {
        _options.TrustedHosts = "";
        using var web = new PublicWeb(Options.Create(_options));
        var poster = new WebhookPoster(web, new WebhookSecrets(Blobs(), _time), _time);
        var refused = await Assert.ThrowsAsync<DeliveryFailedException>(
            () => poster.PostAsync("me", _hooks.Url, "id", "application/json", [], CancellationToken.None));
        Assert.Contains("is not on the public internet", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused.Message, StringComparison.Ordinal);
        Assert.Empty(_hooks.Taken);
    }

    [Fact]
    public async Task A_secret_that_is_replaced_signs_beside_the_new_one_for_a_day()
    {
        var secrets = new WebhookSecrets(Blobs(), _time);
        var old = await secrets.SecretAsync("me", CancellationToken.None);
        Assert.Matches("^whsec_[A-Za-z0-9+/]{43}=$", old);
        Assert.Equal(old, await secrets.SecretAsync("me", CancellationToken.None));
        var next = await secrets.RotateAsync("me", CancellationToken.None);
        Assert.NotEqual(old, next);
        Assert.NotEqual(next, await secrets.SecretAsync("you", CancellationToken.None));
        await LiveAsync(new WebhookRequest(_hooks.Url, WebhookRequest.UsualFilter));
        await DeliverAsync();
        Assert.True(_hooks.Taken.First().IsSignedBy(old) && _hooks.Taken.First().IsSignedBy(next));

        _time.Advance(TimeSpan.FromHours(25));
        Assert.Equal(next, WebhookSignature.Secret(Assert.Single(await secrets.KeysAsync("me", CancellationToken.None))));
    }

    /// <summary>The example of the Standard Webhooks specification.</summary>
    [Fact]
    public void The_signature_is_the_standards()
    {
        var key = Convert.FromBase64String("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        var headers = WebhookSignature.Headers(
            [key], "msg_p5jXN8AQM9LWM0D4loKWxJek", DateTimeOffset.FromUnixTimeSeconds(1614265330), """{"test": 2432232314}"""u8.ToArray());
        Assert.Equal("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", headers["webhook-signature"]);
    }

    [Fact]
    public async Task Word_of_the_log_goes_to_a_webhook_that_asked_for_it_while_the_job_runs()
    {
        var records = Records();
        await records.CreateAsync(Record(new WebhookRequest(_hooks.Url, [WebhookRequest.Logs])));
        await records.ChangePredictionAsync(s_key, r => r with { Status = JobStatus.Processing });
        await Blobs()
            .WriteAsync(
                StorageLayout.Jobs,
                StorageLayout.Drawing(s_key),
                new DrawingState(_time.GetUtcNow(), "cpu", 1, 2, null, null, [], "Using seed: 7\n")
            );
        await Delivery().TellLogsAsync(new LogsGrew(s_key, "predictions"), CancellationToken.None);
        Assert.Equal("Using seed: 7\n", Assert.Single(_hooks.Taken).Json["logs"]!.ToString());

        await records.ChangePredictionAsync(s_key, r => r with { Status = JobStatus.Succeeded });
        await Delivery().TellLogsAsync(new LogsGrew(s_key, "predictions"), CancellationToken.None);
        Assert.Single(_hooks.Taken);
    }

    private static string Id(int number) => FormattableString.Invariant($"{s_key.Id}-{number:D4}");

    private static string StateOf(Hook hook) => $"{hook.Json["status"]} {hook.Json["output"]?.AsArray().Count ?? 0}";

    private static PredictionRecord Record(WebhookRequest? webhook) =>
        new()
        {
            Id = s_key.Id,
            Owner = s_key.Owner,
            Base = "toy",
            Status = JobStatus.Starting,
            Input = [],
            CreatedAt = DateTimeOffset.UnixEpoch,
            Webhook = webhook,
        };

    private static TrainingRecord Training(WebhookRequest? webhook) =>
        new()
        {
            Id = s_key.Id,
            Owner = s_key.Owner,
            Name = "cat",
            Base = "toy",
            Source = "http",
            Status = JobStatus.Starting,
            Stage = TrainingStage.Queued,
            Input = [],
            CreatedAt = DateTimeOffset.UnixEpoch,
            Webhook = webhook,
        };

    /// <summary>A prediction from its POST to its end, as five events.</summary>
    private async Task LiveAsync(WebhookRequest? webhook)
    {
        var records = Records();
        await records.CreateAsync(Record(webhook));
        await records.ChangePredictionAsync(s_key, r => r with { Status = JobStatus.Processing, StartedAt = _time.GetUtcNow() });
        await records.ChangePredictionAsync(s_key, r => r with { Pictures = [new("out-0.png", 1, false)] });
        await records.ChangePredictionAsync(
            s_key,
            r =>
                r with
                {
                    Status = JobStatus.Succeeded,
                    Pictures = [.. r.Pictures, new("out-1.png", 2, false)],
                    CompletedAt = _time.GetUtcNow(),
                    PredictSeconds = 1,
                }
        );
        _queue.Reminders.Clear();
    }

    private Task DeliverAsync() => Delivery().DeliverAsync(new EventsHappened(s_key, "predictions"), CancellationToken.None);

    private async Task NextReminderAsync()
    {
        var (message, due) = Assert.Single(_queue.Reminders);
        _queue.Reminders.Clear();
        _time.Advance(due - _time.GetUtcNow());
        await Delivery().DeliverAsync((EventsHappened)message, CancellationToken.None);
    }

    private BlobStore Blobs() => new(_memory.Client());

    private RecordStore Records() => new(Blobs(), _queue, new RecordChanges(), _time, NullLogger<RecordStore>.Instance);

    private JobStories Stories(BlobStore blobs)
    {
        var options = Options.Create(_options);
        var bases = new BaseModels(options, new BaseCatalog(_options));
        var links = new FileLinks(_memory.Client(), options, _time);
        var trainings = new TrainingViews(
            blobs,
            bases,
            links,
            new TrainingLogs(blobs),
            new Quotes(Records(), new TrainingQueue(blobs, Records(), _time), blobs, options, _time),
            options,
            _time
        );
        return new JobStories(Records(), blobs, new PredictionViews(blobs, bases, links, options), trainings, bases, options);
    }

    private EventDelivery Delivery()
    {
        var blobs = Blobs();
        var options = Options.Create(_options);
        var poster = new WebhookPoster(_web, new WebhookSecrets(blobs, _time), _time);
        var topic = new EventGridTopic(options, new DefaultAzureCredential(), _grid);
        return new EventDelivery(
            Stories(blobs), new EventReceivers(new Subscriptions(blobs, _time), poster, topic),
            blobs, _queue, _time, NullLogger<EventDelivery>.Instance);
    }

    /// <summary>What was sent for later.</summary>
    private sealed class ReminderQueue : IMessageQueues
    {
        public List<(EventMessage Message, DateTimeOffset Due)> Reminders { get; } = [];

        public Task SendAsync<T>(string queue, string messageId, T body, DateTimeOffset? due = null, CancellationToken cancel = default)
        {
            if (body is EventMessage message && due is { } time)
                Reminders.Add((message, time));
            return Task.CompletedTask;
        }
    }

    private sealed class Answering(Func<HttpRequestMessage, Task<HttpResponseMessage>> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            answer(request);
    }
}
