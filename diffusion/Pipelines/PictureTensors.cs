using Sdxl.Pictures;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Pipelines;

/// <summary>Between picture bytes and tensors in -1..1.</summary>
public static class PictureTensors
{
    private static readonly PictureLoader s_loader = new(new PictureLimits());

    /// <summary>[1,3,H,W] in about -1..1 -> rows from the top, three bytes a pixel, rounded.</summary>
    public static byte[] ToRgb(Tensor picture)
    {
        using var scope = NewDisposeScope();
        var levels = ((picture.to_type(ScalarType.Float32) / Num(2) + Num(0.5)).clamp(Num(0), Num(1)) * Num(255))
            .round()
            .to_type(ScalarType.Byte);
        return levels.squeeze(0).permute(1, 2, 0).contiguous().cpu().bytes.ToArray();
    }

    /// <summary>Three bytes a pixel -> [1,3,H,W] in -1..1, fp32 on the CPU.</summary>
    public static Tensor FromRgb(ReadOnlySpan<byte> rgb, int width, int height)
    {
        using var scope = NewDisposeScope();
        var levels = empty([height, width, 3], ScalarType.Byte);
        rgb.CopyTo(levels.bytes);
        return (levels.permute(2, 0, 1).unsqueeze(0).to_type(ScalarType.Float32) / Num(127.5) - Num(1))
            .contiguous()
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Decodes a picture file, turned upright, transparency over white, scaled to cover Width x Height and cut to it -> [1,3,H,W] in -1..1.
    /// </summary>
    /// <exception cref="InvalidDataException">Not a picture, broken, or too large; the message says which.</exception>
    public static Tensor Load(byte[] file, int width, int height)
    {
        var minSide = Math.Max(width, height);
        var picture = Read("The picture", (name, maxSide) => s_loader.Load(file, name, maxSide, minSide).Pixels, width, height);
        return FromRgb(picture.Data, width, height);
    }

    /// <summary>Decodes a mask likewise -> [1,1,H,W], 1 where it is lighter than middle grey.</summary>
    /// <exception cref="InvalidDataException">As for a picture.</exception>
    public static Tensor LoadMask(byte[] file, int width, int height)
    {
        var mask = Read("The mask", (name, maxSide) => s_loader.LoadMask(file, name, maxSide), width, height);
        return tensor(mask.Data.Select(grey => grey >= 128 ? 1f : 0f).ToArray(), [1, 1, height, width]);
    }

    private static PixelGrid Read(string what, Func<string, int, PixelGrid> load, int width, int height)
    {
        // Four times what is asked for: the filter that cuts it down has enough to choose from, and no large photo is kept whole.
        const int Spare = 4;
        try
        {
            return PictureResizer.Cover(load(what, Spare * Math.Max(width, height)), width, height, ResizeFilter.Bicubic);
        }
        catch (PictureRefusedException refused)
        {
            throw new InvalidDataException($"{what} cannot be read: {refused.Reason}", refused);
        }
    }
}
