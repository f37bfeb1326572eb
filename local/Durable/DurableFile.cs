namespace Sdxl.Local.Durable;

/// <summary>
/// The file of the orchestrations, which this process alone has open. What waits to be written is committed together (synced to the disk,
/// so a power cut takes back nothing that was confirmed); each piece of work succeeds or fails alone.
/// </summary>
internal sealed class DurableFile : IAsyncDisposable
{
    /// <summary>Marks files of this layout. Files of the former engine have 0.</summary>
    public const int SchemaVersion = 2;

    private readonly SqliteFile file;
    private readonly StoreWriter writer;
    private int commits;

    /// <param name="path">Made if missing, with its folder.</param>
    /// <param name="aroundCommit">See <see cref="SqliteOrchestrationOptions.AroundCommit"/>.</param>
    /// <exception cref="InvalidDataException">The file is another program's or version's.</exception>
    /// <exception cref="IOException">Another process has it open.</exception>
    public DurableFile(string path, Action<int, bool>? aroundCommit)
    {
        file = new SqliteFile(path, DurableSchema.Statements, SchemaVersion, powerSafe: true, exclusive: true);
        writer = new StoreWriter(file, _ => { }, _ =>
        {
            commits++;
            aroundCommit?.Invoke(commits, false);
            return problem =>
            {
                if (problem is null)
                    aroundCommit?.Invoke(commits, true);
            };
        });
    }

    /// <summary>Runs statements that change nothing, over what is committed.</summary>
    public T Read<T>(Func<SqliteSession, T> work) => file.Read(work);

    /// <summary>
    /// Runs statements in a transaction; the task ends when they are on the disk. An exception undoes this work and no other.
    /// </summary>
    public Task<T> WriteAsync<T>(Func<SqliteSession, T> work) => writer.RunAsync(work);

    /// <summary>Commits what waits and closes the file.</summary>
    public ValueTask DisposeAsync() => writer.DisposeAsync();
}
