using Sdxl.Core.Text;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Pipelines;

/// <summary>Between picture bytes and tensors in -1..1.</summary>
public static class Pictures
{
    /// <summary>A few kilobytes can claim to be a picture of gigabytes; every camera stays below this.</summary>
    private const long MaxPixels = 100_000_000;

    /// <summary>[1,3,H,W] in about -1..1 -> rows from the top, three bytes a pixel, rounded.</summary>
    public static byte[] ToRgb(Tensor picture)
    {
        using var scope = NewDisposeScope();
        var levels = ((picture.to_type(ScalarType.Float32) / Num(2) + Num(0.5)).clamp(Num(0), Num(1)) * Num(255)).round().to_type(ScalarType.Byte);
        return levels.squeeze(0).permute(1, 2, 0).contiguous().cpu().bytes.ToArray();
    }

    /// <summary>Three bytes a pixel -> [1,3,H,W] in -1..1, fp32 on the CPU.</summary>
    public static Tensor FromRgb(ReadOnlySpan<byte> rgb, int width, int height)
    {
        using var scope = NewDisposeScope();
        var levels = empty([height, width, 3], ScalarType.Byte);
        rgb.CopyTo(levels.bytes);
        return (levels.permute(2, 0, 1).unsqueeze(0).to_type(ScalarType.Float32) / Num(127.5) - Num(1)).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Decodes a picture file, turned upright, scaled to cover Width x Height and cut to it -> [1,3,H,W] in -1..1.</summary>
    /// <exception cref="InvalidDataException">Not a picture, broken, or too large.</exception>
    public static Tensor Load(byte[] file, int width, int height)
    {
        using var image = Fitted<Rgb24>(file, "picture", width, height);
        var rgb = new byte[width * height * 3];
        image.CopyPixelDataTo(rgb);
        return FromRgb(rgb, width, height);
    }

    /// <summary>Decodes a mask likewise -> [1,1,H,W], 1 where it is lighter than middle grey.</summary>
    public static Tensor LoadMask(byte[] file, int width, int height)
    {
        using var image = Fitted<L8>(file, "mask", width, height);
        var grey = new byte[width * height];
        image.CopyPixelDataTo(grey);
        return tensor(grey.Select(g => g >= 128 ? 1f : 0f).ToArray(), [1, 1, height, width]);
    }

    private static Image<TPixel> Fitted<TPixel>(byte[] file, string what, int width, int height) where TPixel : unmanaged, IPixel<TPixel>
    {
        if (file.Length == 0)
            throw new InvalidDataException($"The {what} cannot be read: it is empty. Give a PNG, JPEG or WebP.");
        Image<TPixel> image;
        try
        {
            var size = Image.Identify(file);
            if ((long)size.Width * size.Height > MaxPixels)
                throw new InvalidDataException($"The {what} has {size.Width} x {size.Height} pixels; at most {MaxPixels / 1_000_000} million are read. Shrink it.");
            image = Image.Load<TPixel>(file);
        }
        catch (ImageFormatException e)
        {
            throw new InvalidDataException($"The {what} cannot be read: its {Plural.Of(file.Length, "byte")} {Plural.Verb(file.Length, "is", "are")} no picture of a known format, or a broken one. Give a PNG, JPEG or WebP.", e);
        }
        image.Mutate(m => m.AutoOrient().Resize(new ResizeOptions { Size = new SixLabors.ImageSharp.Size(width, height), Mode = ResizeMode.Crop }));
        return image;
    }
}
