using Sdxl.Core.Hosting;

namespace Sdxl.Cli;

/// <summary>Where things lie on this machine.</summary>
internal static class Places
{
    /// <summary>
    /// The repository: SDXL_ROOT (set by the ./sdxl script), else the nearest folder above the program with Directory.Packages.props.
    /// </summary>
    public static string Root { get; } = Environment.GetEnvironmentVariable("SDXL_ROOT") is { Length: > 0 } root
        ? Path.GetFullPath(root) : Repository.Root ?? Environment.CurrentDirectory;

    /// <summary>State of the host: storage, history, queues, logs. SDXL_HOME, else .sdxl in the repository.</summary>
    public static string Home { get; } =
        Environment.GetEnvironmentVariable("SDXL_HOME") is { Length: > 0 } home ? Path.GetFullPath(home) : Path.Combine(Root, ".sdxl");

    public static string Models =>
        Environment.GetEnvironmentVariable("SDXL_MODELS") is { Length: > 0 } models
            ? Path.GetFullPath(models)
            : Path.Combine(Root, "models");

    /// <summary>A path as people like to read it: relative to where they are if it lies below.</summary>
    public static string Readable(string path)
    {
        var relative = Path.GetRelativePath(Environment.CurrentDirectory, path);
        return relative.StartsWith("..", StringComparison.Ordinal) ? Path.GetFullPath(path) : relative;
    }
}
