using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using DurableTask.Core;
using DurableTask.Core.Exceptions;
using DurableTask.Core.History;
using Sdxl.Local.Durable;
using Sdxl.Tests;

namespace Sdxl.Local.Tests.Durable;

public sealed class DurableFileTests : IDisposable
{
    private readonly TempFolder folder = new();

    private string Database => folder.File("durable.db");

    public void Dispose() => folder.Dispose();

    private SqliteOrchestrationService Open() => Open(new());

    private SqliteOrchestrationService Open(SqliteOrchestrationOptions options) =>
        new(Database, options, TimeProvider.System, NullLogger.Instance);

    private void Execute(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Database};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    [Theory]
    [InlineData("CREATE TABLE instances (id TEXT); INSERT INTO instances VALUES ('kept')", 0)] // As the former engine wrote it.
    [InlineData("PRAGMA user_version = 7", 7)]
    public void A_file_of_another_version_is_refused_and_left_as_it_was(string sql, int version)
    {
        Execute(sql);
        var before = File.ReadAllBytes(Database);

        var exception = Assert.Throws<InvalidDataException>(Open);

        Assert.Equal(
            $"'{Database}' has schema version {version}; this program writes version 2. "
            + "Move the file away (what is in it stays there) and start again, or go on with the program that wrote it.",
            exception.Message);
        Assert.Equal(before, File.ReadAllBytes(Database));
    }

    [Fact]
    public void A_file_that_is_no_database_is_refused()
    {
        File.WriteAllText(Database, new string('x', 5000));

        var exception = Assert.Throws<InvalidDataException>(Open);

        Assert.Equal($"'{Database}' is not an SQLite database. Move it away: a new one is then made.", exception.Message);
    }

    [Fact]
    public async Task A_second_service_on_the_same_file_is_refused_until_the_first_is_disposed()
    {
        await using (Open())
            Assert.Equal(
                $"'{Database}' is open in another process. Stop that one, or give this one another file.",
                Assert.Throws<IOException>(Open).Message);

        await using var second = Open();
        Assert.Empty(await second.GetOrchestrationStateAsync("none", allExecutions: false));
    }

    [Fact]
    public async Task Only_the_work_that_throws_is_undone_of_what_is_committed_together()
    {
        using var gate = new ManualResetEventSlim();
        var entered = new TaskCompletionSource();
        var commits = 0;
        await using var service = Open(new()
        {
            AtCommit = _ =>
            {
                entered.TrySetResult();
                if (++commits == 1)
                    gate.Wait(Hub.Patience);
                return _ => { };
            },
        });
        Task Create(string id)
        {
            var instance = new OrchestrationInstance { InstanceId = id, ExecutionId = id };
            var started = new ExecutionStartedEvent(-1, null) { Name = "N", Version = "", OrchestrationInstance = instance };
            return service.CreateTaskOrchestrationAsync(new TaskMessage { OrchestrationInstance = instance, Event = started });
        }

        var first = Create("4");
        await entered.Task.WaitAsync(Hub.Patience);
        var others = Enumerable.Range(0, 9).Select(i => Create($"{i}")).ToList(); // Wait for the first commit.
        gate.Set();
        await first;
        await Assert.ThrowsAsync<OrchestrationAlreadyExistsException>(() => Task.WhenAll(others));

        var all = await service.GetOrchestrationWithQueryAsync(new() { PageSize = 100 }, CancellationToken.None);
        Assert.Equal(9, all.OrchestrationState.Count);
        Assert.Equal(2, commits);
        Assert.True(others.Where((_, i) => i != 4).All(task => task.IsCompletedSuccessfully));
    }

    [Fact]
    public void Json_of_another_type_than_the_frameworks_is_not_read()
    {
        var json = """{"Event":{"$type":"System.IO.FileInfo, System.Private.CoreLib","fileName":"x"}}""";

        var exception = Assert.Throws<InvalidDataException>(() => DurableJson.Read<TaskMessage>(json, "Message 1 of orchestration 'a'"));

        Assert.StartsWith("Message 1 of orchestration 'a' is no TaskMessage", exception.Message, StringComparison.Ordinal);
        Assert.Contains("Type 'System.IO.FileInfo, System.Private.CoreLib' is not allowed", exception.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_failure_and_a_text_that_looks_like_a_date_come_back_as_they_were()
    {
        const string Text = "2026-01-01T00:00:00Z";
        var failure = new FailureDetails("T", "M", "S", new FailureDetails("I", "J", null, null, true), false);
        var message = new TaskMessage
        {
            OrchestrationInstance = new OrchestrationInstance { InstanceId = "a", ExecutionId = "b" },
            Event = new TaskFailedEvent(-1, 3, Text, null, failure) { Timestamp = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc) },
        };

        var back = DurableJson.Read<TaskMessage>(DurableJson.Write(message), "it");

        var failed = Assert.IsType<TaskFailedEvent>(back.Event);
        Assert.Equal((-1, 3, Text), (failed.EventId, failed.TaskScheduledId, failed.Reason));
        Assert.Equal((message.Event.Timestamp, DateTimeKind.Utc), (failed.Timestamp, failed.Timestamp.Kind));
        var details = failed.FailureDetails!;
        Assert.Equal(("T", "M", "S", "I"), (details.ErrorType, details.ErrorMessage, details.StackTrace, details.InnerFailure!.ErrorType));
        Assert.True(details.InnerFailure.IsNonRetriable);
    }
}
