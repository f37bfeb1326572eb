using Sdxl.Local.Hosting;
using Sdxl.Tests;

namespace Sdxl.Local.Tests.Hosting;

public sealed class StateFolderTests : IDisposable
{
    private readonly TempFolder folder = new();

    private StateFolder State => new(folder.File("state"));

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_new_folder_is_marked_and_taken_again()
    {
        State.RequireCurrent();
        Directory.CreateDirectory(State.Azurite);
        State.RequireCurrent();
    }

    [Theory]
    [InlineData(null, "layout 1")]
    [InlineData("9", "layout 9")]
    public void A_folder_of_another_version_is_named_with_what_to_do(string? mark, string named)
    {
        Directory.CreateDirectory(State.Azurite);
        if (mark is not null)
            File.WriteAllText(Path.Combine(State.Path, "layout"), mark);
        var refused = Assert.Throws<InvalidOperationException>(State.RequireCurrent).Message;
        Assert.StartsWith(State.Path, refused, StringComparison.Ordinal);
        Assert.Contains(named, refused, StringComparison.Ordinal);
        Assert.Contains("SDXL_HOME", refused, StringComparison.Ordinal);
    }
}
