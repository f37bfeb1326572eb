using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.Metadata.Profiles.Exif;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;

namespace Sdxl.Vision.Pictures;

/// <summary>Decodes what a stranger's archive holds: upright by EXIF, transparency over white, 16 bits to 8, grey and CMYK to red green blue, the first frame of several.</summary>
public sealed class PictureLoader(PictureLimits limits)
{
    private const int LargestLabel = 8;

    // Own allocator: what one picture may take is bounded whatever its header claims.
    private static readonly Configuration s_configuration = CreateConfiguration();

    /// <summary>Decodes a picture and shrinks it, shape kept, as far as its longer side exceeds maxSide while its shorter side keeps minSide.</summary>
    /// <param name="name">For messages.</param>
    /// <exception cref="PictureRefusedException">Empty, no picture, cut off, broken, or beyond the limits.</exception>
    public LoadedPicture Load(Stream stream, string name, int maxSide = int.MaxValue, int minSide = 1, CancellationToken cancel = default) =>
        Load(stream, name, new Rgba32(255, 255, 255), maxSide, minSide, cancel);

    /// <summary>
    /// Decodes a mask to one channel; transparency is laid over black, since what is transparent is not selected. Where that is black all over (a subject cut out in black), the opacity is the mask.
    /// A mask of small numbers (0 and 1, as segmentation programs write it) is brought to 255.
    /// </summary>
    /// <exception cref="PictureRefusedException">As for a picture.</exception>
    public PixelGrid LoadMask(Stream stream, string name, int maxSide, CancellationToken cancel = default) =>
        Stretched(Load(stream, name, new Rgba32(0, 0, 0), maxSide, 1, cancel).Pixels.Luma());

    private static PixelGrid Stretched(PixelGrid mask)
    {
        var brightest = mask.Data.Max();
        if (brightest is 0 or > LargestLabel)
            return mask;
        return new PixelGrid(mask.Width, mask.Height, 1, Array.ConvertAll(mask.Data, value => (byte)((value * 255 + brightest / 2) / brightest)));
    }

    private LoadedPicture Load(Stream stream, string name, Rgba32 background, int maxSide, int minSide, CancellationToken cancel)
    {
        var file = ReadAll(stream, name, cancel);
        try
        {
            return Decode(file, name, background, maxSide, minSide);
        }
        catch (Exception error) when (error is not PictureRefusedException and not OutOfMemoryException)
        {
            // Whatever a decoder throws over hostile bytes, it is this one file that is no good.
            throw new PictureRefusedException(name, error is UnknownImageFormatException
                ? "this is not a picture (expected JPEG, PNG, WebP, GIF, BMP or TIFF)."
                : $"the picture is broken and cannot be decoded ({error.Message.ReplaceLineEndings(" ").TrimEnd('.')}).", error);
        }
    }

    private byte[] ReadAll(Stream stream, string name, CancellationToken cancel)
    {
        if (stream.CanSeek && stream.Length - stream.Position is var left && left <= limits.FileBytes)
        {
            var whole = new byte[left];             // no growing buffer beside it
            stream.ReadExactly(whole);
            return left > 0 ? whole : throw new PictureRefusedException(name, "the file is empty.");
        }
        using var buffer = new MemoryStream();
        var part = new byte[81920];
        for (int read; (read = stream.Read(part)) > 0;)
        {
            cancel.ThrowIfCancellationRequested();
            if (buffer.Length + read > limits.FileBytes)
                throw new PictureRefusedException(name, $"the file is larger than the {limits.FileBytes >> 20} MiB allowed.");
            buffer.Write(part, 0, read);
        }
        return buffer.Length > 0 ? buffer.ToArray() : throw new PictureRefusedException(name, "the file is empty.");
    }

    private LoadedPicture Decode(byte[] file, string name, Rgba32 background, int maxSide, int minSide)
    {
        var headerOptions = new DecoderOptions { Configuration = s_configuration, MaxFrames = 1 };
        var info = Image.Identify(headerOptions, file);
        var isJpeg = info.Metadata.DecodedImageFormat == JpegFormat.Instance;
        Check(info, name, isJpeg ? limits.JpegMegapixels : limits.OtherMegapixels);
        var structure = PictureStructure.Of(file);
        if (structure.InScans)
            Check(info, name, limits.OtherMegapixels);
        if (structure.Missing is { } missing)
            throw new PictureRefusedException(name, $"the picture is cut off: {missing}.");

        // TargetSize enlarges too, so it is set only where the picture shrinks.
        var target = Target(info.Width, info.Height, maxSide, minSide);
        var options = new DecoderOptions { Configuration = s_configuration, MaxFrames = 1, TargetSize = target < Math.Max(info.Width, info.Height) ? new Size(target, target) : null };
        return isJpeg ? FromOpaque(file, options, info) : FromTransparent(file, options, info, structure, background);
    }

    private static void Check(ImageInfo info, string name, int megapixels)
    {
        if (info.Width < 1 || info.Height < 1)
            throw new PictureRefusedException(name, $"the picture has no pixels ({info.Width} x {info.Height}).");
        var pixels = (long)info.Width * info.Height;
        if (pixels > megapixels * 1_000_000L)
            throw new PictureRefusedException(name, $"the picture claims {info.Width:N0} x {info.Height:N0} pixels ({pixels / 1_000_000:N0} megapixels), more than the {megapixels} allowed; shrink it.");
    }

    private static int Target(int width, int height, int maxSide, int minSide)
    {
        var (longest, shortest) = (Math.Max(width, height), Math.Min(width, height));
        var factor = Math.Max((double)maxSide / longest, (double)minSide / shortest);
        return factor >= 1 ? longest : (int)Math.Ceiling(longest * factor);
    }

    private static LoadedPicture FromOpaque(byte[] file, DecoderOptions options, ImageInfo info)
    {
        using var image = Image.Load<Rgb24>(options, file);
        var (width, height) = Upright(image, info);
        return new LoadedPicture(PixelGrid.From(image), width, height, HasTransparency: false);
    }

    private static LoadedPicture FromTransparent(byte[] file, DecoderOptions options, ImageInfo info, PictureStructure structure, Rgba32 background)
    {
        using var image = Image.Load<Rgba32>(options, file);
        if (structure.Orientation > 1)
        {
            // ImageSharp keeps a TIFF's orientation with its frame, where AutoOrient does not look.
            image.Metadata.ExifProfile ??= new ExifProfile();
            image.Metadata.ExifProfile.SetValue(ExifTag.Orientation, (ushort)structure.Orientation);
        }
        var (width, height) = Upright(image, info);
        var grid = new PixelGrid(image.Width, image.Height, 3);
        var (transparent, brightest) = (false, 0);
        image.ProcessPixelRows(rows =>
        {
            for (var y = 0; y < rows.Height; y++)
            {
                var to = grid.Data.AsSpan(y * rows.Width * 3);
                foreach (ref readonly var pixel in rows.GetRowSpan(y))
                {
                    transparent |= pixel.A != 255;
                    (to[0], to[1], to[2]) = (Over(pixel.R, background.R, pixel.A), Over(pixel.G, background.G, pixel.A), Over(pixel.B, background.B, pixel.A));
                    brightest = Math.Max(brightest, Math.Max(to[0], Math.Max(to[1], to[2])));
                    to = to[3..];
                }
            }
        });
        if (brightest == 0 && transparent)
            Opacity(image, grid);
        return new LoadedPicture(grid, width, height, transparent, structure.Frames);

        static byte Over(int value, int under, int alpha) => (byte)((value * alpha + under * (255 - alpha) + 127) / 255);
    }

    private static void Opacity(Image<Rgba32> image, PixelGrid grid) => image.ProcessPixelRows(rows =>
    {
        for (var y = 0; y < rows.Height; y++)
        {
            var to = grid.Data.AsSpan(y * rows.Width * 3);
            foreach (ref readonly var pixel in rows.GetRowSpan(y))
            {
                to[..3].Fill(pixel.A);
                to = to[3..];
            }
        }
    });

    /// <summary>Turns the picture as its EXIF orientation says; the file's size, turned likewise.</summary>
    private static (int Width, int Height) Upright(Image image, ImageInfo info)
    {
        var before = image.Size;
        image.Mutate(context => context.AutoOrient());
        var turned = before.Width != before.Height && image.Width == before.Height && image.Height == before.Width;
        return turned ? (info.Height, info.Width) : (info.Width, info.Height);
    }

    private static Configuration CreateConfiguration()
    {
        var configuration = Configuration.Default.Clone();
        configuration.MemoryAllocator = MemoryAllocator.Create(new MemoryAllocatorOptions { AllocationLimitMegabytes = 512 });
        return configuration;
    }
}
