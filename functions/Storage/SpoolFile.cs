namespace Sdxl.Functions.Storage;

/// <summary>
/// An archive on its way: a zip is read from its end, so it needs a file to seek in. The system removes it when the stream closes, also
/// after a crash of this process.
/// </summary>
public static class SpoolFile
{
    /// <param name="fill">Writes the content; when it throws, nothing stays behind.</param>
    /// <returns>The file, at its beginning.</returns>
    public static async Task<FileStream> MakeAsync(Func<Stream, Task> fill)
    {
        var file = new FileStream(
            Path.GetTempFileName(),
            FileMode.Create,
            FileAccess.ReadWrite,
            FileShare.None,
            1 << 16,
            FileOptions.DeleteOnClose
        );
        try
        {
            await fill(file);
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
        file.Position = 0;
        return file;
    }
}
