using System.Text.Json;
using Sdxl.Core.Datasets;
using Sdxl.Vision;
using Sdxl.Vision.Faces;
using Sdxl.Pictures;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Metadata.Profiles.Exif;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Tests.Vision;

/// <summary>The archives of fixtures/datasets, prepared whole.</summary>
public sealed class DatasetFixtureTests
{
    private const int Resolution = 128;

    /// <summary>Every archive that datasets.json describes.</summary>
    public static TheoryData<string> Sets => [.. Shared.Json(TestPaths.Fixture("datasets.json")).EnumerateObject().Select(set => set.Name)];

    [Theory, MemberData(nameof(Sets))]
    public void Every_picture_comes_out_square_with_one_mask_a_caption_and_its_true_crop(string zip)
    {
        var expected = Shared.Json(TestPaths.Fixture("datasets.json")).GetProperty(zip);
        var prepared = PrepareAll(
            zip,
            new PreparationSettings
            {
                Resolution = Resolution,
                MaskTargetPrompts = "object",
                ClipSegTemperature = 0.5,
            }
        );
        Assert.Equal(expected.GetProperty("pictures").GetInt32(), prepared.Count);
        var small = expected.TryGetProperty("small", out var names)
            ? names.EnumerateArray().Select(name => name.GetString()!).ToHashSet()
            : null;
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
                Assert.Equal(small?.Contains(name) ?? picture.Upscaled, picture.Upscaled); // not every data set says which are small
                Assert.Equal(picture.Upscaled, picture.Warnings.Any(warning => warning.Contains("small", StringComparison.Ordinal)));
                Assert.InRange(Math.Max(picture.Thumbnail.Width, picture.Thumbnail.Height), 1, 192);
            }
        }
    }

    [Fact]
    public void Rotated_photos_come_out_upright()
    {
        var rotated = Shared
            .Json(TestPaths.Fixture("datasets.json"))
            .EnumerateObject()
            .Where(set => set.Value.TryGetProperty("rotated", out _))
            .ToArray();
        Assert.NotEmpty(rotated);
        foreach (var set in rotated)
        {
            var files = Archives.Pictures(set.Name);
            foreach (var name in set.Value.GetProperty("rotated").EnumerateArray().Select(name => name.GetString()!))
            {
                using var raw = Image.Load<Rgb24>(files[name]);
                var orientation = raw.Metadata.ExifProfile!.GetValue(ExifTag.Orientation);
                Assert.True(orientation is not null, $"{name} has no orientation.");
                Assert.NotEqual(1, orientation.Value);
                using var stream = new MemoryStream(files[name]);
                var upright = Shared.Loader.Load(stream, name);
                Assert.Equal(orientation.Value >= 5 ? (raw.Height, raw.Width) : (raw.Width, raw.Height), (upright.Width, upright.Height));
                for (var y = 0; y < upright.Height; y++)
                {
                    for (var x = 0; x < upright.Width; x++)
                    {
                        var (fromX, fromY) = Stored(orientation.Value, x, y, raw.Width, raw.Height);
                        var (expected, at) = (raw[fromX, fromY], (y * upright.Width + x) * 3);
                        if (expected != new Rgb24(upright.Pixels.Data[at], upright.Pixels.Data[at + 1], upright.Pixels.Data[at + 2]))
                            Assert.Fail(
                                $"{name}: pixel {x}, {y} is not the stored pixel {fromX}, {fromY} of orientation {orientation.Value}."
                            );
                    }
                }
            }
        }
    }

    [Fact]
    public void Faces_are_found_where_they_are_and_masked()
    {
        foreach (
            var set in Shared
                .Json(TestPaths.Fixture("datasets.json"))
                .EnumerateObject()
                .Where(set => set.Value.TryGetProperty("faces", out _))
        )
        {
            var prepared = PrepareAll(
                set.Name,
                new PreparationSettings
                {
                    Resolution = Resolution,
                    UseFaceDetectionInstead = true,
                    Caption = "given",
                }
            );
            foreach (var expected in set.Value.GetProperty("faces").EnumerateObject())
            {
                using var picture = prepared[expected.Name];
                float[] box = [.. expected.Value.EnumerateArray().Select(number => number.GetSingle())];
                var face = Assert.Single(picture.Faces);
                var overlap = face.Overlap(new FaceBox(1, box[0], box[1], box[2], box[3], []));
                Assert.True(
                    overlap > 0.6,
                    $"{expected.Name}: found {face.X:0} {face.Y:0} {face.Width:0} {face.Height:0}, overlap {overlap:0.00} with "
                        + $"{expected.Value}"
                );
                Assert.Equal(MaskSource.Faces, picture.MaskSource);

                var scale = (float)Resolution / picture.CropSize;
                var (x, y) = (
                    (int)((box[0] + box[2] / 2 - picture.CropLeft) * scale),
                    (int)((box[1] + box[3] / 2 - picture.CropTop) * scale)
                );
                Assert.Equal(255, picture.Mask[x, y].PackedValue);
            }
        }
    }

    [Fact]
    public void Where_no_face_is_found_the_whole_picture_counts_and_that_is_said()
    {
        using var flat = PixelGrid.Flat(200, 150, 3, 90).ToRgb();
        using var stream = new MemoryStream();
        flat.SaveAsPng(stream);
        stream.Position = 0;
        using var preparer = new PicturePreparer(Shared.Models);
        using var picture = preparer.Prepare(
            stream,
            "wall.png",
            suppliedMask: null,
            new PreparationSettings
            {
                Resolution = Resolution,
                UseFaceDetectionInstead = true,
                Caption = "given",
            }
        );
        Assert.Equal(MaskSource.None, picture.MaskSource);
        Assert.Equal(255, picture.Mask[0, 0].PackedValue);
        Assert.Contains("No face was found, so the whole picture counts.", picture.Warnings);
    }

    /// <summary>Where the pixel that belongs to x, y is stored in a file of width x height. Source: EXIF 2.32, Orientation.</summary>
    private static (int X, int Y) Stored(int orientation, int x, int y, int width, int height) => orientation switch
    {
        2 => (width - 1 - x, y),
        3 => (width - 1 - x, height - 1 - y),
        4 => (x, height - 1 - y),
        5 => (y, x),
        6 => (y, height - 1 - x),
        7 => (width - 1 - y, height - 1 - x),
        8 => (width - 1 - y, x),
        _ => (x, y),
    };

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
