namespace Sdxl.Tests;

/// <summary>Where the tests find their reference data: the environment decides, the copies in the repository are the default.</summary>
public static class TestPaths
{
    /// <summary>The repository's root: the nearest folder above the test assembly that holds Directory.Packages.props.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Reference values (SDXL_GOLDENS, else tests/fixtures/goldens).</summary>
    public static string Goldens { get; } = FromEnvironment("SDXL_GOLDENS", "tests", "fixtures", "goldens");

    /// <summary>Pictures and data sets (SDXL_FIXTURES, else tests/fixtures/shared).</summary>
    public static string Fixtures { get; } = FromEnvironment("SDXL_FIXTURES", "tests", "fixtures", "shared");

    /// <summary>The toy family of models.</summary>
    public static string Models { get; } = Path.Combine(Root, "models");

    public static string Golden(params string[] parts) => Path.Combine([Goldens, .. parts]);

    public static string Fixture(params string[] parts) => Path.Combine([Fixtures, .. parts]);

    private static string FromEnvironment(string variable, params string[] fallback) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } folder
            ? Path.GetFullPath(folder)
            : Path.Combine([Root, .. fallback]);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Directory.Packages.props")))
                return folder.FullName;
        }
        throw new DirectoryNotFoundException(
            $"No Directory.Packages.props above {AppContext.BaseDirectory}: run the tests from inside the repository."
        );
    }
}
