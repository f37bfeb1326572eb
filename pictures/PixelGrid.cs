using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Pictures;

/// <summary>
/// Bytes of a picture as the models' arithmetic wants them: rows from the top, channels interleaved (3: red green blue; 1: grey), 0..255.
/// </summary>
public sealed class PixelGrid
{
    public PixelGrid(int width, int height, int channels)
        : this(width, height, channels, new byte[checked(width * height * channels)])
    {
    }

    /// <exception cref="ArgumentException">The array is not exactly width x height x channels long.</exception>
    public PixelGrid(int width, int height, int channels, byte[] data)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        if (data.Length != checked(width * height * channels))
        {
            throw new ArgumentException(
                $"{width} x {height} x {channels} needs {width * height * channels} bytes, found {data.Length}.", nameof(data));
        }
        (Width, Height, Channels, Data) = (width, height, channels, data);
    }

    public int Width { get; }

    public int Height { get; }

    public int Channels { get; }

    public byte[] Data { get; }

    /// <summary>A row's bytes, counted from the top.</summary>
    public ReadOnlySpan<byte> Row(int y) => Data.AsSpan(y * Width * Channels, Width * Channels);

    public static PixelGrid From(Image<Rgb24> image)
    {
        var grid = new PixelGrid(image.Width, image.Height, 3);
        image.CopyPixelDataTo(grid.Data);
        return grid;
    }

    public static PixelGrid From(Image<L8> image)
    {
        var grid = new PixelGrid(image.Width, image.Height, 1);
        image.CopyPixelDataTo(grid.Data);
        return grid;
    }

    /// <summary>One value everywhere.</summary>
    public static PixelGrid Flat(int width, int height, int channels, byte value)
    {
        var grid = new PixelGrid(width, height, channels);
        grid.Data.AsSpan().Fill(value);
        return grid;
    }

    public Image<Rgb24> ToRgb() => Channels == 3
        ? Image.LoadPixelData<Rgb24>(Data, Width, Height) : throw new InvalidOperationException($"Expected 3 channels, found {Channels}.");

    public Image<L8> ToGrey() => Channels == 1
        ? Image.LoadPixelData<L8>(Data, Width, Height) : throw new InvalidOperationException($"Expected 1 channel, found {Channels}.");

    /// <summary>Luma by Pillow's weights (ITU-R 601-2): (19595 R + 38470 G + 7471 B + 2^15) / 2^16.</summary>
    public PixelGrid Luma()
    {
        if (Channels == 1)
            return this;
        var grey = new PixelGrid(Width, Height, 1);
        for (var i = 0; i < grey.Data.Length; i++)
            grey.Data[i] = Luma(Data[3 * i], Data[3 * i + 1], Data[3 * i + 2]);
        return grey;
    }

    internal static byte Luma(int red, int green, int blue) => (byte)((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16);

    /// <summary>A rectangle of it, which must lie inside.</summary>
    public PixelGrid Crop(int left, int top, int width, int height)
    {
        if (left < 0 || top < 0 || left + width > Width || top + height > Height)
        {
            throw new ArgumentOutOfRangeException(
                nameof(left), $"Crop {width} x {height} at {left}, {top} leaves the picture of {Width} x {Height}.");
        }
        if (left == 0 && top == 0 && width == Width && height == Height)
            return this;
        var part = new PixelGrid(width, height, Channels);
        for (var y = 0; y < height; y++)
            Data.AsSpan(((top + y) * Width + left) * Channels, width * Channels).CopyTo(part.Data.AsSpan(y * width * Channels));
        return part;
    }
}
