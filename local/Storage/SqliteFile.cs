namespace Sdxl.Local.Storage;

/// <summary>
/// One SQLite file in write-ahead mode: each <see cref="Write{T}"/> is a transaction that is either wholly there after kill -9 or not at
/// all. Several processes may open the same file; within a process one connection is shared under a lock.
/// </summary>
internal sealed class SqliteFile : IDisposable
{
    private const int BusyTimeoutSeconds = 30; // Another process holds the write lock for milliseconds at most.

    private readonly Lock gate = new();
    private readonly SqliteConnection connection;
    private readonly Dictionary<string, SqliteCommand> statements = [];
    private bool closed;

    /// <param name="path">Made if missing, with its folder.</param>
    /// <param name="schema">Statements of the form CREATE … IF NOT EXISTS.</param>
    /// <param name="version">Marks the schema in the file; a file that has another one is refused. 0: unmarked, anything is taken.</param>
    /// <param name="powerSafe">Whether a commit is on the disk when it returns; otherwise a power cut may take the newest ones.</param>
    /// <param name="exclusive">Whether this process alone may have the file open; a second opener is refused at once.</param>
    /// <exception cref="InvalidDataException">The file has another schema, or is no database; the text says what to do.</exception>
    /// <exception cref="IOException">Exclusive, and another process has the file open.</exception>
    public SqliteFile(string path, string schema, int version = 0, bool powerSafe = false, bool exclusive = false)
    {
        Path = System.IO.Path.GetFullPath(path);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
        connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = Path,
            Pooling = false, // A closed file must be closed: tests reopen it, and shutdown deletes the lock.
            DefaultTimeout = exclusive ? 1 : BusyTimeoutSeconds,
        }.ToString());
        try
        {
            connection.Open();
            if (exclusive)
                Run("PRAGMA locking_mode = EXCLUSIVE");
            RefuseForeignFile(version); // before anything is written into it
            Run("PRAGMA journal_mode = WAL");
            // NORMAL loses nothing when a process dies; after a power cut the newest transactions may be missing, the file stays whole.
            Run(powerSafe ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
            Run("PRAGMA foreign_keys = ON");
            Write(session => Prepare(session, schema, version));
        }
        catch (SqliteException problem) when (problem.SqliteErrorCode is SQLitePCL.raw.SQLITE_BUSY or SQLitePCL.raw.SQLITE_LOCKED)
        {
            connection.Dispose();
            throw new IOException($"'{Path}' is open in another process. Stop that one, or give this one another file.", problem);
        }
        catch (SqliteException problem) when (problem.SqliteErrorCode == SQLitePCL.raw.SQLITE_NOTADB)
        {
            connection.Dispose();
            throw new InvalidDataException($"'{Path}' is not an SQLite database. Move it away: a new one is then made.", problem);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public string Path { get; }

    /// <summary>Runs statements that change nothing.</summary>
    public T Read<T>(Func<SqliteSession, T> work)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(closed, this);
            using var transaction = connection.BeginTransaction(deferred: true);
            var result = work(new SqliteSession(connection, transaction, statements));
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
            var result = work(new SqliteSession(connection, transaction, statements));
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
            foreach (var statement in statements.Values)
                statement.Dispose();
            connection.Dispose();
        }
    }

    private void RefuseForeignFile(int version)
    {
        if (version == 0)
            return;
        var found = (long)Run("PRAGMA user_version")!;
        var isNew = found == 0 && (long)Run("SELECT count(*) FROM sqlite_master")! == 0;
        if (!isNew && found != version)
        {
            throw new InvalidDataException(
                $"'{Path}' has schema version {found}; this program writes version {version}. "
                + "Move the file away (what is in it stays there) and start again, or go on with the program that wrote it.");
        }
    }

    private static void Prepare(SqliteSession session, string schema, int version)
    {
        if (version != 0)
            session.Execute($"PRAGMA user_version = {version}");
        session.Execute(schema);
    }

    private object? Run(string statement)
    {
        using var command = connection.CreateCommand();
        command.CommandText = statement;
        return command.ExecuteScalar();
    }
}
