using System.Runtime.InteropServices;
using Azure;
using Azure.Messaging.ServiceBus;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Sdxl.Core.Identity;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.Core.Storage;
using Sdxl.GpuWorker.Hosting;
using Sdxl.GpuWorker.Jobs;
using Sdxl.GpuWorker.Storage;
using Sdxl.GpuWorker.Telemetry;
using Sdxl.Local.Broker;

namespace Sdxl.Tests.GpuWorker;

/// <summary>One delivery, from the queue to its end, against a real broker and a real storage, with work of the test's own.</summary>
[Collection(StorageCollection.Name)]
public sealed class DeliveriesTests(StorageFixture storage) : IAsyncLifetime
{
    private const string Queue = "work";
    private static readonly TimeSpan LockTime = TimeSpan.FromSeconds(5);

    private readonly TempFolder _folder = new();
    private readonly Stopping _lifetime = new();
    private readonly JobKey _job = new("me", JobId.New());
    private ServiceBusServer _server = null!;
    private ServiceBusClient _client = null!;
    private ServiceBusReceiver _queue = null!;
    private WorkerScratch _scratch = null!;
    private EventSender _events = null!;
    private Deliveries _deliveries = null!;
    private WorkerHealth _health = null!;

    /// <summary>A message of the test's own kind.</summary>
    public sealed record Work(JobKey Key, int Attempt);

    public async Task InitializeAsync()
    {
        _server = await ServiceBusServer.StartAsync(
            new ServiceBusServerOptions
            {
                DatabasePath = _folder.File("queues.db"),
                Queues =
                [
                    new QueueSettings(Queue) { LockDuration = LockTime, MaxDeliveryCount = 3 },
                    new QueueSettings(Queues.WorkerEvents),
                ],
                Keys = [AccessKey.Create("tests")],
            },
            NullLogger.Instance);
        _client = new ServiceBusClient(_server.ConnectionString("tests"));
        _queue = _client.CreateReceiver(Queue);
        var options = Options.Create(
            new WorkerOptions
            {
                ScratchFolder = _folder.File("scratch"),
                Device = "cpu",
                Threads = 1,
                CancelPollSeconds = 0.05,
            }
        );
        var time = TimeProvider.System;
        var blobs = new JobBlobs(storage.Service);
        _scratch = new WorkerScratch(options, NullLogger<WorkerScratch>.Instance);
        _events = new EventSender(_client);
        _health = new WorkerHealth(_lifetime, exit: _ => { });
        _deliveries = new Deliveries(
            _client,
            _events,
            new JobResults(blobs),
            new JobTurns(blobs, time),
            blobs,
            new Patience(time, NullLogger<Patience>.Instance),
            _health,
            _scratch,
            new WorkerBeacon(blobs, new WorkerDevice(options), time, NullLogger<WorkerBeacon>.Instance),
            new Retirement(options, time, _lifetime, NullLogger<Retirement>.Instance),
            new JobTelemetry(options, time, NullLogger<JobTelemetry>.Instance),
            options,
            time,
            NullLogger<Deliveries>.Instance
        );
    }

    public async Task DisposeAsync()
    {
        await _events.DisposeAsync();
        await _client.DisposeAsync();
        await _server.DisposeAsync();
        _scratch.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_job_that_is_done_writes_its_end_sends_it_and_leaves_the_queue()
    {
        await HandleAsync((_, _) => Task.FromResult<WorkerEvent?>(Done()));

        Assert.Equal(Done(), await EventAsync());
        Assert.Equal(Done(), SdxlJson.Deserialize<WorkerEvent>(await storage.TextAsync(StorageLayout.Jobs, StorageLayout.Result(_job))));
        Assert.Equal(new QueueCounts(), await _server.CountAsync(Queue));
    }

    [Fact]
    public async Task A_job_that_ended_before_is_not_done_again_only_its_event_is_sent_again()
    {
        await storage.WriteAsync(StorageLayout.Jobs, StorageLayout.Result(_job), SdxlJson.Serialize<WorkerEvent>(Done()));

        await HandleAsync((_, _) => throw new InvalidOperationException("It was done again."));

        Assert.Equal(Done(), await EventAsync());
        Assert.Equal(new QueueCounts(), await _server.CountAsync(Queue));
    }

    [Fact]
    public async Task An_end_that_comes_second_is_dropped_for_the_one_that_stands()
    {
        await HandleAsync(async (_, _) =>
        {
            await storage.WriteAsync(StorageLayout.Jobs, StorageLayout.Result(_job), SdxlJson.Serialize<WorkerEvent>(Done()));
            return new JobFailed(_job, 1, DateTimeOffset.UnixEpoch, "I was slower.");
        });
        Assert.Equal(Done(), await EventAsync());
    }

    [Fact]
    public async Task A_storage_that_is_away_is_waited_out_in_place_without_another_delivery()
    {
        var tries = 0;
        await HandleAsync((_, _) => ++tries < 3 ? throw new RequestFailedException(503, "away") : Task.FromResult<WorkerEvent?>(Done()));

        Assert.Equal(3, tries);
        Assert.Equal(Done(), await EventAsync());
        Assert.Equal(new QueueCounts(), await _server.CountAsync(Queue));
    }

    [Fact]
    public async Task A_lock_is_kept_while_a_job_takes_longer_than_it()
    {
        await HandleAsync(async (_, _) =>
        {
            await Task.Delay(LockTime * 2.5); // longer than the lock is what is tested
            return Done();
        });
        Assert.Equal(Done(), await EventAsync());
        Assert.Equal(new QueueCounts(), await _server.CountAsync(Queue));
    }

    [Fact]
    public async Task A_worker_that_stops_hands_the_job_on_as_the_next_attempt_which_is_no_failed_delivery()
    {
        using var stop = new CancellationTokenSource();
        await HandleAsync(
            async (_, signals) =>
            {
                await stop.CancelAsync();
                return signals.Interrupt.IsCancellationRequested ? null : Done();
            },
            stop: stop.Token);

        var next = await _queue.ReceiveMessageAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(
            (new Work(_job, 2), $"{_job}/2", 1),
            (SdxlJson.Deserialize<Work>(next.Body.ToString()), next.MessageId, next.DeliveryCount)
        );
        Assert.Equal(new QueueCounts { Locked = 1 }, await _server.CountAsync(Queue));
    }

    [Fact]
    public async Task The_message_of_an_earlier_attempt_is_dropped_once_a_later_one_has_begun()
    {
        Assert.NotNull(await new JobTurns(new JobBlobs(storage.Service), TimeProvider.System).TakeAsync(_job, 2, CancellationToken.None));

        await HandleAsync((_, _) => throw new InvalidOperationException("It was done twice."));

        Assert.Equal(new QueueCounts(), await _server.CountAsync(Queue));
        Assert.Equal(new QueueCounts(), await _server.CountAsync(Queues.WorkerEvents));
    }

    [Fact]
    public async Task A_worker_whose_turn_was_taken_stops_and_says_nothing()
    {
        await HandleAsync(async (_, signals) =>
        {
            await new JobTurns(new JobBlobs(storage.Service), TimeProvider.System).TakeAsync(_job, 1, CancellationToken.None);
            await Task.Delay(Timeout.Infinite, signals.Interrupt);
            return Done();
        });
        Assert.Equal(new QueueCounts(), await _server.CountAsync(Queues.WorkerEvents));
        Assert.False(
            await storage.Service.GetBlobContainerClient(StorageLayout.Jobs).GetBlobClient(StorageLayout.Result(_job)).ExistsAsync()
        );
    }

    [Fact]
    public async Task A_cancel_mark_ends_the_job_as_canceled()
    {
        await HandleAsync(async (_, signals) =>
        {
            await storage.WriteAsync(StorageLayout.Jobs, StorageLayout.CancelMark(_job));
            await Task.Delay(Timeout.Infinite, signals.Canceled);
            return Done();
        });
        Assert.IsType<JobCanceled>(await EventAsync());
    }

    [Fact]
    public async Task A_stop_mark_is_passed_on_and_the_job_ends_with_what_it_has()
    {
        await HandleAsync(async (_, signals) =>
        {
            await storage.WriteAsync(StorageLayout.Jobs, StorageLayout.StopMark(_job));
            await Task.Delay(Timeout.Infinite, signals.StopEarly).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return Done();
        });
        Assert.Equal(Done(), await EventAsync());
    }

    [Fact]
    public async Task A_wish_for_samples_is_passed_on_while_the_job_goes_on()
    {
        await HandleAsync(async (_, signals) =>
        {
            await storage.WriteAsync(StorageLayout.Jobs, StorageLayout.SampleMark(_job));
            while (!signals.Samples.Take()) // as the trainer does, step by step
                await Task.Delay(1, signals.Interrupt);
            await signals.Samples.AnsweredAsync(CancellationToken.None);
            Assert.False(signals.StopEarly.IsCancellationRequested);
            return Done();
        });
        Assert.Equal(Done(), await EventAsync());
        Assert.DoesNotContain(StorageLayout.SampleMark(_job), await storage.NamesAsync(StorageLayout.Jobs, $"{_job}/"));
    }

    [Fact]
    public async Task A_lost_GPU_gives_the_job_back_as_a_failed_delivery_and_ends_the_worker()
    {
        await HandleAsync((_, _) => throw new ExternalException("CUDA error: an illegal memory access was encountered"));

        Assert.True(_lifetime.IsAsked);
        Assert.Equal((true, WorkerHealth.LostDevice), (_health.IsLeaving, _health.ExitCode));
        Assert.Equal(new QueueCounts(), await _server.CountAsync(Queues.WorkerEvents));
        Assert.Equal(2, (await _queue.ReceiveMessageAsync(TimeSpan.FromSeconds(10))).DeliveryCount);
    }

    [Fact]
    public async Task Too_little_memory_of_the_GPU_is_the_jobs_own_failure_and_the_worker_stays()
    {
        await HandleAsync((_, _) => throw new ExternalException("CUDA out of memory. Tried to allocate 2.00 GiB"));

        Assert.StartsWith("CUDA out of memory", Assert.IsType<JobFailed>(await EventAsync()).Error, StringComparison.Ordinal);
        Assert.False(_lifetime.IsAsked);
    }

    [Fact]
    public async Task A_full_disk_is_tried_once_more_with_room_made_and_then_one_sentence()
    {
        var others = _scratch.Use("versions", new string('a', 64));
        var tries = 0;
        await HandleAsync((_, _) => throw new IOException(FormattableString.Invariant($"No space left on device ({++tries})"), 28));

        Assert.Equal((2, false), (tries, Directory.Exists(others)));
        Assert.Matches(
            "^The GPU worker's disk is full: \\d+ of \\d+ MiB are free at .+ larger disk",
            Assert.IsType<JobFailed>(await EventAsync()).Error
        );
    }

    [Theory]
    [InlineData("not JSON", "invalid JSON")]
    [InlineData("{\"key\":{\"owner\":\"me\",\"id\":\"../../x\"},\"attempt\":1}", "Its id '../../x'")]
    [InlineData("{\"key\":{\"owner\":\"../up\",\"id\":\"aaaaaaaaaaaaaaaaaaaaaaaaaa\"},\"attempt\":1}", "Its owner '../up'")]
    [InlineData("{\"attempt\":1}", "Its owner ''")]
    public async Task A_poisoned_message_is_put_aside_with_the_reason_before_anything_is_made_of_it(string body, string reason)
    {
        await using (var sender = _client.CreateSender(Queue))
            await sender.SendMessageAsync(new ServiceBusMessage(body));

        await _deliveries.HandleAsync(
            Kind((_, _) => throw new InvalidOperationException("It was done.")),
            _queue,
            await _queue.ReceiveMessageAsync(),
            CancellationToken.None
        );

        await using var dead = _client.CreateReceiver(Queue, new ServiceBusReceiverOptions { SubQueue = SubQueue.DeadLetter });
        var letter = await dead.ReceiveMessageAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(DeadLetterReasons.Unreadable, letter.DeadLetterReason);
        Assert.Contains(reason, letter.DeadLetterErrorDescription, StringComparison.Ordinal);
    }

    private WorkerEvent Done() => new TrainingCompleted(_job, 1, DateTimeOffset.UnixEpoch, "000001-x", null!, 1);

    private async Task HandleAsync(Func<Work, JobSignals, Task<WorkerEvent?>> run, CancellationToken stop = default)
    {
        await using (var sender = _client.CreateSender(Queue))
            await sender.SendMessageAsync(
                new ServiceBusMessage(SdxlJson.Serialize(new Work(_job, 1))) { MessageId = $"{_job}/1" },
                CancellationToken.None
            );
        await _deliveries.HandleAsync(
            Kind(run),
            _queue,
            await _queue.ReceiveMessageAsync(TimeSpan.FromSeconds(10), CancellationToken.None),
            stop
        );
    }

    private static JobKind<Work> Kind(Func<Work, JobSignals, Task<WorkerEvent?>> run) => new()
    {
        Word = "work",
        TakesTurns = true,
        Key = work => work.Key,
        Attempt = work => work.Attempt,
        Again = (work, _) => (work with { Attempt = work.Attempt + 1 }, $"{work.Key}/{work.Attempt + 1}"),
        Result = key => (StorageLayout.Jobs, StorageLayout.Result(key)),
        Run = (work, _, signals) => run(work, signals),
    };

    private async Task<WorkerEvent> EventAsync()
    {
        await using var receiver = _client.CreateReceiver(Queues.WorkerEvents);
        return SdxlJson.Deserialize<WorkerEvent>((await receiver.ReceiveMessageAsync(TimeSpan.FromSeconds(10))).Body.ToString());
    }

    private sealed class Stopping : IHostApplicationLifetime
    {
        public bool IsAsked { get; private set; }

        public CancellationToken ApplicationStarted => default;

        public CancellationToken ApplicationStopping => default;

        public CancellationToken ApplicationStopped => default;

        public void StopApplication() => IsAsked = true;
    }
}
