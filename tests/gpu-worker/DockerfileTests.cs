using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Sdxl.Tests.GpuWorker;

/// <summary>The image cannot be built here; what it copies can be compared with what the build reads.</summary>
public sealed partial class DockerfileTests
{
    [Fact]
    public void It_copies_every_room_that_the_worker_is_built_of_and_what_their_build_imports()
    {
        var copied = Copy().Matches(File.ReadAllText(Path.Combine(TestPaths.Root, "gpu-worker", "Dockerfile")))
            .SelectMany(match => match.Groups["what"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)[..^1]).Select(path => path.TrimEnd('/')).ToHashSet();

        Assert.Superset(Rooms("gpu-worker").ToHashSet(), copied);
        Assert.Superset(new HashSet<string> { "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "tools/natives" }, copied);
        Assert.Contains("tools/natives/", File.ReadAllText(Path.Combine(TestPaths.Root, "Directory.Build.targets")), StringComparison.Ordinal);
    }

    /// <summary>The room and all that it references, directly or not.</summary>
    private static IEnumerable<string> Rooms(string room) => XDocument.Load(Directory.GetFiles(Path.Combine(TestPaths.Root, room), "*.csproj").Single())
        .Descendants("ProjectReference").Select(reference => reference.Attribute("Include")!.Value.Replace('\\', '/').Split('/')[^2])
        .SelectMany(Rooms).Prepend(room).Distinct();

    [GeneratedRegex("^COPY (?!--from)(?<what>.+)$", RegexOptions.Multiline)]
    private static partial Regex Copy();
}
