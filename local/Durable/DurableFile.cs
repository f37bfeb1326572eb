using System.Threading.Channels;
using Microsoft.Data.Sqlite;
using Sdxl.Local.Storage;

namespace Sdxl.Local.Durable;

/// <summary>
/// The file of the orchestrations: one connection that holds the file exclusively, one writer. What waits to be written is committed
/// together (synced to the disk, so a power cut takes back nothing that was confirmed); each piece of work succeeds or fails alone.
/// </summary>
internal sealed class DurableFile : IAsyncDisposable
{
    /// <summary>Marks files of this layout. Files of the former engine have 0.</summary>
    public const int SchemaVersion = 2;

    private const int MaxCommitTogether = 256;
    private const int BusyTimeoutSeconds = 2; // Only a second process on the same file would make us wait.

    private const int SqliteBusy = 5; // SQLite's error codes.
    private const int SqliteLocked = 6;
    private const int SqliteNotADatabase = 26;

    private readonly Lock gate = new();
    private readonly Channel<Work> waiting = Channel.CreateUnbounded<Work>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Dictionary<string, SqliteCommand> statements = [];
    private readonly SqliteConnection connection;
    private readonly Action<int, bool>? aroundCommit;
    private readonly Task writer;
    private int commits;

    /// <param name="path">Made if missing, with its folder.</param>
    /// <param name="aroundCommit">See <see cref="SqliteOrchestrationOptions.AroundCommit"/>.</param>
    /// <exception cref="InvalidDataException">The file is another program's or version's.</exception>
    /// <exception cref="IOException">Another process has it open.</exception>
    public DurableFile(string path, Action<int, bool>? aroundCommit)
    {
        Path = System.IO.Path.GetFullPath(path);
        this.aroundCommit = aroundCommit;
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
        connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = Path,
            Pooling = false, // A closed file must be closed: it is deleted or opened again.
            DefaultTimeout = BusyTimeoutSeconds,
        }.ToString());
        try
        {
            connection.Open();
            Run("PRAGMA locking_mode = EXCLUSIVE");
            RefuseForeignFile();
            Run("PRAGMA journal_mode = WAL");
            Run("PRAGMA synchronous = FULL");
            Run("PRAGMA foreign_keys = ON");
            using var transaction = connection.BeginTransaction(); // Takes the file's lock, for as long as the connection lives.
            new SqliteSession(connection, transaction, statements).Execute(DurableSchema.Statements + $"PRAGMA user_version = {SchemaVersion};");
            transaction.Commit();
        }
        catch (Exception e)
        {
            connection.Dispose();
            switch ((e as SqliteException)?.SqliteErrorCode)
            {
                case SqliteBusy or SqliteLocked:
                    throw new IOException(
                        $"The orchestrations in '{Path}' are in use by another process. Stop it, or give this one a folder of its own.", e);
                case SqliteNotADatabase:
                    throw new InvalidDataException($"'{Path}' is no SQLite database. Move it away; a new file is made.", e);
                default:
                    throw;
            }
        }
        writer = Task.Run(WriteAll);
    }

    public string Path { get; }

    /// <summary>Runs statements that change nothing, over what is committed.</summary>
    public T Read<T>(Func<SqliteSession, T> work)
    {
        lock (gate)
        {
            using var transaction = connection.BeginTransaction(deferred: true);
            return work(new SqliteSession(connection, transaction, statements));
        }
    }

    /// <summary>
    /// Runs statements in a transaction; the task ends when they are on the disk. An exception undoes this work and no other.
    /// </summary>
    public Task<T> WriteAsync<T>(Func<SqliteSession, T> work)
    {
        var item = new Work<T>(work);
        ObjectDisposedException.ThrowIf(!waiting.Writer.TryWrite(item), this);
        return item.Done;
    }

    /// <summary>Commits what waits and closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        waiting.Writer.TryComplete();
        await writer;
        lock (gate)
            connection.Dispose();
    }

    private async Task WriteAll()
    {
        var batch = new List<Work>();
        while (await waiting.Reader.WaitToReadAsync())
        {
            while (batch.Count < MaxCommitTogether && waiting.Reader.TryRead(out var work))
                batch.Add(work);
            var failure = Commit(batch);
            batch.ForEach(work => work.End(failure));
            batch.Clear();
        }
    }

    private Exception? Commit(List<Work> batch)
    {
        lock (gate)
        {
            try
            {
                using var transaction = connection.BeginTransaction();
                var session = new SqliteSession(connection, transaction, statements);
                batch.ForEach(work => work.Run(session));
                commits++;
                aroundCommit?.Invoke(commits, false);
                transaction.Commit();
                aroundCommit?.Invoke(commits, true);
                return null;
            }
            catch (Exception e) // Whatever it was, those who wait must hear of it; they decide.
            {
                return e;
            }
        }
    }

    private void RefuseForeignFile()
    {
        var version = (long)Run("PRAGMA user_version")!;
        var isEmpty = (long)Run("SELECT count(*) FROM sqlite_master")! == 0;
        if (version != SchemaVersion && !(version == 0 && isEmpty))
            throw new InvalidDataException(
                $"'{Path}' was written by another version of this program (its layout is {version}, this version reads {SchemaVersion}). "
                + "Let that version finish its orchestrations, or move the file away; then start again.");
    }

    private object? Run(string statement)
    {
        using var command = connection.CreateCommand();
        command.CommandText = statement;
        return command.ExecuteScalar();
    }

    private abstract class Work
    {
        public abstract void Run(SqliteSession session);

        public abstract void End(Exception? commitFailure);
    }

    private sealed class Work<T>(Func<SqliteSession, T> work) : Work
    {
        private readonly TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? result;
        private Exception? failure;

        public Task<T> Done => done.Task;

        public override void Run(SqliteSession session)
        {
            session.Execute("SAVEPOINT work");
            try
            {
                result = work(session);
            }
            catch (Exception e) // Kept for the caller.
            {
                failure = e;
                session.Execute("ROLLBACK TO work");
            }
            session.Execute("RELEASE work");
        }

        public override void End(Exception? commitFailure)
        {
            if ((failure ?? commitFailure) is { } exception)
                done.SetException(exception);
            else
                done.SetResult(result!);
        }
    }
}
