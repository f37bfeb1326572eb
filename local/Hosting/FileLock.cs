namespace Sdxl.Local.Hosting;

/// <summary>A lock that the operating system takes back however its owner ends.</summary>
internal static class FileLock
{
    /// <returns>The lock, held until disposed; null where another process has it.</returns>
    public static FileStream? TryTake(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }

    public static async Task<FileStream> Take(string path, CancellationToken cancellation)
    {
        while (true)
        {
            if (TryTake(path) is { } taken)
                return taken;
            await Task.Delay(100, cancellation);
        }
    }
}
