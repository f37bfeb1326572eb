namespace Sdxl.Tests.Infra.Containers;

/// <summary>The images cannot be built here; their recipes can be read. That each copies every room it is built of: below, and DockerfileTests of the worker.</summary>
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
        foreach (var line in File.ReadAllLines(Path.Combine(TestPaths.Root, path)).Where(line => line.StartsWith("COPY ", StringComparison.Ordinal) && !line.Contains("--from", StringComparison.Ordinal)))
        {
            foreach (var source in line.Split(' ')[1..^1])
            {
                Assert.True(Path.Exists(Path.Combine(TestPaths.Root, source)), $"{path}: {source} is not there");
                Assert.DoesNotContain(source.TrimEnd('/').Split('/')[0], kept);
            }
        }
    }

    [Theory]
    [InlineData("SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0.401", "SDK_IMAGE=mcr.microsoft.com/dotnet/sdk", "image mcr.microsoft.com/dotnet/sdk is not pinned")]
    [InlineData("USER 10001", "USER root", "the last stage does not run as a user that is named by a number other than 0")]
    [InlineData("COPY --from=build /app", "COPY --from=biuld /app", "COPY --from=biuld: there is no such stage before")]
    [InlineData(" && rm -rf /var/lib/apt/lists/*", "", "apt-get install without update, --no-install-recommends and clean-up in the same layer")]
    [InlineData("ENTRYPOINT [\"/app/Sdxl.GpuWorker\"]", "ENTRYPOINT /app/Sdxl.GpuWorker", "ENTRYPOINT /app/Sdxl.GpuWorker: a shell would stand between the program and its signals")]
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
