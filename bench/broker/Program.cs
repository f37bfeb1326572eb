using System.Diagnostics;
using System.Globalization;
using Azure.Messaging.ServiceBus;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Sdxl.Local.Broker;

// Each row: burn-in first, then the timed part. Durable commits (WAL, synchronous FULL): the argument is a folder on the disk to measure.
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var folder = Path.Combine(args is [var given] ? given : Path.GetTempPath(), $"sdxl-bench-{Environment.ProcessId}");
Directory.CreateDirectory(folder);
try
{
    Console.WriteLine($"{Environment.ProcessorCount} cores, .NET {Environment.Version}, {Environment.OSVersion}");
    Row("bare SQLite commit, 1 row of 300 bytes", Commits(Path.Combine(folder, "bare.db"), 1000));
    await using var server = await ServiceBusServer.StartAsync(
        new() { DatabasePath = Path.Combine(folder, "broker.db"), Queues = [new("q"), new("drain")], Keys = [AccessKey.Create("root")] },
        NullLogger.Instance);
    await using var client = new ServiceBusClient(server.ConnectionString("root"), new ServiceBusClientOptions());
    var sender = client.CreateSender("q");
    var receiver = client.CreateReceiver("q");

    var (latencies, completions) = (new List<double>(), new List<double>());
    for (var index = 0; index < 1200; index++)
    {
        var waiting = receiver.ReceiveMessageAsync(TimeSpan.FromSeconds(10));
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(sender.SendMessageAsync(Message(300)), waiting);
        if (index >= 200)
            latencies.Add(clock.Elapsed.TotalMilliseconds);
        clock.Restart();
        await receiver.CompleteMessageAsync(await waiting);
        if (index >= 200)
            completions.Add(clock.Elapsed.TotalMilliseconds);
    }
    Row("send -> receive, one at a time", latencies);
    Row("complete, one at a time", completions);

    var drain = client.CreateSender("drain");
    await Rate("sends/s, one at a time", 2000, async count =>
    {
        for (var index = 0; index < count; index++)
            await drain.SendMessageAsync(Message(300));
    });
    await Rate("sends/s, 64 at a time", 20_000, async count => await Task.WhenAll(Enumerable.Range(0, 64).Select(async _ =>
    {
        for (var index = 0; index < count / 64; index++)
            await drain.SendMessageAsync(Message(300));
    })));
    await Rate("sends/s, batches of 100", 50_000, async count =>
    {
        for (var index = 0; index < count / 100; index++)
            await drain.SendMessagesAsync(Enumerable.Range(0, 100).Select(_ => Message(300)));
    });

    var waitingNow = (await server.CountAsync("drain")).Active;
    foreach (var (calls, prefetch) in new[] { (1, 0), (16, 0), (16, 100) })
    {
        var goal = calls == 1 ? 1000 : 10_000;
        var handled = 0;
        var done = new TaskCompletionSource();
        var options = new ServiceBusProcessorOptions { MaxConcurrentCalls = calls, PrefetchCount = prefetch };
        await using var processor = client.CreateProcessor("drain", options);
        processor.ProcessMessageAsync += _ =>
        {
            if (Interlocked.Increment(ref handled) == goal)
                done.TrySetResult();
            return Task.CompletedTask;
        };
        processor.ProcessErrorAsync += failed =>
        {
            done.TrySetException(failed.Exception);
            return Task.CompletedTask;
        };
        var clock = Stopwatch.StartNew();
        await processor.StartProcessingAsync();
        await done.Task.WaitAsync(TimeSpan.FromMinutes(1));
        Console.WriteLine($"{$"processor, {calls} calls, prefetch {prefetch}: messages/s",-44} {goal / clock.Elapsed.TotalSeconds,10:N0}");
        await processor.StopProcessingAsync();
    }
    Console.WriteLine($"{"queue before the processors",-44} {waitingNow,10:N0}");

    var large = new List<double>();
    for (var index = 0; index < 60; index++)
    {
        var clock = Stopwatch.StartNew();
        await sender.SendMessageAsync(Message(1024 * 1024));
        await receiver.CompleteMessageAsync(await receiver.ReceiveMessageAsync());
        if (index >= 10)
            large.Add(clock.Elapsed.TotalMilliseconds);
    }
    Row("1 MiB: send, receive, complete", large);
    Console.WriteLine($"{"memory of server and client together, MiB",-44} {Environment.WorkingSet >> 20,10:N0}");
}
finally
{
    Directory.Delete(folder, recursive: true);
}

static ServiceBusMessage Message(int bytes) => new(new byte[bytes]) { MessageId = Guid.NewGuid().ToString() };

static void Row(string name, List<double> milliseconds)
{
    milliseconds.Sort();
    double At(int percent) => milliseconds[milliseconds.Count * percent / 100];
    Console.WriteLine($"{name,-44} median {At(50),8:F2} ms   p10 {At(10),8:F2}   p99 {At(99),8:F2}");
}

static async Task Rate(string name, int count, Func<int, Task> work)
{
    await work(count / 10);
    var clock = Stopwatch.StartNew();
    await work(count);
    Console.WriteLine($"{name,-44} {count / clock.Elapsed.TotalSeconds,10:N0}");
}

static List<double> Commits(string path, int count)
{
    using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
    connection.Open();
    using var command = connection.CreateCommand();
    command.CommandText = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB)";
    command.ExecuteNonQuery();
    command.CommandText = "INSERT INTO t (b) VALUES (zeroblob(300))";
    var times = new List<double>();
    for (var index = 0; index < count + 100; index++)
    {
        var clock = Stopwatch.StartNew();
        command.ExecuteNonQuery();
        if (index >= 100)
            times.Add(clock.Elapsed.TotalMilliseconds);
    }
    return times;
}
