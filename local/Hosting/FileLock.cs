namespace Sdxl.Local.Hosting;

/// <summary>A lock that the operating system takes back however its owner ends.</summary>
internal static class FileLock
{
    /// <returns>The lock, held until disposed; null where another process has it, perhaps another user's.</returns>
    public static FileStream? TryTake(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
