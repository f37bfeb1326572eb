using System.Runtime.InteropServices;
using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp;

/// <content>Images from raw pixels, rows from the top, without padding.</content>
public abstract partial class Image
{
    public static Image<TPixel> LoadPixelData<TPixel>(ReadOnlySpan<TPixel> data, int width, int height)
        where TPixel : unmanaged, IPixel<TPixel> => LoadPixelData(Configuration.Default, data, width, height);

    public static Image<TPixel> LoadPixelData<TPixel>(ReadOnlySpan<byte> data, int width, int height)
        where TPixel : unmanaged, IPixel<TPixel> => LoadPixelData<TPixel>(Configuration.Default, data, width, height);

    public static Image<TPixel> LoadPixelData<TPixel>(Configuration configuration, ReadOnlySpan<byte> data, int width, int height)
        where TPixel : unmanaged, IPixel<TPixel> =>
        LoadPixelData(configuration, MemoryMarshal.Cast<byte, TPixel>(data), width, height);

    /// <exception cref="ArgumentOutOfRangeException"><paramref name="data"/> has fewer than width x height pixels.</exception>
    public static Image<TPixel> LoadPixelData<TPixel>(Configuration configuration, ReadOnlySpan<TPixel> data, int width, int height)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var count = width * height;
        if (data.Length < count)
            throw new ArgumentOutOfRangeException(nameof(data), $"{data.Length} pixels are fewer than {width} x {height} = {count}.");
        var image = new Image<TPixel>(configuration, width, height);
        for (var y = 0; y < height; y++)
            data.Slice(y * width, width).CopyTo(image.Frames.RootFrame.Pixels.Row(y));
        return image;
    }
}
