using Sdxl.Local.Storage;
using Sdxl.Tests;

namespace Sdxl.Local.Tests.Storage;

public sealed class StoreWriterTests : IDisposable
{
    private readonly TempFolder folder = new();
    private int transactions;
    private Exception? failure;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task What_queues_up_behind_a_commit_becomes_one_transaction()
    {
        await using var writer = Open();
        using var isRunning = new SemaphoreSlim(0);
        using var mayGoOn = new ManualResetEventSlim();
        var first = writer.RunAsync(_ =>
        {
            isRunning.Release();
            mayGoOn.Wait();
        });
        await isRunning.WaitAsync();
        Task Insert(int number) => writer.RunAsync(session => session.Execute($"INSERT INTO t VALUES ({number})"));
        var others = Enumerable.Range(0, 100).Select(Insert).ToList();

        mayGoOn.Set();
        await Task.WhenAll([first, .. others]);

        Assert.Equal(2, transactions);
        Assert.Equal(100L, await CountAsync(writer));
    }

    [Fact]
    public async Task An_operation_that_fails_undoes_itself_and_no_other()
    {
        await using var writer = Open();
        var good = writer.RunAsync(session => session.Execute($"INSERT INTO t VALUES (1)"));
        var bad = writer.RunAsync(session =>
        {
            session.Execute($"INSERT INTO t VALUES (2)");
            throw new InvalidOperationException("no");
        });

        await good;
        Assert.Equal("no", (await Assert.ThrowsAsync<InvalidOperationException>(() => bad)).Message);
        Assert.Equal(1L, await CountAsync(writer));
    }

    [Fact]
    public async Task A_commit_that_fails_is_told_to_all_of_its_callers_and_the_next_one_works()
    {
        await using var writer = Open();
        failure = new IOException("disk full");
        await Assert.ThrowsAsync<IOException>(() => writer.RunAsync(session => session.Execute($"INSERT INTO t VALUES (1)")));
        failure = null;

        Assert.Equal(0L, await CountAsync(writer));
    }

    [Fact]
    public async Task After_its_end_it_takes_nothing_more_but_has_done_what_was_asked_before()
    {
        var writer = Open();
        var asked = writer.RunAsync(session => session.Execute($"INSERT INTO t VALUES (1)"));
        await writer.DisposeAsync();

        await asked;
        await Assert.ThrowsAsync<ObjectDisposedException>(() => writer.RunAsync(_ => { }));
    }

    private static Task<long> CountAsync(StoreWriter writer) =>
        writer.RunAsync(session => (long)session.Scalar($"SELECT count(*) FROM t")!);

    private StoreWriter Open() => new(
        new SqliteFile(folder.File("t.db"), "CREATE TABLE IF NOT EXISTS t (n INTEGER)", version: 1),
        _ => transactions++,
        _ => failure is { } problem ? throw problem : _ => { });
}
