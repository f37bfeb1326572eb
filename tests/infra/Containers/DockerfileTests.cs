using System.Xml.Linq;

namespace Sdxl.Tests.Infra.Containers;

/// <summary>The images cannot be built here; their recipes can be read.</summary>
public sealed class DockerfileTests
{
    public static TheoryData<string> Dockerfiles => ["gpu-worker/Dockerfile", "functions/Dockerfile", "local/Dockerfile"];

    [Theory]
    [MemberData(nameof(Dockerfiles))]
    public void An_image_is_pinned_small_not_root_and_says_what_it_is_made_of(string path) =>
        Assert.Empty(Dockerfile.Parse(File.ReadAllText(Path.Combine(TestPaths.Root, path))).Problems());

    [Theory]
    [MemberData(nameof(Dockerfiles))]
    public void All_that_is_copied_is_there_and_not_kept_from_the_build(string path)
    {
        var kept = File.ReadAllLines(Path.Combine(TestPaths.Root, ".dockerignore"));
        foreach (var line in File.ReadAllLines(Path.Combine(TestPaths.Root, path))
            .Where(line => line.StartsWith("COPY ", StringComparison.Ordinal) && !line.Contains("--from", StringComparison.Ordinal)))
        {
            foreach (var source in line.Split(' ')[1..^1])
            {
                Assert.True(Path.Exists(Path.Combine(TestPaths.Root, source)), $"{path}: {source} is not there");
                Assert.DoesNotContain(source.TrimEnd('/').Split('/')[0], kept);
            }
        }
    }

    [Theory]
    [InlineData("gpu-worker/Dockerfile", "gpu-worker")]
    [InlineData("functions/Dockerfile", "functions")]
    [InlineData("local/Dockerfile", "local", "functions")]
    public void Every_room_that_a_program_is_built_of_is_copied(string path, params string[] programs)
    {
        var copied = File.ReadAllLines(Path.Combine(TestPaths.Root, path))
            .Where(line => line.StartsWith("COPY ", StringComparison.Ordinal) && !line.Contains("--from", StringComparison.Ordinal))
            .SelectMany(line => line.Split(' ')[1..^1]).Select(source => source.TrimEnd('/')).ToHashSet();

        Assert.Superset(programs.SelectMany(Rooms)
            .Concat(["Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "tools/natives"]).ToHashSet(), copied);
    }

    /// <summary>The room and all that it references, directly or not.</summary>
    private static IEnumerable<string> Rooms(string room) =>
        XDocument.Load(Directory.GetFiles(Path.Combine(TestPaths.Root, room), "*.csproj").Single())
        .Descendants("ProjectReference").Select(reference => reference.Attribute("Include")!.Value.Replace('\\', '/').Split('/')[^2])
        .SelectMany(Rooms).Prepend(room).Distinct();

    [Theory]
    [InlineData("SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0.401", "SDK_IMAGE=mcr.microsoft.com/dotnet/sdk",
        "image mcr.microsoft.com/dotnet/sdk is not pinned")]
    [InlineData("USER 10001", "USER root", "the last stage does not run as a user that is named by a number other than 0")]
    [InlineData("COPY --from=build /app", "COPY --from=biuld /app", "COPY --from=biuld: there is no such stage before")]
    [InlineData(" && rm -rf /var/lib/apt/lists/*", "",
        "apt-get install without update, --no-install-recommends and clean-up in the same layer")]
    [InlineData("ENTRYPOINT [\"/app/Sdxl.GpuWorker\"]", "ENTRYPOINT /app/Sdxl.GpuWorker",
        "ENTRYPOINT /app/Sdxl.GpuWorker: a shell would stand between the program and its signals")]
    [InlineData("STOPSIGNAL SIGTERM", "STOPSINGAL SIGTERM", "'STOPSINGAL' is no instruction that is used here")]
    [InlineData("DOTNET_EnableDiagnostics=0", "HF_TOKEN=hf_x", "Sdxl__ModelsFolder looks like a secret and would stay in the image")]
    [InlineData(" --version 6.3.1", "", "a tool is installed without its version")]
    public void Each_mistake_is_found(string right, string wrong, string sentence)
    {
        var text = File.ReadAllText(Path.Combine(TestPaths.Root, "gpu-worker", "Dockerfile"));
        Assert.Contains(right, text, StringComparison.Ordinal);

        Assert.Contains(sentence, Dockerfile.Parse(text.Replace(right, wrong, StringComparison.Ordinal)).Problems());
    }
}
