using Azure.Messaging.ServiceBus;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace Sdxl.Tests.Polyfills.Azure;

public sealed class BehaviourTests
{
    [Fact]
    public async Task A_functions_app_without_a_functions_host_does_not_start_and_names_the_missing_endpoint()
    {
        var error = await Assert.ThrowsAnyAsync<InvalidOperationException>(async () =>
        {
            using var app = FunctionsSignatures.App([]);
            await app.StartAsync();
        });

        Assert.Contains("HostEndpoint", error.Message, StringComparison.Ordinal);
    }

#if POLYFILL
    [Fact]
    public async Task A_client_of_Azure_says_at_its_first_operation_that_this_build_cannot_reach_Azure()
    {
        await using var client = new ServiceBusClient("Endpoint=sb://name.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=k");
        var sender = client.CreateSender("jobs");

        var error = await Assert.ThrowsAsync<NotSupportedException>(() => sender.SendMessageAsync(new ServiceBusMessage("a")));

        Assert.StartsWith("Cannot reach queue 'jobs' of 'name.servicebus.windows.net'", error.Message, StringComparison.Ordinal);
    }
#endif

    [Fact]
    public void A_message_made_by_the_factory_reads_back_and_its_lock_end_can_be_moved()
    {
        var until = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        var message = ServiceBusModelFactory.ServiceBusReceivedMessage(
            BinaryData.FromString("body"), messageId: "id", timeToLive: TimeSpan.FromHours(1), deliveryCount: 2, lockedUntil: until, sequenceNumber: 7,
            enqueuedTime: until, properties: new Dictionary<string, object> { ["DeadLetterReason"] = "bad" });
        message.GetRawAmqpMessage().MessageAnnotations["x-opt-locked-until"] = until.AddMinutes(1).UtcDateTime;

        Assert.Equal(("body", "id", 2, 7L, "bad"), (message.Body.ToString(), message.MessageId, message.DeliveryCount, message.SequenceNumber, message.DeadLetterReason));
        Assert.Equal((until.AddMinutes(1), until.AddHours(1)), (message.LockedUntil, message.ExpiresAt));
    }

    [Theory]
    [InlineData(0, 1, 1.0)]
    [InlineData(1, 0, 1.0)]
    [InlineData(1, 1, 0.5)]
    public void A_retry_policy_out_of_range_is_refused(int attempts, int seconds, double coefficient) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new RetryPolicy(attempts, TimeSpan.FromSeconds(seconds), coefficient));

    [Fact]
    public void Names_of_tasks_ignore_case_and_failures_know_base_classes()
    {
        Assert.Equal(new TaskName("Add"), new TaskName("ADD"));
        Assert.True(TaskFailureDetails.FromException(new FileNotFoundException("x")).IsCausedBy<IOException>());
        Assert.Equal("Task 'Add' (#3) failed with an unhandled exception: x", new TaskFailedException("Add", 3, new IOException("x")).Message);
    }

    [Fact]
    public void Metadata_without_inputs_and_outputs_refuses_to_read_them()
    {
        Assert.Throws<InvalidOperationException>(() => new OrchestrationMetadata("name", "id").ReadOutputAs<int>());
    }
}
