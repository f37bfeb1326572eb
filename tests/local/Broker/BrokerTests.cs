using Azure.Messaging.ServiceBus;
using Sdxl.Local.Broker;

namespace Sdxl.Local.Tests.Broker;

public sealed class BrokerTests : IAsyncDisposable
{
    private static readonly TimeSpan AtOnce = TimeSpan.FromMilliseconds(1);

    private readonly TempFolder folder = new();
    private readonly ManualTime time = new();
    private readonly BrokerFile broker;
    private readonly LocalServiceBusClient client;
    private readonly ServiceBusSender sender;
    private readonly ServiceBusReceiver receiver;
    private readonly ServiceBusReceiver deadLetters;

    public BrokerTests()
    {
        broker = Open();
        broker.Declare(new QueueSettings("jobs")
        {
            LockDuration = TimeSpan.FromSeconds(30),
            MaxDeliveryCount = 3,
            DuplicateDetectionWindow = TimeSpan.FromMinutes(10),
        });
        client = new LocalServiceBusClient(broker);
        sender = client.CreateSender("jobs");
        receiver = client.CreateReceiver("jobs");
        deadLetters = client.CreateReceiver("jobs", new ServiceBusReceiverOptions { SubQueue = SubQueue.DeadLetter });
    }

    public async ValueTask DisposeAsync()
    {
        await client.DisposeAsync();
        broker.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task A_message_arrives_as_it_was_sent()
    {
        await sender.SendMessageAsync(new ServiceBusMessage("body")
        {
            MessageId = "m1",
            CorrelationId = "c1",
            Subject = "subject",
            ContentType = "application/json",
            ApplicationProperties = { ["text"] = "t", ["number"] = 42, ["long"] = 1L << 40, ["flag"] = true, ["ratio"] = 0.1, ["when"] = time.GetUtcNow(), ["id"] = Guid.Empty },
        });

        var message = await receiver.ReceiveMessageAsync(AtOnce);

        Assert.Equal("body", message.Body.ToString());
        Assert.Equal(("m1", "c1", "subject", "application/json", 1), (message.MessageId, message.CorrelationId, message.Subject, message.ContentType, message.DeliveryCount));
        Assert.Equal(time.GetUtcNow() + TimeSpan.FromSeconds(30), message.LockedUntil);
        Assert.Equal(new object[] { "t", 42, 1L << 40, true, 0.1, time.GetUtcNow(), Guid.Empty }, message.ApplicationProperties.Values);
    }

    [Fact]
    public async Task A_locked_message_is_given_to_nobody_else_and_a_completed_one_is_gone()
    {
        await sender.SendMessageAsync(new ServiceBusMessage("a"));
        var message = await receiver.ReceiveMessageAsync(AtOnce);
        Assert.Null(await client.CreateReceiver("jobs").ReceiveMessageAsync(AtOnce));

        await receiver.CompleteMessageAsync(message);
        time.Advance(TimeSpan.FromMinutes(1));

        Assert.Null(await receiver.ReceiveMessageAsync(AtOnce));
        Assert.Equal((0, 0), broker.Count("jobs"));
    }

    [Fact]
    public async Task A_lock_that_runs_out_is_lost_and_the_message_comes_again_with_a_higher_count()
    {
        await sender.SendMessageAsync(new ServiceBusMessage("a"));
        var first = await receiver.ReceiveMessageAsync(AtOnce);
        time.Advance(TimeSpan.FromSeconds(30));
        var second = await receiver.ReceiveMessageAsync(AtOnce);

        var error = await Assert.ThrowsAsync<ServiceBusException>(() => receiver.CompleteMessageAsync(first));

        Assert.Equal(ServiceBusFailureReason.MessageLockLost, error.Reason);
        Assert.Equal(2, second.DeliveryCount);
        await receiver.CompleteMessageAsync(second);
    }

    [Fact]
    public async Task A_renewed_lock_holds_for_another_lock_duration()
    {
        await sender.SendMessageAsync(new ServiceBusMessage("a"));
        var message = await receiver.ReceiveMessageAsync(AtOnce);
        time.Advance(TimeSpan.FromSeconds(20));
        await receiver.RenewMessageLockAsync(message);
        time.Advance(TimeSpan.FromSeconds(20));

        Assert.Equal(time.GetUtcNow() + TimeSpan.FromSeconds(10), message.LockedUntil);
        await receiver.CompleteMessageAsync(message);
    }

    [Fact]
    public async Task A_message_abandoned_as_often_as_allowed_goes_to_the_dead_letter_queue_with_the_reason()
    {
        await sender.SendMessageAsync(new ServiceBusMessage("a") { MessageId = "m" });
        for (var delivery = 1; delivery <= 3; delivery++)
        {
            var message = await receiver.ReceiveMessageAsync(AtOnce);
            Assert.Equal(delivery, message.DeliveryCount);
            await receiver.AbandonMessageAsync(message);
        }

        Assert.Null(await receiver.ReceiveMessageAsync(AtOnce));
        var dead = await client.CreateReceiver("jobs/$deadletterqueue").ReceiveMessageAsync(AtOnce);
        Assert.Equal(("m", "MaxDeliveryCountExceeded", "jobs"), (dead.MessageId, dead.DeadLetterReason, dead.DeadLetterSource));
        await deadLetters.CompleteMessageAsync(dead);
    }

    [Fact]
    public async Task A_message_whose_workers_all_died_is_found_in_the_dead_letter_queue_without_anyone_reading_the_queue()
    {
        await sender.SendMessageAsync(new ServiceBusMessage("a"));
        for (var delivery = 1; delivery <= 3; delivery++)
        {
            Assert.NotNull(await receiver.ReceiveMessageAsync(AtOnce));
            time.Advance(TimeSpan.FromSeconds(30));
        }

        Assert.Equal("MaxDeliveryCountExceeded", (await deadLetters.ReceiveMessageAsync(AtOnce)).DeadLetterReason);
    }

    [Fact]
    public async Task A_dead_lettered_message_keeps_reason_and_description()
    {
        await sender.SendMessageAsync(new ServiceBusMessage("a"));
        await receiver.DeadLetterMessageAsync(await receiver.ReceiveMessageAsync(AtOnce), "bad", "very bad");

        var dead = await deadLetters.ReceiveMessageAsync(AtOnce);

        Assert.Equal(("bad", "very bad"), (dead.DeadLetterReason, dead.DeadLetterErrorDescription));
    }

    [Fact]
    public async Task A_scheduled_message_arrives_at_its_time_or_not_at_all_when_cancelled()
    {
        await sender.SendMessageAsync(new ServiceBusMessage("later") { ScheduledEnqueueTime = time.GetUtcNow() + TimeSpan.FromMinutes(5) });
        var cancelled = await sender.ScheduleMessageAsync(new ServiceBusMessage("never"), time.GetUtcNow() + TimeSpan.FromMinutes(5));
        await sender.CancelScheduledMessageAsync(cancelled);
        Assert.Null(await receiver.ReceiveMessageAsync(AtOnce));
        Assert.Equal(ServiceBusMessageState.Scheduled, (await receiver.PeekMessageAsync()).State);

        time.Advance(TimeSpan.FromMinutes(5));

        Assert.Equal("later", (await receiver.ReceiveMessageAsync(AtOnce)).Body.ToString());
        Assert.Null(await receiver.ReceiveMessageAsync(AtOnce));
    }

    [Fact]
    public async Task A_second_message_with_the_same_id_is_dropped_within_the_window_and_accepted_after_it()
    {
        await sender.SendMessageAsync(new ServiceBusMessage("1") { MessageId = "same" });
        await receiver.CompleteMessageAsync(await receiver.ReceiveMessageAsync(AtOnce));
        await sender.SendMessageAsync(new ServiceBusMessage("2") { MessageId = "same" });
        Assert.Null(await receiver.ReceiveMessageAsync(AtOnce));

        time.Advance(TimeSpan.FromMinutes(10));
        await sender.SendMessageAsync(new ServiceBusMessage("3") { MessageId = "same" });

        Assert.Equal("3", (await receiver.ReceiveMessageAsync(AtOnce)).Body.ToString());
    }

    [Fact]
    public async Task A_deferred_message_is_received_only_by_its_number()
    {
        await sender.SendMessageAsync(new ServiceBusMessage("a"));
        var message = await receiver.ReceiveMessageAsync(AtOnce);
        await receiver.DeferMessageAsync(message);
        Assert.Null(await receiver.ReceiveMessageAsync(AtOnce));

        var again = await receiver.ReceiveDeferredMessageAsync(message.SequenceNumber);

        await receiver.CompleteMessageAsync(again);
        Assert.Equal((0, 0), broker.Count("jobs"));
    }

    [Fact]
    public async Task An_expired_message_is_dropped()
    {
        await sender.SendMessageAsync(new ServiceBusMessage("a") { TimeToLive = TimeSpan.FromMinutes(1) });
        time.Advance(TimeSpan.FromMinutes(1));

        Assert.Null(await receiver.ReceiveMessageAsync(AtOnce));
        Assert.Equal((0, 0), broker.Count("jobs"));
    }

    [Fact]
    public async Task Messages_survive_a_broker_that_is_thrown_away_and_a_receiver_in_another_one_is_woken()
    {
        using var other = Open();
        var waiting = new LocalServiceBusClient(other).CreateReceiver("jobs").ReceiveMessageAsync(TimeSpan.FromSeconds(20));
        await sender.SendMessageAsync(new ServiceBusMessage("a"));

        Assert.Equal("a", (await waiting).Body.ToString());
    }

    [Fact]
    public async Task An_unknown_queue_is_refused_by_name_and_a_message_too_large_with_its_size()
    {
        var unknown = await Assert.ThrowsAsync<ServiceBusException>(() => client.CreateSender("nowhere").SendMessageAsync(new ServiceBusMessage("a")));
        Assert.Equal(ServiceBusFailureReason.MessagingEntityNotFound, unknown.Reason);

        var large = await Assert.ThrowsAsync<ServiceBusException>(() => sender.SendMessageAsync(new ServiceBusMessage(new byte[BrokerFile.MaxMessageBytes + 1])));
        Assert.Equal(ServiceBusFailureReason.MessageSizeExceeded, large.Reason);
    }

    private BrokerFile Open() => new(folder.File("broker.db"), time);
}
