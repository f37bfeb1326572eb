namespace Sdxl.Core.Hosting;

/// <summary>The clone that the running program was built in, for the programs of one machine. What is deployed has none.</summary>
public static class Repository
{
    /// <summary>The nearest folder above the program with Directory.Packages.props; null where there is none.</summary>
    public static string? Root { get; } = FindRoot();

    /// <summary>The folder that <see cref="Root"/> gives.</summary>
    /// <exception cref="DirectoryNotFoundException">There is none.</exception>
    public static string Required =>
        Root
        ?? throw new DirectoryNotFoundException(
            $"No Directory.Packages.props above {AppContext.BaseDirectory}: run it from inside the repository."
        );

    /// <summary>Release or Debug, as the running program was built.</summary>
    public static string Configuration { get; } = AppContext.BaseDirectory.Contains(
        $"{Path.DirectorySeparatorChar}Debug{Path.DirectorySeparatorChar}", StringComparison.Ordinal) ? "Debug" : "Release";

    /// <summary>Where another program of the clone lies that was built as this one was; it need not be there.</summary>
    /// <param name="room">Its folder: functions.</param>
    /// <param name="name">Its assembly: Sdxl.Functions.</param>
    public static string Program(string root, string room, string name) =>
        Path.Combine(root, room, "bin", Configuration, "net10.0", name + ".dll");

    private static string? FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Directory.Packages.props")))
                return folder.FullName;
        }
        return null;
    }
}
