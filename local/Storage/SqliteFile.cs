using Microsoft.Data.Sqlite;

namespace Sdxl.Local.Storage;

/// <summary>
/// One SQLite file in write-ahead mode: each <see cref="Write{T}"/> is a transaction that is either wholly there after kill -9 or not at all.
/// Several processes may open the same file; within a process one connection is shared under a lock.
/// </summary>
internal sealed class SqliteFile : IDisposable
{
    private const int BusyTimeoutSeconds = 30; // Another process holds the write lock for milliseconds at most.

    private readonly Lock gate = new();
    private readonly SqliteConnection connection;
    private bool closed;

    /// <param name="path">Made if missing, with its folder.</param>
    /// <param name="schema">Statements of the form CREATE … IF NOT EXISTS.</param>
    public SqliteFile(string path, string schema)
    {
        Path = System.IO.Path.GetFullPath(path);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
        connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = Path,
            Pooling = false, // A closed file must be closed: tests reopen it, and shutdown deletes the lock.
            DefaultTimeout = BusyTimeoutSeconds,
        }.ToString());
        connection.Open();
        Run("PRAGMA journal_mode = WAL");
        // NORMAL loses nothing when a process dies; after a power cut the newest transactions may be missing, the file stays whole.
        Run("PRAGMA synchronous = NORMAL");
        Run("PRAGMA foreign_keys = ON");
        Write(session => session.Execute(schema));
    }

    public string Path { get; }

    /// <summary>Runs statements that change nothing.</summary>
    public T Read<T>(Func<SqliteSession, T> work)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(closed, this);
            using var transaction = connection.BeginTransaction(deferred: true);
            var result = work(new SqliteSession(connection, transaction));
            transaction.Commit();
            return result;
        }
    }

    /// <summary>Runs statements in one transaction; an exception undoes all of them.</summary>
    public T Write<T>(Func<SqliteSession, T> work)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(closed, this);
            using var transaction = connection.BeginTransaction(deferred: false);
            var result = work(new SqliteSession(connection, transaction));
            transaction.Commit();
            return result;
        }
    }

    /// <inheritdoc cref="Write{T}"/>
    public void Write(Action<SqliteSession> work) => Write(session =>
    {
        work(session);
        return 0;
    });

    public void Dispose()
    {
        lock (gate)
        {
            if (closed)
                return;
            closed = true;
            connection.Dispose();
        }
    }

    private void Run(string statement)
    {
        using var command = connection.CreateCommand();
        command.CommandText = statement;
        command.ExecuteNonQuery();
    }
}
