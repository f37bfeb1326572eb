using Sdxl.Core.Datasets;

namespace Sdxl.Tests.Core.Datasets;

public sealed class FolderRepeatsTests
{
    [Fact]
    public void Only_the_ratio_of_repeats_counts()
    {
        var (times, warnings) = FolderRepeats.Of(["10_tok cat/a.png", "10_tok cat/b.png", "20_tok dog/c.png"]);
        Assert.Equal([1, 1, 2], times);
        Assert.Contains("'10_tok cat' 1 time, '20_tok dog' 2 times.", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10_tok cat/a.png", "10_tok cat/x/b.png")]
    [InlineData("2024_holiday/a.png", "b.png")]
    [InlineData("10_/a.png", "b.png")]
    [InlineData("10_a.png", "b.png")]
    public void Folders_that_say_nothing_change_nothing(params string[] paths)
    {
        var (times, warnings) = FolderRepeats.Of(paths);
        Assert.All(times, time => Assert.Equal(1, time));
        Assert.Empty(warnings);
    }

    [Fact]
    public void Pictures_beside_such_folders_count_once_and_the_nearest_folder_counts()
    {
        var (times, warnings) = FolderRepeats.Of(["a.png", "3_x/b.png", "3_x/5_y/c.png"]);
        Assert.Equal([1, 3, 5], times);
        Assert.Contains("'3_x' 3 times, '5_y' 5 times, all others once.", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Repeats_never_make_more_entries_than_memory_has_room_for()
    {
        var (times, _) = FolderRepeats.Of(["a.png", .. Enumerable.Range(0, 20).Select(i => $"999_x/{i}.png")]);
        Assert.InRange(times.Sum(), FolderRepeats.MaxEntries - 20, FolderRepeats.MaxEntries + 1);
        Assert.Equal(1, times[0]);
    }
}
