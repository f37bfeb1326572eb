namespace Sdxl.Cli.Hosting;

/// <summary>
/// Who uses the host of a state folder: each command that works with it holds a shared lock on users.lock there; a command stops the host
/// that it started only once it has the lock to itself. The operating system takes a lock back however its owner ends.
/// </summary>
internal static class HostUse
{
    private const string Name = "users.lock";

    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(100);

    /// <returns>Held until disposed, beside others; null where somebody has the host to himself.</returns>
    public static FileStream? TryShare(string home) => TryOpen(home, FileAccess.Read, FileShare.Read);

    /// <returns>Held until disposed, alone; null where somebody uses the host.</returns>
    public static FileStream? TryTakeAlone(string home) => TryOpen(home, FileAccess.ReadWrite, FileShare.None);

    /// <param name="busy">Called once, where the lock is not free at once.</param>
    public static async Task<FileStream> WaitAsync(Func<FileStream?> take, Action busy, CancellationToken cancel)
    {
        if (take() is { } free)
            return free;
        busy();
        while (true)
        {
            await Task.Delay(PollEvery, cancel);
            if (take() is { } held)
                return held;
        }
    }

    private static FileStream? TryOpen(string home, FileAccess access, FileShare share)
    {
        Directory.CreateDirectory(home);
        try
        {
            return new FileStream(Path.Combine(home, Name), FileMode.OpenOrCreate, access, share);
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or FileNotFoundException or PathTooLongException))
        {
            return null; // another process has it
        }
    }
}
