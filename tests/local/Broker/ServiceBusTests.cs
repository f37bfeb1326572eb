using Azure.Messaging.ServiceBus;

namespace Sdxl.Local.Tests.Broker;

/// <summary>What the product relies on, by the unmodified client, against any Service Bus (<see cref="AnyServiceBus"/>).</summary>
public sealed class ServiceBusTests(AnyServiceBus bus) : IClassFixture<AnyServiceBus>, IAsyncLifetime
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Briefly = TimeSpan.FromMilliseconds(300);
    private static readonly string Queue = AnyServiceBus.Queue.Name;
    private static readonly ServiceBusReceiverOptions AtOnce = new() { ReceiveMode = ServiceBusReceiveMode.ReceiveAndDelete };

    private readonly ServiceBusClient client = bus.Connect();
    private ServiceBusSender sender = null!;
    private ServiceBusReceiver receiver = null!;
    private ServiceBusReceiver deadLetters = null!;

    public async Task InitializeAsync()
    {
        sender = client.CreateSender(Queue);
        receiver = client.CreateReceiver(Queue);
        deadLetters = client.CreateReceiver(Queue, new ServiceBusReceiverOptions { SubQueue = SubQueue.DeadLetter });
        await EmptyAsync();
    }

    public async Task DisposeAsync()
    {
        await EmptyAsync(); // Locks of this test must not reach into the next one.
        await client.DisposeAsync();
    }

    [Fact]
    public async Task A_message_arrives_as_it_was_sent()
    {
        var sent = new ServiceBusMessage("body")
        {
            MessageId = "m1",
            CorrelationId = "c1",
            Subject = "subject",
            ContentType = "application/json",
            To = "to",
            ReplyTo = "reply",
            ReplyToSessionId = "reply-session",
            PartitionKey = "key",
            TimeToLive = TimeSpan.FromHours(1),
        };
        object[] values =
        [
            "text", 'c', true, (byte)1, (sbyte)-1, (short)-2, (ushort)2, -3, 3u, -4L, 4UL, 1.5f, -2.5, 12.34m, Guid.NewGuid(),
            TimeSpan.FromSeconds(5), new Uri("https://host/path"), new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc),
            new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.FromHours(2)),
        ];
        foreach (var value in values)
            sent.ApplicationProperties[value.GetType().Name] = value;
        sent.ApplicationProperties["nothing"] = null!;
        var before = DateTimeOffset.UtcNow.AddMinutes(-1); // Clocks may differ a little.
        await sender.SendMessageAsync(sent);

        var message = await ReceiveAsync(receiver);

        Assert.Equal("body", message.Body.ToString());
        Assert.Equal(
            ("m1", "c1", "subject", "application/json", "to", "reply", "reply-session", "key", TimeSpan.FromHours(1)),
            (message.MessageId, message.CorrelationId, message.Subject, message.ContentType, message.To, message.ReplyTo,
                message.ReplyToSessionId, message.PartitionKey, message.TimeToLive));
        Assert.Equal(1, message.DeliveryCount);
        Assert.InRange(message.EnqueuedTime, before, DateTimeOffset.UtcNow.AddMinutes(1));
        Assert.InRange(message.LockedUntil - message.EnqueuedTime, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(15));
        Assert.Equal(message.SequenceNumber, message.EnqueuedSequenceNumber);
        Assert.Equal(values.Length + 1, message.ApplicationProperties.Count);
        Assert.All(values, value => Assert.Equal(value, message.ApplicationProperties[value.GetType().Name]));
        Assert.Null(message.ApplicationProperties["nothing"]);
        await receiver.CompleteMessageAsync(message);
    }

    [Fact]
    public async Task Messages_come_in_the_order_in_which_they_were_sent_with_growing_numbers()
    {
        for (var index = 0; index < 20; index++)
            await sender.SendMessageAsync(Message($"{index:00}"));

        var messages = await ReceiveManyAsync(20);

        Assert.Equal(Enumerable.Range(0, 20).Select(index => $"{index:00}"), messages.Select(message => message.MessageId));
        var numbers = messages.ConvertAll(message => message.SequenceNumber);
        Assert.Equal(numbers.Distinct().Order(), numbers);
        await CompleteAsync(messages);
    }

    [Fact]
    public async Task A_batch_arrives_whole()
    {
        using var batch = await sender.CreateMessageBatchAsync();
        for (var index = 0; index < 50; index++)
            Assert.True(batch.TryAddMessage(Message($"{index:00}", $"body {index:00}")));
        await sender.SendMessagesAsync(batch);

        var messages = await ReceiveManyAsync(50);

        Assert.Equal(
            Enumerable.Range(0, 50).Select(index => ($"{index:00}", $"body {index:00}")),
            messages.Select(message => (message.MessageId, message.Body.ToString())));
        await CompleteAsync(messages);
    }

    [Fact]
    public async Task A_large_body_survives_the_way_through_many_frames()
    {
        var body = new byte[200_000]; // Frames have 64 KiB; Azure's standard tier takes 256 KiB.
        new Random(7).NextBytes(body);
        await sender.SendMessageAsync(new ServiceBusMessage(body));

        var message = await ReceiveAsync(receiver);

        Assert.Equal(body, message.Body.ToArray());
        await receiver.CompleteMessageAsync(message);
    }

    [Fact]
    public async Task A_waiting_receiver_gets_a_message_that_comes_later()
    {
        var waiting = receiver.ReceiveMessageAsync(Soon);
        Assert.Null(await client.CreateReceiver(Queue).ReceiveMessageAsync(Briefly)); // By now the other one is waiting.
        await sender.SendMessageAsync(Message("m"));

        var message = await waiting;

        Assert.Equal("m", message!.MessageId);
        await receiver.CompleteMessageAsync(message);
    }

    [Fact]
    public async Task A_message_that_comes_after_its_receiver_gave_up_waiting_counts_no_delivery()
    {
        Assert.Null(await receiver.ReceiveMessageAsync(Briefly)); // Its credit stays open: the client sends the message back.
        await sender.SendMessageAsync(Message("m"));

        var message = await ReceiveAsync(client.CreateReceiver(Queue));

        Assert.Equal(("m", 1), (message.MessageId, message.DeliveryCount));
        await receiver.CompleteMessageAsync(message);
    }

    [Fact]
    public async Task A_locked_message_is_given_to_nobody_else_and_a_completed_one_is_gone()
    {
        await sender.SendMessageAsync(Message("m"));
        var message = await ReceiveAsync(receiver);
        Assert.Null(await client.CreateReceiver(Queue).ReceiveMessageAsync(Briefly));

        await receiver.CompleteMessageAsync(message);

        Assert.Null(await receiver.PeekMessageAsync(0));
    }

    [Fact]
    public async Task A_message_that_is_received_and_deleted_is_gone_at_once()
    {
        await sender.SendMessageAsync(Message("m"));
        var taking = client.CreateReceiver(Queue, AtOnce);

        Assert.Equal("m", (await ReceiveAsync(taking)).MessageId);

        Assert.Null(await receiver.PeekMessageAsync(0));
    }

    [Fact]
    public async Task A_lock_that_runs_out_is_lost_and_the_message_comes_again_with_a_higher_count()
    {
        await sender.SendMessageAsync(Message("m"));
        var first = await ReceiveAsync(receiver);
        var second = await ReceiveAsync(client.CreateReceiver(Queue)); // After the lock's five seconds.

        var error = await Assert.ThrowsAsync<ServiceBusException>(() => receiver.CompleteMessageAsync(first));

        Assert.Equal(ServiceBusFailureReason.MessageLockLost, error.Reason);
        Assert.Equal(("m", 2), (second.MessageId, second.DeliveryCount));
        await receiver.CompleteMessageAsync(second); // By its token: the link is another one.
    }

    [Fact]
    public async Task A_renewed_lock_outlives_its_first_end()
    {
        await sender.SendMessageAsync(Message("m"));
        var message = await ReceiveAsync(receiver);
        var firstEnd = message.LockedUntil;
        Assert.Null(await client.CreateReceiver(Queue).ReceiveMessageAsync(TimeSpan.FromSeconds(3)));
        await receiver.RenewMessageLockAsync(message);
        Assert.True(message.LockedUntil > firstEnd.AddSeconds(1), $"{message.LockedUntil:O} after {firstEnd:O}");
        Assert.Null(await client.CreateReceiver(Queue).ReceiveMessageAsync(TimeSpan.FromSeconds(3.5))); // Past the first end.

        await receiver.CompleteMessageAsync(message);
    }

    [Fact]
    public async Task An_abandoned_message_comes_again_at_once_with_the_properties_that_were_changed()
    {
        await sender.SendMessageAsync(new("body") { MessageId = "m", ApplicationProperties = { ["kept"] = 1, ["changed"] = 2 } });
        await receiver.AbandonMessageAsync(await ReceiveAsync(receiver), new Dictionary<string, object> { ["changed"] = 3, ["new"] = "x" });

        var again = await ReceiveAsync(receiver);

        Assert.Equal(("m", 2, "body"), (again.MessageId, again.DeliveryCount, again.Body.ToString()));
        var properties = again.ApplicationProperties;
        Assert.Equal((1, 3, "x"), (properties["kept"], properties["changed"], properties["new"]));
        await receiver.CompleteMessageAsync(again);
    }

    [Fact]
    public async Task A_message_abandoned_as_often_as_allowed_goes_to_the_dead_letter_queue_with_the_reason()
    {
        await sender.SendMessageAsync(Message("m"));
        for (var delivery = 1; delivery <= 3; delivery++)
        {
            var message = await ReceiveAsync(receiver);
            Assert.Equal(delivery, message.DeliveryCount);
            await receiver.AbandonMessageAsync(message);
        }

        var dead = await ReceiveAsync(deadLetters);

        Assert.Equal(("m", "MaxDeliveryCountExceeded", Queue), (dead.MessageId, dead.DeadLetterReason, dead.DeadLetterSource));
        await deadLetters.CompleteMessageAsync(dead);
        Assert.Null(await deadLetters.PeekMessageAsync(0));
    }

    [Fact]
    public async Task A_dead_lettered_message_keeps_reason_description_properties_and_body()
    {
        await sender.SendMessageAsync(Message("m", "body"));
        var more = new Dictionary<string, object> { ["more"] = 5 };
        await receiver.DeadLetterMessageAsync(await ReceiveAsync(receiver), more, "bad", "very bad");

        var dead = await ReceiveAsync(deadLetters);

        Assert.Equal(("bad", "very bad", 5), (dead.DeadLetterReason, dead.DeadLetterErrorDescription, dead.ApplicationProperties["more"]));
        Assert.Equal(("m", "body"), (dead.MessageId, dead.Body.ToString()));
        await deadLetters.CompleteMessageAsync(dead);
    }

    [Fact]
    public async Task A_deferred_message_is_received_only_by_its_number_and_stays_deferred_when_abandoned()
    {
        await sender.SendMessageAsync(Message("m"));
        var message = await ReceiveAsync(receiver);
        await receiver.DeferMessageAsync(message, new Dictionary<string, object> { ["why"] = "later" });
        Assert.Null(await receiver.ReceiveMessageAsync(Briefly));
        Assert.Equal(ServiceBusMessageState.Deferred, (await receiver.PeekMessageAsync(0)).State);

        var again = await receiver.ReceiveDeferredMessageAsync(message.SequenceNumber);
        Assert.Equal(("m", "later", 2), (again.MessageId, again.ApplicationProperties["why"], again.DeliveryCount));
        await receiver.AbandonMessageAsync(again);
        Assert.Null(await receiver.ReceiveMessageAsync(Briefly));

        await receiver.CompleteMessageAsync(await receiver.ReceiveDeferredMessageAsync(message.SequenceNumber));
        var error = await Assert.ThrowsAsync<ServiceBusException>(() => receiver.ReceiveDeferredMessageAsync(message.SequenceNumber));
        Assert.Equal(ServiceBusFailureReason.MessageNotFound, error.Reason);
    }

    [Fact]
    public async Task Peeking_shows_messages_of_any_state_from_a_number_on_and_leaves_them()
    {
        await sender.SendMessagesAsync([Message("a"), Message("b"), Message("c")]);
        var held = await ReceiveAsync(receiver);

        var all = await receiver.PeekMessagesAsync(10, 0);
        var rest = await receiver.PeekMessagesAsync(10, all[1].SequenceNumber);

        Assert.Equal(["a", "b", "c"], all.Select(message => message.MessageId));
        Assert.Equal(["b", "c"], rest.Select(message => message.MessageId));
        await receiver.CompleteMessageAsync(held); // Peeking took no lock away.
    }

    [Fact]
    public async Task A_scheduled_message_arrives_at_its_time_and_not_at_all_when_cancelled()
    {
        var due = DateTimeOffset.UtcNow.AddSeconds(3);
        await sender.SendMessageAsync(new ServiceBusMessage("later") { ScheduledEnqueueTime = due });
        var kept = await sender.ScheduleMessageAsync(new ServiceBusMessage("later still"), due.AddSeconds(1));
        var cancelled = await sender.ScheduleMessageAsync(new ServiceBusMessage("never"), due);
        await sender.CancelScheduledMessageAsync(cancelled);
        Assert.Equal(ServiceBusMessageState.Scheduled, (await receiver.PeekMessageAsync(0)).State);
        await sender.SendMessageAsync(new ServiceBusMessage("now"));

        var messages = await ReceiveManyAsync(3);

        Assert.Equal(["now", "later", "later still"], messages.Select(message => message.Body.ToString()));
        var numbers = messages.ConvertAll(message => message.SequenceNumber);
        Assert.Equal(numbers.Order(), numbers); // New ones when due.
        Assert.Equal(kept, messages[2].EnqueuedSequenceNumber);
        Assert.True(messages[1].EnqueuedTime >= due.AddSeconds(-0.1), $"{messages[1].EnqueuedTime:O} for {due:O}");
        await CompleteAsync(messages);
        Assert.Null(await receiver.ReceiveMessageAsync(Briefly));
        var error = await Assert.ThrowsAsync<ServiceBusException>(() => sender.CancelScheduledMessageAsync(cancelled));
        Assert.Equal(ServiceBusFailureReason.MessageNotFound, error.Reason);
    }

    [Fact]
    public async Task A_message_is_dropped_when_its_time_to_live_is_over()
    {
        await sender.SendMessageAsync(new ServiceBusMessage("short") { TimeToLive = TimeSpan.FromSeconds(1) });
        Assert.Equal(TimeSpan.FromSeconds(1), (await receiver.PeekMessageAsync(0)).TimeToLive);
        var clock = AnyServiceBus.Unique.Name;
        await client.CreateSender(clock).SendMessageAsync(new("due") { ScheduledEnqueueTime = DateTimeOffset.UtcNow.AddSeconds(2) });
        await ReceiveAsync(client.CreateReceiver(clock, AtOnce));

        Assert.Null(await receiver.ReceiveMessageAsync(Briefly));
        Assert.Null(await deadLetters.ReceiveMessageAsync(Briefly)); // The queue does not ask for that.
    }

    [Fact]
    public async Task A_second_message_with_the_same_id_is_dropped_also_within_a_batch()
    {
        var unique = client.CreateSender(AnyServiceBus.Unique.Name);
        var taking = client.CreateReceiver(AnyServiceBus.Unique.Name, AtOnce);
        var id = Guid.NewGuid().ToString();
        await unique.SendMessageAsync(Message(id, "1"));
        Assert.Equal("1", (await ReceiveAsync(taking)).Body.ToString());

        await unique.SendMessageAsync(Message(id, "2"));
        await unique.SendMessagesAsync([Message(id + "b", "3"), Message(id + "b", "4"), Message(id + "c", "5")]);

        Assert.Equal("3", (await ReceiveAsync(taking)).Body.ToString());
        Assert.Equal("5", (await ReceiveAsync(taking)).Body.ToString());
        Assert.Null(await taking.ReceiveMessageAsync(Briefly));
    }

    [Fact]
    public async Task Two_clients_share_a_queue_and_each_message_is_handled_once()
    {
        const int Messages = 300;
        await using var other = bus.Connect();
        var handled = new System.Collections.Concurrent.ConcurrentBag<(int Client, string Id)>();
        var all = new TaskCompletionSource();
        List<ServiceBusProcessor> processors = [];
        foreach (var (index, one) in new[] { client, other }.Index())
        {
            var processor = one.CreateProcessor(Queue, new ServiceBusProcessorOptions { MaxConcurrentCalls = 4 });
            processor.ProcessMessageAsync += arrived =>
            {
                handled.Add((index, arrived.Message.MessageId));
                if (handled.Count == Messages)
                    all.TrySetResult();
                return Task.CompletedTask;
            };
            processor.ProcessErrorAsync += failed =>
            {
                all.TrySetException(failed.Exception);
                return Task.CompletedTask;
            };
            processors.Add(processor);
            await processor.StartProcessingAsync();
        }
        await sender.SendMessagesAsync(Enumerable.Range(0, Messages).Select(index => Message($"{index:000}")));

        await all.Task.WaitAsync(TimeSpan.FromSeconds(30));

        foreach (var processor in processors)
            await processor.DisposeAsync();
        Assert.Equal(Enumerable.Range(0, Messages).Select(index => $"{index:000}"), handled.Select(one => one.Id).Order());
        Assert.All([0, 1], index => Assert.InRange(handled.Count(one => one.Client == index), Messages / 10, Messages));
        Assert.Null(await receiver.PeekMessageAsync(0));
    }

    [Fact]
    public async Task A_handler_that_takes_longer_than_the_lock_keeps_its_message_by_renewal()
    {
        await using var processor = client.CreateProcessor(Queue);
        var deliveries = 0;
        var done = new TaskCompletionSource();
        processor.ProcessMessageAsync += async arrived =>
        {
            Interlocked.Increment(ref deliveries);
            await Task.Delay(AnyServiceBus.LockDuration + TimeSpan.FromSeconds(2)); // The work itself.
            await arrived.CompleteMessageAsync(arrived.Message);
            done.TrySetResult();
        };
        processor.ProcessErrorAsync += failed =>
        {
            done.TrySetException(failed.Exception);
            return Task.CompletedTask;
        };
        await processor.StartProcessingAsync();
        await sender.SendMessageAsync(Message("m"));

        await done.Task.WaitAsync(TimeSpan.FromSeconds(20));

        Assert.Equal(1, deliveries);
        Assert.Null(await receiver.PeekMessageAsync(0));
    }

    [Fact]
    public async Task An_unknown_queue_is_refused_by_its_name()
    {
        var error = await Assert.ThrowsAsync<ServiceBusException>(() => client.CreateSender("nowhere").SendMessageAsync(Message("m")));

        Assert.Equal(ServiceBusFailureReason.MessagingEntityNotFound, error.Reason);
        Assert.Contains("nowhere", error.Message, StringComparison.Ordinal);
    }

    private static ServiceBusMessage Message(string id, string body = "") => new(body) { MessageId = id };

    private static async Task<ServiceBusReceivedMessage> ReceiveAsync(ServiceBusReceiver from) =>
        await from.ReceiveMessageAsync(Soon) ?? throw new TimeoutException($"No message came in {Soon}.");

    private async Task<List<ServiceBusReceivedMessage>> ReceiveManyAsync(int count)
    {
        var messages = new List<ServiceBusReceivedMessage>();
        while (messages.Count < count)
        {
            var more = await receiver.ReceiveMessagesAsync(count - messages.Count, Soon);
            Assert.NotEmpty(more);
            messages.AddRange(more);
        }
        return messages;
    }

    private Task CompleteAsync(IEnumerable<ServiceBusReceivedMessage> messages) =>
        Task.WhenAll(messages.Select(message => receiver.CompleteMessageAsync(message)));

    private async Task EmptyAsync()
    {
        await using var other = bus.Connect();
        foreach (var name in new[] { Queue, AnyServiceBus.Unique.Name })
        {
            foreach (var part in new[] { SubQueue.None, SubQueue.DeadLetter })
            {
                var options = new ServiceBusReceiverOptions { SubQueue = part, ReceiveMode = ServiceBusReceiveMode.ReceiveAndDelete };
                var taking = other.CreateReceiver(name, options);
                while (await taking.PeekMessageAsync(0) is { } message)
                {
                    if (message.State == ServiceBusMessageState.Deferred)
                        await taking.ReceiveDeferredMessageAsync(message.SequenceNumber);
                    else if (message.State == ServiceBusMessageState.Scheduled)
                        await other.CreateSender(name).CancelScheduledMessageAsync(message.SequenceNumber);
                    else
                        await taking.ReceiveMessagesAsync(100, AnyServiceBus.LockDuration); // Waits for the end of a lock, if need be.
                }
            }
        }
    }
}
