using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging.Abstractions;
using Sdxl.Core.Events;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.Core.Predictions;
using Sdxl.Core.Records;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Outbox;
using Sdxl.Functions.Storage;

namespace Sdxl.Tests.Functions.Storage;

/// <summary>State, events and messages leave together: whatever dies between whichever two requests.</summary>
public sealed class RecordStoreTests
{
    private const string Job = "predictions";
    private static readonly JobKey s_key = new("me", new string('a', 26));

    private readonly MemoryBlobs _memory;
    private readonly List<(string Queue, string MessageId, string Body)> _sent = [];
    private readonly ManualTime _time = new();

    public RecordStoreTests() => _memory = new MemoryBlobs { Time = _time };

    [Fact]
    public async Task A_record_leaves_its_message_and_its_events_behind_and_owes_nothing_then()
    {
        await RunAsync(Alive());

        Assert.Equal(
            [
                $"{Job}/1",
                "events/predictions/me/aaaaaaaaaaaaaaaaaaaaaaaaaa/1",
                "events/predictions/me/aaaaaaaaaaaaaaaaaaaaaaaaaa/2",
                "events/predictions/me/aaaaaaaaaaaaaaaaaaaaaaaaaa/3",
                "events/predictions/me/aaaaaaaaaaaaaaaaaaaaaaaaaa/5",
            ],
            _sent.Select(m => $"{m.Queue}/{m.MessageId}")
        );
        await AssertAllToldAsync();
    }

    /// <summary>Dies at each request to storage or queue in turn, once just before and once just after it is carried out.</summary>
    [Fact]
    public async Task Whatever_dies_between_each_event_is_told_in_order_and_the_message_is_sent()
    {
        var steps = 0;
        await RunAsync(Counting(() => steps++));
        Assert.InRange(steps, 30, 200); // before and after of each
        for (var death = 0; death < steps; death++)
        {
            Clear();
            var at = death;
            var dead = false;
            void Die() => dead = dead || at-- == 0 ? throw new DiedException() : false;
            var store = Counting(Die);
            await RunAsync(store, again: () =>
            {
                (dead, at) = (false, int.MaxValue); // another process
                return Alive();
            });
            await TimerAsync();
            if (_memory.Names.Contains($"records/{StorageLayout.PredictionRecord(s_key)}"))
                await AssertAllToldAsync();
            else
                Assert.Empty(_sent); // the POST failed: its caller has no id
        }
    }

    [Fact]
    public async Task A_queue_that_is_away_does_not_fail_the_change_and_the_timer_sends_later()
    {
        var away = new RecordStore(
            new BlobStore(_memory.Client()),
            new Queue(_sent, () => throw new DiedException()),
            new RecordChanges(),
            _time,
            NullLogger<RecordStore>.Instance
        );
        await RunAsync(away);
        Assert.Empty(_sent);
        Assert.Contains($"records/{StorageLayout.OutboxMark(Job, s_key)}", _memory.Names);

        await TimerAsync();
        await AssertAllToldAsync();
    }

    [Fact]
    public async Task A_writer_who_stalls_between_mark_and_record_finds_its_mark_gone_only_with_its_write_refused()
    {
        var store = Alive();
        await CreateAsync(store);
        // Another change comes to the same record while the first has read it and set its mark; the timer runs between too.
        var entered = 0;
        await store.ChangePredictionAsync(s_key, r =>
        {
            if (entered++ == 0)
            {
                Alive().ChangePredictionAsync(s_key, other => other with { Warnings = ["in between"] }).GetAwaiter().GetResult();
                TimerAsync().GetAwaiter().GetResult();
            }
            return r with { Status = JobStatus.Processing };
        });
        Assert.Equal(2, entered);
        Assert.Equal(["in between"], (await store.PredictionAsync(s_key))!.Warnings);
        await AssertAllToldAsync();
    }

    [Fact]
    public async Task The_timer_makes_a_stalled_writer_begin_anew_before_it_takes_its_mark_away()
    {
        await CreateAsync(Alive());
        // The writer stops after its mark is set, before its record is.
        var stall = new TaskCompletionSource();
        var stalled = new TaskCompletionSource();
        var requests = 0;
        var slow = new MemoryGate(_memory);
        slow.Before = () => ++requests == 3 ? Wait() : Task.CompletedTask; // read, mark, write
        var writer = new RecordStore(
            new BlobStore(slow.Client()),
            new Queue(_sent, () => { }),
            new RecordChanges(),
            _time,
            NullLogger<RecordStore>.Instance
        );
        var change = writer.ChangePredictionAsync(s_key, r => r with { Status = JobStatus.Processing });
        await stalled.Task;
        await TimerAsync();
        Assert.DoesNotContain($"records/{StorageLayout.OutboxMark(Job, s_key)}", _memory.Names);
        stall.SetResult();
        await change;

        Assert.Equal(JobStatus.Processing, (await writer.PredictionAsync(s_key))!.Status);
        Assert.True(requests > 5); // read and marked again
        await AssertAllToldAsync();

        Task Wait()
        {
            stalled.SetResult();
            return stall.Task;
        }
    }

    [Fact]
    public async Task A_mark_without_a_record_goes_after_a_day()
    {
        await new BlobStore(_memory.Client()).WriteAsync(StorageLayout.Records, StorageLayout.OutboxMark(Job, s_key), "x");
        await TimerAsync();
        Assert.Single(_memory.Names);
        _time.Advance(TimeSpan.FromHours(25));
        await TimerAsync();
        Assert.Empty(_memory.Names);
    }

    [Fact]
    public async Task A_training_tells_that_its_version_is_published_before_that_it_is_complete_and_a_check_tells_nothing()
    {
        var store = Alive();
        var training = new TrainingRecord
        {
            Id = s_key.Id,
            Owner = s_key.Owner,
            Name = "cat",
            Base = "toy",
            Source = "http",
            Status = JobStatus.Starting,
            Stage = TrainingStage.Queued,
            Input = [],
            CreatedAt = _time.GetUtcNow(),
        };
        await store.CreateAsync(training);
        await store.CreateAsync(training); // an activity may run twice
        await store.ChangeTrainingAsync(s_key, r => r.With(JobStatus.Processing, TrainingStage.Unpack, _time.GetUtcNow()));
        await store.ChangeTrainingAsync(s_key, r => r.With(JobStatus.Processing, TrainingStage.Train, _time.GetUtcNow()));
        var done = await store.ChangeTrainingAsync(
            s_key, r => r.With(JobStatus.Succeeded, TrainingStage.Done, _time.GetUtcNow()) with { Output = new TrainingOutput("f00", []) });
        Assert.Equal(
            [EventTypes.TrainingStarting, EventTypes.TrainingProcessing, EventTypes.VersionPublished, EventTypes.TrainingCompleted],
            done.Events.Select(e => e.Type));

        _sent.Clear();
        var check = training with { Id = new string('c', 26), IsCheck = true };
        await store.CreateAsync(check);
        var failed = await store.ChangeTrainingAsync(check.Key, r => r.With(JobStatus.Failed, TrainingStage.Unpack, _time.GetUtcNow()));
        Assert.Empty(failed.Events);
        Assert.Empty(_sent);
    }

    [Fact]
    public void A_record_of_an_event_is_the_state_at_that_time()
    {
        var record = Record() with
        {
            Status = JobStatus.Succeeded, Pictures = [new("out-0.png", 1, false), new("out-1.png", 2, false)], PredictSeconds = 3,
            StartedAt = _time.GetUtcNow(), CompletedAt = _time.GetUtcNow(),
        };
        var starting = record.AsOf(new JobEvent(1, EventTypes.PredictionStarting, default));
        Assert.Equal(
            (JobStatus.Starting, 0, null, null, null),
            (starting.Status, starting.Pictures.Count, starting.StartedAt, starting.CompletedAt, starting.PredictSeconds)
        );
        var first = record.AsOf(new JobEvent(3, EventTypes.PredictionOutput, default, 1));
        Assert.Equal((JobStatus.Processing, 1, null), (first.Status, first.Pictures.Count, first.CompletedAt));
        Assert.Same(record, record.AsOf(new JobEvent(5, EventTypes.PredictionCompleted, default, 2)));
    }

    private static PredictionRecord Record() => new()
    {
        Id = s_key.Id, Owner = s_key.Owner, Base = "toy", Status = JobStatus.Starting, Input = [], CreatedAt = DateTimeOffset.UnixEpoch,
        Outbox = [OutboxMessage.Of(Job, "1", "draw")],
    };

    private static Task CreateAsync(RecordStore store) => store.CreateAsync(Record());

    /// <summary>A prediction's life. A change that died is made again, as its message comes again.</summary>
    private static async Task RunAsync(RecordStore store, Func<RecordStore>? again = null)
    {
        try
        {
            await CreateAsync(store);
        }
        catch (DiedException)
        {
            store = again!();
            if (await store.PredictionAsync(s_key) is null)
                return;
        }
        DrawnPicture[] pictures = [new("out-0.png", 1, false)];
        foreach (
            var change in (ReadOnlySpan<Func<PredictionRecord, PredictionRecord>>)
                [
                    r => r.Status == JobStatus.Starting ? r with { Status = JobStatus.Processing } : r,
                    r => r.Pictures.Count > 0 ? r : r with { Pictures = pictures },
                    r =>
                        JobTransitions.IsTerminal(r.Status)
                            ? r
                            : r with
                            {
                                Status = JobStatus.Succeeded,
                                Pictures = [.. pictures, new("out-1.png", 2, false)],
                            },
                ]
        )
        {
            try
            {
                store.ChangePredictionAsync(s_key, change).GetAwaiter().GetResult();
            }
            catch (DiedException)
            {
                store = again!();
                store.ChangePredictionAsync(s_key, change).GetAwaiter().GetResult();
            }
        }
    }

    /// <summary>All events of the record, told by messages in whose order a receiver that drops repetitions sees them in order.</summary>
    private async Task AssertAllToldAsync()
    {
        var record = (await Alive().PredictionAsync(s_key))!;
        Assert.False(record.OwesSomething());
        Assert.DoesNotContain(_memory.Names, name => name.StartsWith($"records/{StorageLayout.OutboxMarks}", StringComparison.Ordinal));
        Assert.Equal(Enumerable.Range(1, record.Events.Count), record.Events.Select(e => e.Number));
        if (record.Status == JobStatus.Succeeded)
        {
            Assert.Equal(
                [
                    EventTypes.PredictionStarting,
                    EventTypes.PredictionProcessing,
                    EventTypes.PredictionOutput,
                    EventTypes.PredictionOutput,
                    EventTypes.PredictionCompleted,
                ],
                record.Events.Select(e => e.Type)
            );
        }
        Assert.Single(_sent.Where(m => m.Queue == Job).Select(m => m.MessageId).Distinct());
        // A message tells of every event up to its number.
        Assert.Equal(record.Events.Count, _sent.Where(m => m.Queue == Queues.Events).Max(m => int.Parse(m.MessageId.Split('/')[^1])));
        Assert.All(_sent.Where(m => m.Queue == Queues.Events), m => Assert.Equal(s_key, SdxlJson.Deserialize<EventMessage>(m.Body).Job));
    }

    private void Clear()
    {
        _sent.Clear();
        _memory.Around = _ => { };
        _memory.Clear();
    }

    private async Task TimerAsync() =>
        await new OutboxTimer(new BlobStore(_memory.Client()), Alive(), NullLogger<OutboxTimer>.Instance).Run(
            new TimerInfo(),
            CancellationToken.None
        );

    private RecordStore Alive()
    {
        _memory.Around = _ => { };
        return new RecordStore(
            new BlobStore(_memory.Client()),
            new Queue(_sent, () => { }),
            new RecordChanges(),
            _time,
            NullLogger<RecordStore>.Instance
        );
    }

    /// <summary>Calls before and after each request.</summary>
    private RecordStore Counting(Action step)
    {
        _memory.Around = _ => step();
        return new RecordStore(
            new BlobStore(_memory.Client()),
            new Queue(_sent, step),
            new RecordChanges(),
            _time,
            NullLogger<RecordStore>.Instance
        );
    }

    private sealed class DiedException : Exception;

    private sealed class Queue(List<(string, string, string)> sent, Action step) : IMessageQueues
    {
        public Task SendAsync<T>(string queue, string messageId, T body, DateTimeOffset? due = null, CancellationToken cancel = default)
        {
            step();
            sent.Add((queue, messageId, SdxlJson.Serialize(body)));
            step();
            return Task.CompletedTask;
        }
    }

    /// <summary>The same memory behind a gate of its own.</summary>
    private sealed class MemoryGate(MemoryBlobs memory) : DelegatingHandler(memory)
    {
        public Func<Task> Before { get; set; } = () => Task.CompletedTask;

        public Azure.Storage.Blobs.BlobServiceClient Client()
        {
            var options = new Azure.Storage.Blobs.BlobClientOptions
            {
                Transport = new Azure.Core.Pipeline.HttpClientTransport(new HttpClient(this, disposeHandler: false)),
            };
            options.Retry.MaxRetries = 0;
            return new Azure.Storage.Blobs.BlobServiceClient(new Uri("https://memory.example/"), options);
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (!request.RequestUri!.Query.Contains("restype=container", StringComparison.Ordinal))
                await Before();
            return await base.SendAsync(request, cancellationToken);
        }
    }
}
