using System.Xml.Linq;
using Sdxl.Tests;

namespace Sdxl.Core.Tests.Rooms;

/// <summary>architecture.md, "Rooms": references only point down the "may use" column.</summary>
public sealed class RoomsTests
{
    /// <summary>local is the composition root of one machine: it hosts the functions and runs the worker.</summary>
    private static readonly Dictionary<string, string[]> MayUse = new()
    {
        ["core"] = [],
        ["pictures"] = ["core"],
        ["diffusion"] = ["core", "pictures"],
        ["vision"] = ["core", "pictures"],
        ["functions"] = ["core", "pictures", "vision"],
        ["gpu-worker"] = ["core", "diffusion"],
        ["local"] = ["functions", "gpu-worker"],
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

    [Theory]
    [MemberData(nameof(Rooms))]
    public void No_room_names_a_polyfill(string room)
    {
        var project = Assert.Single(Directory.GetFiles(Path.Combine(TestPaths.Root, room), "*.csproj"));

        Assert.DoesNotContain("polyfills", File.ReadAllText(project), StringComparison.OrdinalIgnoreCase);
    }
}
