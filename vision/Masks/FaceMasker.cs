using Sdxl.Vision.Faces;
using Sdxl.Pictures;

namespace Sdxl.Vision.Masks;

/// <summary>One mask for all faces of a picture: the union of their boxes, widened and feathered.</summary>
public static class FaceMasker
{
    private const float Margin = 0.15f;     // of the box's side, on each side: a detector's box ends at brow and chin
    private const float Feather = 0.2f;     // of the box's side: how far beyond the margin the mask fades to nothing

    /// <summary>255 within a face's box, fading outwards; the largest value counts where faces meet.</summary>
    /// <param name="faces">At least one; in pixels of a picture of width x height.</param>
    public static PixelGrid Mask(IReadOnlyList<FaceBox> faces, int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(faces.Count, nameof(faces));
        var mask = new PixelGrid(width, height, 1);
        foreach (var face in faces)
        {
            var across = Ramp(face.X, face.Width, width);
            var down = Ramp(face.Y, face.Height, height);
            for (var y = 0; y < height; y++)
            {
                if (down[y] == 0)
                    continue;
                var row = mask.Data.AsSpan(y * width, width);
                for (var x = 0; x < width; x++)
                    row[x] = Math.Max(row[x], (byte)MathF.Round(255 * across[x] * down[y]));
            }
        }
        return mask;
    }

    /// <summary>1 from start - margin to start + length + margin, a smooth step down to 0 within the feather on either side.</summary>
    private static float[] Ramp(float start, float length, int pixels)
    {
        var (from, to, feather) = (start - Margin * length, start + (1 + Margin) * length, Math.Max(Feather * length, 1));
        var ramp = new float[pixels];
        for (var i = 0; i < pixels; i++)
        {
            var outside = Math.Max(Math.Max(from - (i + 0.5f), i + 0.5f - to), 0);
            var inside = Math.Clamp(1 - outside / feather, 0, 1);
            ramp[i] = inside * inside * (3 - 2 * inside);
        }
        return ramp;
    }
}
