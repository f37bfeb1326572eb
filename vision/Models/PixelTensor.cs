using Sdxl.Pictures;

namespace Sdxl.Vision.Models;

/// <summary>Pictures as the models' float inputs: planes instead of interleaved channels, [3, H, W].</summary>
public static class PixelTensor
{
    /// <summary>(x / 255 - mean) / deviation for each of red, green, blue.</summary>
    public static float[] Normalized(PixelGrid picture, ReadOnlySpan<float> means, ReadOnlySpan<float> deviations)
    {
        var plane = picture.Width * picture.Height;
        var tensor = new float[3 * plane];
        for (var channel = 0; channel < 3; channel++)
        {
            // All 256 answers first: a byte has no more.
            var table = new float[256];
            var target = tensor.AsSpan(channel * plane, plane);
            for (var value = 0; value < 256; value++)
                table[value] = (value / 255f - means[channel]) / deviations[channel];
            for (var i = 0; i < plane; i++)
                target[i] = table[picture.Data[3 * i + channel]];
        }
        return tensor;
    }

    /// <summary>0..255 in the order blue, green, red, as OpenCV's models take it.</summary>
    public static float[] BlueGreenRed(PixelGrid picture)
    {
        var plane = picture.Width * picture.Height;
        var tensor = new float[3 * plane];
        for (var i = 0; i < plane; i++)
        {
            tensor[i] = picture.Data[3 * i + 2];
            tensor[plane + i] = picture.Data[3 * i + 1];
            tensor[2 * plane + i] = picture.Data[3 * i];
        }
        return tensor;
    }
}
