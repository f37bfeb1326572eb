using System.Xml.Linq;
using Sdxl.Tests;

namespace Sdxl.Core.Tests.Rooms;

/// <summary>architecture.md, "Rooms": references only point down the "may use" column.</summary>
public sealed class RoomsTests
{
    private static readonly Dictionary<string, string[]> MayUse = new()
    {
        ["core"] = [],
        ["pictures"] = ["core"],
        ["diffusion"] = ["core", "pictures"],
        ["vision"] = ["core", "pictures"],
        ["functions"] = ["core", "pictures", "vision"],
        ["gpu-worker"] = ["core", "diffusion"],
        ["local"] = ["core"],
        ["cli"] = ["core", "pictures"],
    };

    public static TheoryData<string> Rooms => [.. MayUse.Keys];

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_room_references_only_rooms_below_it(string room)
    {
        var project = Assert.Single(Directory.GetFiles(Path.Combine(TestPaths.Root, room), "*.csproj"));

        var references = XDocument.Load(project).Descendants("ProjectReference")
            .Select(r => r.Attribute("Include")!.Value.Replace('\\', '/').Split('/')[^2]);

        Assert.All(references, reference => Assert.Contains(reference, MayUse[room]));
    }

    /// <summary>
    /// What is wrong with TorchSharp's own way of writing x * 0.5 (diffusion/Tensors/Number.cs) is looked for in the engine alone.
    /// </summary>
    [Fact]
    public void Only_the_engine_computes_with_tensors()
    {
        var others = MayUse
            .Keys.Where(r => r != "diffusion")
            .SelectMany(r => Directory.GetFiles(Path.Combine(TestPaths.Root, r), "*.cs", SearchOption.AllDirectories))
            .ToList();

        Assert.Contains(others, f => f.EndsWith("WorkerDevice.cs", StringComparison.Ordinal)); // the one that asks for devices
        Assert.All(others.Where(f => File.ReadAllText(f).Contains("TorchSharp", StringComparison.Ordinal)), f =>
            Assert.DoesNotMatch(@"torch\.(?!cuda\.|ScalarType\.)|using static TorchSharp", File.ReadAllText(f)));
    }

    [Theory]
    [MemberData(nameof(Rooms))]
    public void No_room_names_a_polyfill(string room)
    {
        var project = Assert.Single(Directory.GetFiles(Path.Combine(TestPaths.Root, room), "*.csproj"));

        Assert.DoesNotContain("polyfills", File.ReadAllText(project), StringComparison.OrdinalIgnoreCase);
    }
}
