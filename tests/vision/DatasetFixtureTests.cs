using System.Text.Json;
using Sdxl.Core.Datasets;
using Sdxl.Vision;
using Sdxl.Vision.Faces;

namespace Sdxl.Tests.Vision;

/// <summary>The zips of fixtures/datasets, prepared whole.</summary>
public sealed class DatasetFixtureTests
{
    private const int Resolution = 128;

    /// <summary>Every zip that datasets.json describes.</summary>
    public static TheoryData<string> Zips => [.. Shared.Json(TestPaths.Fixture("datasets.json")).EnumerateObject().Select(set => set.Name).Where(name => name.EndsWith(".zip", StringComparison.Ordinal))];

    [Theory, MemberData(nameof(Zips))]
    public void Every_picture_comes_out_square_with_one_mask_a_caption_and_its_true_crop(string zip)
    {
        var expected = Shared.Json(TestPaths.Fixture("datasets.json")).GetProperty(zip);
        var prepared = PrepareAll(zip, new PreparationSettings { Resolution = Resolution, MaskTargetPrompts = "object", ClipSegTemperature = 0.5 });
        Assert.Equal(expected.GetProperty("pictures").GetInt32(), prepared.Count);
        var small = expected.TryGetProperty("small", out var names) ? names.EnumerateArray().Select(name => name.GetString()!).ToHashSet() : null;
        foreach (var (name, picture) in prepared)
        {
            using (picture)
            {
                Assert.Equal((Resolution, Resolution), (picture.Picture.Width, picture.Picture.Height));
                Assert.Equal((Resolution, Resolution), (picture.Mask.Width, picture.Mask.Height));
                Assert.Equal(MaskSource.Text, picture.MaskSource);
                Assert.False(string.IsNullOrWhiteSpace(picture.GeneratedCaption));
                Assert.Equal(Math.Min(picture.OriginalWidth, picture.OriginalHeight), picture.CropSize);
                Assert.InRange(picture.CropLeft, 0, picture.OriginalWidth - picture.CropSize);
                Assert.InRange(picture.CropTop, 0, picture.OriginalHeight - picture.CropSize);
                Assert.Equal(small?.Contains(name) ?? picture.Upscaled, picture.Upscaled);          // not every data set says which are small
                Assert.Equal(picture.Upscaled, picture.Warnings.Any(warning => warning.Contains("small", StringComparison.Ordinal)));
                Assert.InRange(Math.Max(picture.Thumbnail.Width, picture.Thumbnail.Height), 1, 192);
            }
        }
        Assert.Equal(prepared.Count, prepared.Values.Select(picture => picture.PerceptualHash).Distinct().Count());
    }

    [Fact]
    public void Rotated_photos_come_out_upright()
    {
        var rotated = Shared.Json(TestPaths.Fixture("datasets.json")).EnumerateObject().Where(set => set.Value.TryGetProperty("rotated", out _)).ToArray();
        Assert.NotEmpty(rotated);
        foreach (var set in rotated)
        {
            var prepared = PrepareAll(set.Name, new PreparationSettings { Resolution = Resolution, Caption = "given" });
            var upright = set.Value.GetProperty("rotated").EnumerateArray().Select(name => name.GetString()!).ToHashSet();
            foreach (var (name, picture) in prepared.Where(pair => upright.Contains(pair.Key)))
            {
                // The gizmo's two orange feet are below its antenna's single orange ball, so the lower half holds more orange.
                var (above, below) = Orange(picture);
                Assert.True(below > above, $"{name}: {above} orange pixels above, {below} below.");
                Assert.Null(picture.GeneratedCaption);
            }
        }
    }

    [Fact]
    public void Faces_are_found_where_they_are_and_masked()
    {
        foreach (var set in Shared.Json(TestPaths.Fixture("datasets.json")).EnumerateObject().Where(set => set.Value.TryGetProperty("faces", out _)))
        {
            var prepared = PrepareAll(set.Name, new PreparationSettings { Resolution = Resolution, UseFaceDetectionInstead = true, Caption = "given" });
            foreach (var expected in set.Value.GetProperty("faces").EnumerateObject())
            {
                using var picture = prepared[expected.Name];
                float[] box = [.. expected.Value.EnumerateArray().Select(number => number.GetSingle())];
                var face = Assert.Single(picture.Faces);
                var overlap = face.Overlap(new FaceBox(1, box[0], box[1], box[2], box[3], []));
                Assert.True(overlap > 0.6, $"{expected.Name}: found {face.X:0} {face.Y:0} {face.Width:0} {face.Height:0}, overlap {overlap:0.00} with {expected.Value}");
                Assert.Equal(MaskSource.Faces, picture.MaskSource);

                var scale = (float)Resolution / picture.CropSize;
                var (x, y) = ((int)((box[0] + box[2] / 2 - picture.CropLeft) * scale), (int)((box[1] + box[3] / 2 - picture.CropTop) * scale));
                Assert.Equal(255, picture.Mask[x, y].PackedValue);
            }
        }
    }

    [Fact]
    public void Where_no_face_is_found_the_whole_picture_counts_and_that_is_said()
    {
        using var picture = PrepareAll("gizmo.zip", new PreparationSettings { Resolution = Resolution, UseFaceDetectionInstead = true, Caption = "given" }).First().Value;
        Assert.Equal(MaskSource.None, picture.MaskSource);
        Assert.Equal(255, picture.Mask[0, 0].PackedValue);
        Assert.Contains("No face was found, so the whole picture counts.", picture.Warnings);
    }

    private static (int Above, int Below) Orange(PreparedPicture picture)
    {
        var (above, below) = (0, 0);
        picture.Picture.ProcessPixelRows(rows =>
        {
            for (var y = 0; y < rows.Height; y++)
            {
                foreach (var pixel in rows.GetRowSpan(y))
                {
                    var orange = pixel is { R: > 230, G: > 150 and < 215, B: < 110 } ? 1 : 0;
                    above += y < rows.Height / 2 ? orange : 0;
                    below += y < rows.Height / 2 ? 0 : orange;
                }
            }
        });
        return (above, below);
    }

    private static SortedDictionary<string, PreparedPicture> PrepareAll(string zip, PreparationSettings settings)
    {
        using var preparer = new PicturePreparer(Shared.Models);
        var prepared = new SortedDictionary<string, PreparedPicture>(StringComparer.Ordinal);
        Parallel.ForEach(Archives.Pictures(zip), entry =>
        {
            using var stream = new MemoryStream(entry.Value);
            var picture = preparer.Prepare(stream, entry.Key, suppliedMask: null, settings);
            lock (prepared)
                prepared[entry.Key] = picture;
        });
        return prepared;
    }
}
