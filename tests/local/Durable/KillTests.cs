using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using DurableTask.Core;
using DurableTask.Core.History;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Sdxl.Local.Durable;
using Sdxl.Tests;

namespace Sdxl.Local.Tests.Durable;

/// <summary>
/// The process is killed with signal 9 exactly before or after each commit of an orchestration; another one goes on with the file.
/// </summary>
public sealed class KillTests
{
    private const string Id = "all";
    private const string Undisturbed = "r1 r2 r3 | child:c | told | second try | generation 2";

    public static TheoryData<bool> BeforeAndAfter => [false, true];

    [Theory]
    [MemberData(nameof(BeforeAndAfter))]
    public async Task A_process_killed_at_any_commit_ends_with_the_same_result_and_repeats_no_recorded_activity(bool after)
    {
        var kills = new ConcurrentDictionary<int, bool>();
        var next = 0;
        var over = false;
        await Task.WhenAll(Lane(), Lane());

        // The number of commits varies a little, as what comes together is committed together.
        Assert.True(kills.Count(kill => kill.Value) >= 15, $"only {kills.Count(kill => kill.Value)} commits were killed at");

        async Task Lane()
        {
            while (!Volatile.Read(ref over))
            {
                var commit = Interlocked.Increment(ref next);
                kills[commit] = await KillAt(commit, after);
                if (!kills[commit])
                    Volatile.Write(ref over, true);
            }
        }
    }

    /// <returns>Whether there was such a commit.</returns>
    private static async Task<bool> KillAt(int commit, bool after)
    {
        using var folder = new TempFolder();
        var database = folder.File("durable.db");
        var log = folder.File("calls.log");
        using (var child = ChildProgram.Start("durable", database, log, commit.ToString(CultureInfo.InvariantCulture), after.ToString()))
        {
            var output = await child.StandardOutput.ReadToEndAsync().WaitAsync(Hub.Patience);
            await child.WaitForExitAsync();
            if (child.ExitCode == 0)
            {
                Assert.Equal(Undisturbed, output.Trim());
                return false;
            }
            Assert.Equal(128 + 9, child.ExitCode);
        }
        var ranBefore = File.Exists(log) ? File.ReadAllLines(log) : [];
        var recorded = Recorded(database);
        Assert.Subset(ranBefore.ToHashSet(), recorded); // A result that was never computed would be invented.

        Assert.Equal(Undisturbed, await RunToEnd(database, log, null));
        var ranAfter = File.ReadAllLines(log).Skip(ranBefore.Length).ToList();
        Assert.Empty(ranAfter.Intersect(recorded));
        Assert.Equal(ranAfter.Count, ranAfter.Distinct().Count());
        return true;
    }

    /// <summary>In the child: the process dies at the given commit, and ends normally if there is none of that number.</summary>
    internal static async Task RunUntilKilled(string database, string log, int commit, bool after) =>
        Console.WriteLine(await RunToEnd(database, log, (number, isAfter) =>
        {
            if (number != commit || isAfter != after)
                return;
            Process.GetCurrentProcess().Kill();
            Thread.Sleep(Timeout.Infinite);
        }));

    private static async Task<string> RunToEnd(string database, string log, Action<int, bool>? aroundCommit)
    {
        var commits = 0;
        var options = new SqliteOrchestrationOptions
        {
            AtCommit = _ =>
            {
                aroundCommit?.Invoke(++commits, false);
                return problem => aroundCommit?.Invoke(problem is null ? commits : 0, true);
            },
        };
        await using var service = new SqliteOrchestrationService(database, options, TimeProvider.System, NullLogger.Instance);
        var worker = new TaskHubWorker(service, NullLoggerFactory.Instance);
        worker.ErrorPropagationMode = ErrorPropagationMode.UseFailureDetails;
        worker.AddTaskOrchestrations(new Creator<TaskOrchestration>("All", () => new LambdaOrchestration(All)));
        worker.AddTaskOrchestrations(new Creator<TaskOrchestration>("Child", () => new LambdaOrchestration(Child)));
        worker.AddTaskActivities(new Creator<TaskActivity>("Note", () => new LambdaActivity(input =>
        {
            lock (service)
                File.AppendAllText(log, input + "\n");
            return Task.FromResult(input);
        })));
        // Fails at its first attempt, which the log remembers over the death of the process.
        worker.AddTaskActivities(new Creator<TaskActivity>("Flaky", () => new LambdaActivity(input =>
        {
            lock (service)
            {
                var isFirst = !File.Exists(log) || !File.ReadAllLines(log).Contains("flaky 1");
                File.AppendAllText(log, isFirst ? "flaky 1\n" : "flaky 2\n");
                return isFirst ? throw new InvalidOperationException("first try") : Task.FromResult("second try");
            }
        })));
        await worker.StartAsync();
        var client = new TaskHubClient(service);
        if (await client.GetOrchestrationStateAsync(Id) is null)
            await client.CreateOrchestrationInstanceAsync("All", "", Id, "");
        var end = await service.WaitForOrchestrationAsync(Id, null, Hub.Patience, CancellationToken.None);
        await worker.StopAsync(isForced: true);
        return end.OrchestrationStatus == OrchestrationStatus.Completed ? end.Output.Trim('"') : $"{end.OrchestrationStatus} {end.Output}";
    }

    /// <summary>A bit of everything: fan-out, timer, sub-orchestration, event, retry, continue-as-new.</summary>
    private static async Task<string> All(Flow flow)
    {
        if (flow.Input.Length > 0)
            return $"{flow.Input} | {await flow.Activity("Note", "generation 2")}";
        var fan = await Task.WhenAll(flow.Activity("Note", "r1"), flow.Activity("Note", "r2"), flow.Activity("Note", "r3"));
        await flow.Sleep(10);
        var child = await flow.Child("Child", "all-child", "c");
        var told = await flow.Event("tell");
        var retried = await flow.Context.ScheduleWithRetry<string>("Flaky", "", new RetryOptions(TimeSpan.FromMilliseconds(10), 3), "");
        var result = $"{string.Join(' ', fan)} | {child} | {told} | {retried}";
        flow.Context.ContinueAsNew(result);
        return result;
    }

    private static async Task<string> Child(Flow flow)
    {
        flow.Context.SendEvent(new OrchestrationInstance { InstanceId = Id }, "tell", "told");
        return "child:" + await flow.Activity("Note", flow.Input);
    }

    /// <summary>
    /// The activities whose result the file has, in a history or still as a message. After the continuation only the second generation
    /// counts.
    /// </summary>
    private static HashSet<string> Recorded(string database)
    {
        if (!File.Exists(database))
            return [];
        using var connection = new SqliteConnection($"Data Source={database};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText =
            $"""
            WITH events (event) AS (SELECT event FROM history UNION ALL SELECT json_extract(message, '$.Event') FROM messages)
            SELECT json_extract(event, '$.Result') FROM events WHERE json_extract(event, '$.EventType') = {(int)EventType.TaskCompleted}
            """;
        using var rows = command.ExecuteReader();
        var results = new HashSet<string>();
        while (rows.Read())
        {
            var result = rows.GetString(0).Trim('"');
            results.Add(result == "second try" ? "flaky 2" : result);
        }
        return results;
    }
}
