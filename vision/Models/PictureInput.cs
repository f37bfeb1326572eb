using System.Text.Json;
using Sdxl.Core.Text;
using Sdxl.Pictures;

namespace Sdxl.Vision.Models;

/// <summary>What a model's preprocessor_config.json asks of a picture: size, filter, means and deviations.</summary>
public sealed record PictureInput(int Width, int Height, ResizeFilter Filter, float[] Means, float[] Deviations)
{
    /// <param name="usualFilter">Where the file names no filter: what the model's preprocessor class takes then.</param>
    /// <exception cref="ModelFileMissingException">The file is not there.</exception>
    /// <exception cref="InvalidDataException">The file lacks size, image_mean or image_std, or they are not of three channels.</exception>
    public static PictureInput Read(string file, ResizeFilter usualFilter)
    {
        if (!File.Exists(file))
            throw new ModelFileMissingException(file);
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(file));
            var root = json.RootElement;
            var size = root.GetProperty("size");
            var (width, height) = size.ValueKind == JsonValueKind.Number ? (size.GetInt32(), size.GetInt32())
                : (size.GetProperty("width").GetInt32(), size.GetProperty("height").GetInt32());
            var filter = root.TryGetProperty("resample", out var resample) ? (ResizeFilter)resample.GetInt32() : usualFilter;
            var (means, deviations) = (Floats(root, "image_mean"), Floats(root, "image_std"));
            return new PictureInput(width, height, filter, means, deviations);
        }
        catch (Exception error) when (error is KeyNotFoundException or InvalidOperationException or FormatException or JsonException)
        {
            throw new InvalidDataException(
                $"{file}: expected size (height, width), image_mean and image_std of three numbers. {error.Message}",
                error
            );
        }
    }

    /// <summary>pixel_values [3, Height, Width]: resized as Pillow does, then normalized.</summary>
    public float[] Prepare(PixelGrid picture) =>
        PixelTensor.Normalized(PictureResizer.Resize(picture, Width, Height, Filter), Means, Deviations);

    private static float[] Floats(JsonElement root, string name)
    {
        float[] values = [.. root.GetProperty(name).EnumerateArray().Select(value => value.GetSingle())];
        return values.Length == 3 ? values : throw new FormatException($"{name} has {Plural.Of(values.Length, "number")}.");
    }
}
