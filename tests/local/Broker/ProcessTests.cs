using Azure.Messaging.ServiceBus;
using Sdxl.Local.Broker;

namespace Sdxl.Local.Tests.Broker;

public sealed class ProcessTests
{
    [Fact]
    public async Task A_message_that_a_killed_process_held_comes_again_when_its_lock_runs_out()
    {
        using var folder = new TempFolder();
        using var broker = new BrokerFile(folder.File("broker.db"), TimeProvider.System);
        broker.Declare(new QueueSettings("jobs") { LockDuration = TimeSpan.FromSeconds(2) });
        var client = new LocalServiceBusClient(broker);
        await client.CreateSender("jobs").SendMessageAsync(new ServiceBusMessage("a"));

        using var child = ChildProgram.Start("take-message", folder.File("broker.db"));
        Assert.Equal("took 1", await child.StandardOutput.ReadLineAsync());
        child.Kill();
        await child.WaitForExitAsync();
        var message = await client.CreateReceiver("jobs").ReceiveMessageAsync(TimeSpan.FromSeconds(20));

        Assert.Equal(2, message.DeliveryCount);
    }
}
