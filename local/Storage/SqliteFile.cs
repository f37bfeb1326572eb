using System.Data;
using SQLitePCL;

namespace Sdxl.Local.Storage;

/// <summary>
/// One SQLite file of this process alone, in write-ahead mode: each <see cref="Write{T}"/> is a transaction that is on the disk when it
/// returns, wholly or not at all. Its one connection is shared under a lock.
/// </summary>
internal sealed class SqliteFile : IDisposable
{
    private readonly Lock gate = new();
    private readonly SqliteConnection connection;
    private readonly Dictionary<string, SqliteCommand> statements = [];

    /// <param name="path">Made if missing, with its folder.</param>
    /// <param name="schema">Statements of the form CREATE … IF NOT EXISTS.</param>
    /// <param name="version">Marks the schema in the file; a file that has another one is refused.</param>
    /// <exception cref="InvalidDataException">The file has another schema, or is no database; the text says what to do.</exception>
    /// <exception cref="IOException">Another process has the file open.</exception>
    public SqliteFile(string path, string schema, int version)
    {
        Path = System.IO.Path.GetFullPath(path);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
        // Not pooled: a closed file must be closed, since tests reopen it, and shutdown deletes the lock.
        var settings = new SqliteConnectionStringBuilder { DataSource = Path, Pooling = false, ForeignKeys = true, DefaultTimeout = 1 };
        connection = new SqliteConnection(settings.ToString());
        try
        {
            connection.Open();
            Run("PRAGMA locking_mode = EXCLUSIVE");
            RefuseForeignFile(version); // before anything is written into it
            Run("PRAGMA journal_mode = WAL");
            Run("PRAGMA synchronous = FULL"); // NORMAL would lose the newest transactions in a power cut
            Write(session => session.Execute($"PRAGMA user_version = {version:raw}; {schema:raw}"));
        }
        catch (Exception problem)
        {
            connection.Dispose();
            switch ((problem as SqliteException)?.SqliteErrorCode)
            {
                case raw.SQLITE_BUSY or raw.SQLITE_LOCKED:
                    throw new IOException($"'{Path}' is open in another process. Stop that one, or give this one another file.", problem);
                case raw.SQLITE_NOTADB:
                    throw new InvalidDataException($"'{Path}' is not an SQLite database. Move it away: a new one is then made.", problem);
                default:
                    throw;
            }
        }
    }

    public string Path { get; }

    /// <summary>Runs statements that change nothing.</summary>
    public T Read<T>(Func<SqliteSession, T> work) => Transact(work, deferred: true);

    /// <summary>Runs statements in one transaction; an exception undoes all of them.</summary>
    public T Write<T>(Func<SqliteSession, T> work) => Transact(work, deferred: false);

    public void Dispose()
    {
        lock (gate)
            connection.Dispose();
    }

    private T Transact<T>(Func<SqliteSession, T> work, bool deferred)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(connection.State == ConnectionState.Closed, this);
            using var transaction = connection.BeginTransaction(deferred);
            var result = work(new SqliteSession(connection, transaction, statements));
            transaction.Commit();
            return result;
        }
    }

    private void RefuseForeignFile(int version)
    {
        var found = (long)Run("PRAGMA user_version")!;
        if (found != version && (found != 0 || (long)Run("SELECT count(*) FROM sqlite_master")! != 0))
            throw new InvalidDataException(
                $"'{Path}' has schema version {found}; this program writes version {version}. "
                + "Move the file away (what is in it stays there) and start again, or go on with the program that wrote it.");
    }

    private object? Run(string statement)
    {
        using var command = new SqliteCommand(statement, connection);
        return command.ExecuteScalar();
    }
}
