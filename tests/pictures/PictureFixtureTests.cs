using Sdxl.Pictures;

namespace Sdxl.Tests.Pictures;

/// <summary>What people put into archives: every picture of fixtures/pictures.json, and every one that must be refused.</summary>
public sealed class PictureFixtureTests
{
    [Fact]
    public void Every_picture_decodes_as_its_expected_png_says()
    {
        var failures = new List<string>();
        foreach (var entry in Shared.Json(TestPaths.Fixture("pictures.json")).GetProperty("decodes").EnumerateArray())
        {
            var file = entry.GetProperty("file").GetString()!;
            try
            {
                var found = Shared.Picture(TestPaths.Fixture("pictures", file));
                var expected = Shared.Picture(TestPaths.Fixture("pictures", file + ".expected.png"));
                Assert.Equal((entry.GetProperty("width").GetInt32(), entry.GetProperty("height").GetInt32()), (found.Width, found.Height));
                for (var channel = 0; channel < 3; channel++)
                {
                    var difference = Enumerable
                        .Range(0, found.Data.Length / 3)
                        .Average(i => Math.Abs(found.Data[3 * i + channel] - expected.Data[3 * i + channel]));
                    Assert.InRange(difference, 0, entry.GetProperty("tolerance").GetDouble());
                }
            }
            catch (Exception error)
            {
                failures.Add($"{file} ({entry.GetProperty("why").GetString()}): {error.Message}");
            }
        }
        Assert.Empty(failures);
    }

    [Fact]
    public void Every_bad_file_is_refused_in_one_sentence_that_names_it()
    {
        foreach (var entry in Shared.Json(TestPaths.Fixture("pictures.json")).GetProperty("refused").EnumerateArray())
        {
            var file = entry.GetProperty("file").GetString()!;
            var error = Assert.Throws<PictureRefusedException>(() => Shared.Picture(TestPaths.Fixture("pictures", file)));
            Assert.StartsWith(file + ": ", error.Message);
            Assert.DoesNotContain('\n', error.Message);
        }
    }

    [Fact]
    public void Resizing_agrees_with_Pillow()
    {
        var fixture = Shared.Json(TestPaths.Fixture("resize.json"));
        var source = Shared.Picture(TestPaths.Fixture("resize", fixture.GetProperty("source").GetString()!));
        foreach (var entry in fixture.GetProperty("cases").EnumerateArray())
        {
            var filter = Enum.Parse<ResizeFilter>(entry.GetProperty("filter").GetString()!, ignoreCase: true);
            var expected = Shared.Picture(TestPaths.Fixture("resize", entry.GetProperty("file").GetString()!));
            var found = PictureResizer.Resize(
                source,
                entry.GetProperty("width").GetInt32(),
                entry.GetProperty("height").GetInt32(),
                filter
            );
            Assert.Equal(0, Shared.LargestDifference(expected, found)); // the same arithmetic: not a level apart
        }
    }
}
