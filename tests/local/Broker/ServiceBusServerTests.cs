using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Transactions;
using Azure.Messaging.ServiceBus;
using Microsoft.Extensions.Logging.Abstractions;
using Sdxl.Local.Broker;
using Sdxl.Tests;

namespace Sdxl.Local.Tests.Broker;

/// <summary>What only our server can show: its clock, its file, its restarts, its keys and its addresses.</summary>
public sealed class ServiceBusServerTests : IAsyncDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Briefly = TimeSpan.FromMilliseconds(200);

    private readonly TempFolder folder = new();
    private readonly ManualTime time = new(DateTimeOffset.UtcNow);
    private readonly List<ServiceBusServer> servers = [];
    private readonly List<ServiceBusClient> clients = [];
    private ServiceBusServerOptions? settings;

    public async ValueTask DisposeAsync()
    {
        foreach (var client in clients)
            await client.DisposeAsync();
        foreach (var server in servers)
            await server.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task The_same_client_goes_on_after_a_restart_and_a_message_that_it_held_is_still_its_own()
    {
        var server = await StartAsync();
        var client = Connect(server);
        var (sender, receiver) = (client.CreateSender("jobs"), client.CreateReceiver("jobs"));
        await sender.SendMessageAsync(Message("held"));
        await sender.SendMessageAsync(Message("queued"));
        var held = await ReceiveAsync(receiver);

        server = await RestartAsync(server);

        Assert.Equal(new QueueCounts(1, 1, 0, 0, 0), await server.CountAsync("jobs"));
        await receiver.CompleteMessageAsync(held);
        Assert.Equal("queued", (await ReceiveAsync(receiver)).MessageId);
        await sender.SendMessageAsync(Message("new"));
        Assert.Equal("new", (await ReceiveAsync(receiver)).MessageId);
    }

    [Fact]
    public async Task A_receiver_that_waits_through_a_restart_gets_what_comes_after_it()
    {
        var server = await StartAsync();
        var client = Connect(server);
        var got = new TaskCompletionSource<string>();
        await using var processor = client.CreateProcessor("jobs");
        processor.ProcessMessageAsync += arrived =>
        {
            got.TrySetResult(arrived.Message.MessageId);
            return Task.CompletedTask;
        };
        processor.ProcessErrorAsync += _ => Task.CompletedTask; // The restart is one.
        await processor.StartProcessingAsync();

        server = await RestartAsync(server);
        await client.CreateSender("jobs").SendMessageAsync(Message("m"));

        Assert.Equal("m", await got.Task.WaitAsync(Soon));
    }

    [Theory]
    [InlineData("")]
    [InlineData("AMQP")] // Half of the eight bytes with which a client begins.
    public async Task A_client_that_connects_while_the_broker_stops_is_not_left_on_the_line(string sent)
    {
        var server = await StartAsync();
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(sent));
        await Task.Delay(Briefly); // The broker has taken it.

        await server.DisposeAsync();

        var read = stream.ReadAsync(new byte[8]).AsTask();
        await Task.WhenAny(read, Task.Delay(Soon));
        Assert.True(read.IsFaulted || read is { IsCompletedSuccessfully: true, Result: 0 }); // reset, or ended
    }

    [Fact]
    public async Task Scheduled_deferred_and_dead_messages_and_remembered_ids_survive_a_restart()
    {
        var server = await StartAsync(new QueueSettings("jobs") { DuplicateDetectionWindow = TimeSpan.FromMinutes(10) });
        var client = Connect(server);
        var (sender, receiver) = (client.CreateSender("jobs"), client.CreateReceiver("jobs"));
        await sender.SendMessagesAsync([Message("deferred"), Message("dead"), Message("done")]);
        await receiver.DeferMessageAsync(await ReceiveAsync(receiver));
        await receiver.DeadLetterMessageAsync(await ReceiveAsync(receiver));
        await receiver.CompleteMessageAsync(await ReceiveAsync(receiver));
        await sender.ScheduleMessageAsync(Message("scheduled"), time.GetUtcNow().AddMinutes(5));

        server = await RestartAsync(server);
        await sender.SendMessageAsync(Message("done"));

        Assert.Equal(new QueueCounts(0, 0, 1, 1, 1), await server.CountAsync("jobs"));
        time.Advance(TimeSpan.FromMinutes(5)); // Less than the half hour that the client's tokens hold.
        Assert.Equal("scheduled", (await ReceiveAsync(receiver)).MessageId);
    }

    [Fact]
    public async Task A_message_whose_workers_all_died_goes_to_the_dead_letter_queue_though_nobody_reads_the_queue()
    {
        var server = await StartAsync();
        var client = Connect(server);
        await client.CreateSender("jobs").SendMessageAsync(Message("m"));
        for (var delivery = 1; delivery <= 3; delivery++)
        {
            var worker = Connect(server);
            Assert.Equal(delivery, (await ReceiveAsync(worker.CreateReceiver("jobs"))).DeliveryCount);
            await worker.DisposeAsync();
            time.Advance(TimeSpan.FromSeconds(30));
        }

        var dead = await ReceiveAsync(client.CreateReceiver("jobs", new ServiceBusReceiverOptions { SubQueue = SubQueue.DeadLetter }));

        Assert.Equal("MaxDeliveryCountExceeded", dead.DeadLetterReason);
    }

    [Fact]
    public async Task An_id_may_come_again_after_the_window()
    {
        var server = await StartAsync(new QueueSettings("jobs") { DuplicateDetectionWindow = TimeSpan.FromMinutes(10) });
        var sender = Connect(server).CreateSender("jobs");
        await sender.SendMessageAsync(Message("same"));
        time.Advance(TimeSpan.FromMinutes(9));
        await sender.SendMessageAsync(Message("same"));
        Assert.Equal(1, (await server.CountAsync("jobs")).Active);

        time.Advance(TimeSpan.FromMinutes(1));
        await sender.SendMessageAsync(Message("same"));

        Assert.Equal(2, (await server.CountAsync("jobs")).Active);
    }

    [Fact]
    public async Task An_expired_message_is_dead_lettered_where_the_queue_asks_for_it_and_the_queue_bounds_the_time_to_live()
    {
        var server = await StartAsync(new("jobs") { DefaultTimeToLive = TimeSpan.FromMinutes(20), DeadLetterOnExpiration = true });
        var client = Connect(server);
        var sender = client.CreateSender("jobs");
        await sender.SendMessageAsync(Message("says nothing"));
        await sender.SendMessageAsync(new ServiceBusMessage("") { MessageId = "more than allowed", TimeToLive = TimeSpan.FromDays(60) });
        await sender.SendMessageAsync(new ServiceBusMessage("") { MessageId = "held", TimeToLive = TimeSpan.FromMinutes(1) });
        var receiver = client.CreateReceiver("jobs");
        var (first, second) = (await ReceiveAsync(receiver), await ReceiveAsync(receiver));
        Assert.Equal("held", (await ReceiveAsync(receiver)).MessageId);
        await receiver.AbandonMessageAsync(first);
        await receiver.AbandonMessageAsync(second);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(new QueueCounts(2, 0, 0, 0, 1), await server.CountAsync("jobs")); // A held one expires when its lock ends, as here.

        time.Advance(TimeSpan.FromMinutes(19));

        Assert.Equal(new QueueCounts(0, 0, 0, 0, 3), await server.CountAsync("jobs"));
        var dead = await ReceiveAsync(client.CreateReceiver("jobs", new ServiceBusReceiverOptions { SubQueue = SubQueue.DeadLetter }));
        Assert.Equal("TTLExpiredException", dead.DeadLetterReason);
    }

    [Fact]
    public async Task Several_scheduled_messages_are_cancelled_all_or_none()
    {
        var server = await StartAsync();
        var client = Connect(server);
        var sender = client.CreateSender("jobs");
        var numbers = await sender.ScheduleMessagesAsync([Message("a"), Message("b")], time.GetUtcNow().AddHours(1));

        var error = await Assert.ThrowsAsync<ServiceBusException>(() => sender.CancelScheduledMessagesAsync([numbers[0], 999_999]));

        Assert.Equal(ServiceBusFailureReason.MessageNotFound, error.Reason);
        Assert.Equal(2, (await server.CountAsync("jobs")).Scheduled);
    }

    [Fact]
    public async Task A_body_of_the_largest_size_passes_and_a_larger_message_is_refused()
    {
        var server = await StartAsync();
        var client = Connect(server);
        var body = RandomNumberGenerator.GetBytes(1024 * 1024);
        await client.CreateSender("jobs").SendMessageAsync(new ServiceBusMessage(body));
        Assert.Equal(body, (await ReceiveAsync(client.CreateReceiver("jobs"))).Body.ToArray());

        var tooLarge = new ServiceBusMessage(new byte[1200 * 1024]);
        var error = await Assert.ThrowsAsync<ServiceBusException>(() => client.CreateSender("jobs").SendMessageAsync(tooLarge));

        Assert.Equal(ServiceBusFailureReason.MessageSizeExceeded, error.Reason);
    }

    [Fact]
    public async Task Sessions_and_transactions_are_refused_in_plain_words()
    {
        var server = await StartAsync();
        var client = Connect(server);

        var session = await Assert.ThrowsAnyAsync<Exception>(() => client.AcceptSessionAsync("jobs", "s"));
        Exception? transaction = null;
        try
        {
            using var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
            await client.CreateSender("jobs").SendMessageAsync(Message("m"));
            scope.Complete();
        }
        catch (Exception problem)
        {
            transaction = problem;
        }

        Assert.Contains("does not offer", session.Message, StringComparison.Ordinal);
        Assert.Contains("does not offer", transaction?.ToString(), StringComparison.Ordinal);
        Assert.Equal(default, await server.CountAsync("jobs"));
    }

    [Theory]
    [InlineData("another secret, long enough", "root", "jobs", AccessRights.All, 60)]
    [InlineData(null, "nobody", "jobs", AccessRights.All, 60)]
    [InlineData(null, "root", "jobs", AccessRights.All, -1)]
    [InlineData(null, "root", "other", AccessRights.All, 60)]
    [InlineData(null, "root", "jobs", AccessRights.Listen, 60)]
    public async Task A_wrong_unknown_expired_foreign_or_weaker_signature_may_not_send(
        string? secret, string keyName, string queue, AccessRights rights, int minutes)
    {
        var key = AccessKey.Create("root", rights == AccessRights.All ? null : Only("jobs", rights));
        var server = await StartAsync(keys: [key]);
        var client = Connect(Scoped(server, new AccessKey(keyName, secret ?? key.Secret), queue, minutes), retries: 0);

        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => client.CreateSender("jobs").SendMessageAsync(Message("m")));

        Assert.Equal(default, await server.CountAsync("jobs"));
    }

    [Fact]
    public async Task A_signature_scoped_to_a_queue_serves_it_and_its_dead_letter_queue_and_ends_at_its_time_also_on_open_links()
    {
        var server = await StartAsync();
        var worker = Connect(Scoped(server, settings!.Keys[0], "jobs", minutes: 60), retries: 2);
        var (sender, receiver) = (worker.CreateSender("jobs"), worker.CreateReceiver("jobs"));
        await sender.SendMessageAsync(Message("m"));
        await receiver.DeadLetterMessageAsync(await ReceiveAsync(receiver));
        var deadLetters = worker.CreateReceiver("jobs", new ServiceBusReceiverOptions { SubQueue = SubQueue.DeadLetter });
        Assert.Equal("m", (await ReceiveAsync(deadLetters)).MessageId);
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => worker.CreateSender("other").SendMessageAsync(Message("m")));

        time.Advance(TimeSpan.FromHours(1));

        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => sender.SendMessageAsync(Message("late")));
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => receiver.ReceiveMessageAsync(Soon));
        Assert.Equal(0, (await server.CountAsync("jobs")).Active);
    }

    private string Scoped(ServiceBusServer server, AccessKey key, string queue, int minutes)
    {
        var signature = Tokens.Create(key, $"amqp://localhost/{queue}", time.GetUtcNow().AddMinutes(minutes));
        return $"Endpoint=sb://localhost:{server.Port};SharedAccessSignature={signature};UseDevelopmentEmulator=true";
    }

    private static Dictionary<string, AccessRights> Only(string queue, AccessRights rights) => new() { [queue] = rights };

    [Fact]
    public async Task A_key_of_one_queue_opens_no_other_and_a_key_for_listening_schedules_nothing()
    {
        var server = await StartAsync(
            keys:
            [
                AccessKey.Create("jobs-only", Only("jobs", AccessRights.All)),
                AccessKey.Create("listener", Only("jobs", AccessRights.Listen)),
            ]
        );
        var jobs = Connect(server.ConnectionString("jobs-only"), retries: 0);
        var listener = Connect(server.ConnectionString("listener"), retries: 0);

        await jobs.CreateSender("jobs").SendMessageAsync(Message("m"));
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => jobs.CreateSender("other").SendMessageAsync(Message("m")));
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => jobs.CreateReceiver("other").PeekMessageAsync());
        await Assert.ThrowsAsync<UnauthorizedAccessException>(
            () => listener.CreateSender("jobs").ScheduleMessageAsync(Message("m"), time.GetUtcNow().AddHours(1)));
        Assert.Equal("m", (await ReceiveAsync(listener.CreateReceiver("jobs"))).MessageId);
    }

    [Fact]
    public async Task It_listens_on_the_loopback_address_alone_unless_told_otherwise()
    {
        var server = await StartAsync();

        var listening = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Where(end => end.Port == server.Port);

        Assert.Equal([new IPEndPoint(IPAddress.Loopback, server.Port)], listening);
    }

    [Fact]
    public async Task It_listens_on_every_address_of_either_kind_where_asked_for_it()
    {
        var server = await StartAsync(change: options => options with { Address = IPAddress.IPv6Any });
        foreach (var host in new[] { "127.0.0.1", "[::1]", "localhost" })
            await Connect(server.ConnectionString("root", host)).CreateSender("jobs").SendMessageAsync(Message(host));

        Assert.Equal(3, (await server.CountAsync("jobs")).Active);
    }

    [Fact]
    public async Task A_file_of_another_version_is_refused_by_its_name_and_left_as_it_is()
    {
        var path = folder.File("old.db");
        using (var old = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={path};Pooling=False"))
        {
            old.Open();
            using var command = old.CreateCommand();
            command.CommandText = "CREATE TABLE messages (seq INTEGER)";
            command.ExecuteNonQuery();
        }

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => StartAsync(change: old => old with { DatabasePath = path }));

        Assert.Equal(
            $"'{path}' has schema version 0; this program writes version 2. "
            + "Move the file away (what is in it stays there) and start again, or go on with the program that wrote it.",
            error.Message);
    }

    [Fact]
    public async Task A_file_that_is_no_database_or_open_in_another_broker_and_a_port_that_is_taken_are_refused_by_name()
    {
        var path = folder.File("text.db");
        await File.WriteAllTextAsync(path, new string('x', 5000));
        var noDatabase = await Assert.ThrowsAsync<InvalidDataException>(() => StartAsync(change: old => old with { DatabasePath = path }));
        Assert.Contains($"'{path}' is not an SQLite database", noDatabase.Message, StringComparison.Ordinal);

        var first = await StartAsync();
        var taken = await Assert.ThrowsAsync<IOException>(() => StartAsync());
        Assert.Contains("broker.db' is open in another process", taken.Message, StringComparison.Ordinal);

        var port = await Assert.ThrowsAsync<IOException>(
            () => StartAsync(change: old => old with { DatabasePath = folder.File("second.db"), Port = first.Port }));
        Assert.Contains($"cannot listen on 127.0.0.1, port {first.Port}", port.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_stops_at_once_though_clients_are_connected_and_wait()
    {
        var server = await StartAsync();
        var waiting = Connect(server).CreateReceiver("jobs").ReceiveMessageAsync(Soon);
        await Connect(server).CreateSender("other").SendMessageAsync(Message("m"));

        await server.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(5));

        Assert.False(waiting.IsCompletedSuccessfully && waiting.Result is not null);
    }

    private static ServiceBusMessage Message(string id) => new("") { MessageId = id };

    private static async Task<ServiceBusReceivedMessage> ReceiveAsync(ServiceBusReceiver from) =>
        await from.ReceiveMessageAsync(Soon) ?? throw new TimeoutException($"No message came in {Soon}.");

    private async Task<ServiceBusServer> StartAsync(
        QueueSettings? jobs = null, AccessKey[]? keys = null, Func<ServiceBusServerOptions, ServiceBusServerOptions>? change = null)
    {
        var options = new ServiceBusServerOptions
        {
            DatabasePath = folder.File("broker.db"),
            Queues = [jobs ?? new QueueSettings("jobs") { LockDuration = TimeSpan.FromSeconds(30), MaxDeliveryCount = 3 }, new("other")],
            Keys = keys ?? [new("root", "a secret that is long enough")],
            Time = time,
        };
        settings = change is null ? options : change(options);
        var server = await ServiceBusServer.StartAsync(settings, NullLogger.Instance);
        servers.Add(server);
        return server;
    }

    /// <summary>On the same file and port.</summary>
    private async Task<ServiceBusServer> RestartAsync(ServiceBusServer server)
    {
        var port = server.Port;
        await server.DisposeAsync();
        var next = await ServiceBusServer.StartAsync(settings! with { Port = port }, NullLogger.Instance);
        servers.Add(next);
        return next;
    }

    private ServiceBusClient Connect(ServiceBusServer server) => Connect(server.ConnectionString("root"), retries: 5);

    private ServiceBusClient Connect(string connectionString, int retries = 5)
    {
        var options = new ServiceBusClientOptions { RetryOptions = new() { MaxRetries = retries, Delay = TimeSpan.FromMilliseconds(100) } };
        var client = new ServiceBusClient(connectionString, options);
        clients.Add(client);
        return client;
    }
}
