namespace Sdxl.Local.Storage;

/// <summary>
/// The one thread that touches the file. Whatever has queued up while the last commit was on its way to the disk becomes one transaction;
/// answers are given only when it is there. An operation that fails undoes itself alone; a commit that fails, fails all of its operations.
/// </summary>
internal sealed class StoreWriter : IAsyncDisposable
{
    private const int MaxOperations = 512; // in one transaction

    private static readonly TimeSpan FailurePause = TimeSpan.FromSeconds(0.5); // a full disk stays full: no storm of tries

    private readonly Channel<Operation> queue = Channel.CreateUnbounded<Operation>(new() { SingleReader = true });
    private readonly SqliteFile file;
    private readonly Action<SqliteSession> atBegin;
    private readonly Func<SqliteSession, Action<Exception?>> atEnd;
    private readonly Task thread;

    /// <param name="file">Closed with this object.</param>
    /// <param name="atBegin">The first part of each transaction.</param>
    /// <param name="atEnd">The last part; what it returns is called after the commit, with null or with what went wrong.</param>
    public StoreWriter(SqliteFile file, Action<SqliteSession> atBegin, Func<SqliteSession, Action<Exception?>> atEnd)
    {
        (this.file, this.atBegin, this.atEnd) = (file, atBegin, atEnd);
        thread = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Runs work in one of the next transactions; the task ends when that is on the disk.</summary>
    public Task<T> RunAsync<T>(Func<SqliteSession, T> work)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var (result, refusal) = (default(T), default(Exception));
        var operation = new Operation(
            session => refusal = Try(session, () => result = work(session)),
            problem => _ = (problem ?? refusal) is { } exception ? answer.TrySetException(exception) : answer.TrySetResult(result!));
        if (!queue.Writer.TryWrite(operation))
            answer.TrySetException(new ObjectDisposedException(file.Path, "The host is shutting down."));
        return answer.Task;
    }

    /// <inheritdoc cref="RunAsync{T}"/>
    public Task RunAsync(Action<SqliteSession> work) => RunAsync(session =>
    {
        work(session);
        return true;
    });

    /// <summary>Finishes what has been asked for, then closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        await thread;
        file.Dispose();
    }

    private static Exception? Try(SqliteSession session, Action work)
    {
        session.Execute($"SAVEPOINT operation");
        try
        {
            work();
            return null;
        }
        catch (Exception refusal)
        {
            session.Execute($"ROLLBACK TO operation");
            return refusal;
        }
        finally
        {
            session.Execute($"RELEASE operation");
        }
    }

    private void Run()
    {
        var batch = new List<Operation>();
        while (queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (batch.Count < MaxOperations && queue.Reader.TryRead(out var operation))
                batch.Add(operation);
            Action<Exception?>? afterCommit = null;
            Exception? problem = null;
            try
            {
                file.Write(session =>
                {
                    atBegin(session);
                    batch.ForEach(operation => operation.Run(session));
                    return afterCommit = atEnd(session);
                });
            }
            catch (Exception exception) // A full disk, say: every caller is told, and the next transaction tries anew.
            {
                problem = exception;
                Thread.Sleep(FailurePause);
            }
            batch.ForEach(operation => operation.Answer(problem));
            afterCommit?.Invoke(problem);
            batch.Clear();
        }
    }

    private sealed record Operation(Action<SqliteSession> Run, Action<Exception?> Answer);
}
