namespace Sdxl.Core.Hosting;

/// <summary>A file for its owner alone, since it holds keys.</summary>
public static class PrivateFile
{
    /// <summary>Whole or not at all: written beside, then renamed.</summary>
    public static void Write(string path, string text)
    {
        var beside = $"{path}.{Environment.ProcessId}";
        File.Delete(beside); // of a program that was killed here
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new StreamWriter(beside, options))
            file.Write(text);
        File.Move(beside, path, overwrite: true);
    }
}
