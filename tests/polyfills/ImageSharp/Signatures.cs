using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Png.Chunks;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.Metadata;
using SixLabors.ImageSharp.Metadata.Profiles.Exif;
using SixLabors.ImageSharp.Metadata.Profiles.Icc;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;
using SixLabors.ImageSharp.Processing.Processors.Transforms;

namespace Sdxl.Tests.Polyfills;

/// <summary>
/// The members that the product may use, with their types spelled out: it compiles against the polyfill and against the real package
/// (<c>-p:UsePolyfills=false</c>), which is the whole test. Nothing here is called.
/// </summary>
internal static class Signatures
{
    public static async Task Opening(Stream stream, string path, byte[] bytes, DecoderOptions options, CancellationToken cancel)
    {
        Image<Rgb24> a = Image.Load<Rgb24>(stream), b = Image.Load<Rgb24>(path), c = Image.Load<Rgb24>(bytes.AsSpan()), d = Image.Load<Rgb24>(options, stream);
        Image<Rgba32> e = Image.Load<Rgba32>(options, path), f = Image.Load<Rgba32>(options, bytes.AsSpan());
        Image<L8> g = await Image.LoadAsync<L8>(stream, cancel), h = await Image.LoadAsync<L8>(options, stream, cancel);
        Image<L16> i = await Image.LoadAsync<L16>(path, cancel), j = await Image.LoadAsync<L16>(options, path, cancel);
        Image untyped = Image.Load(stream), untypedAgain = await Image.LoadAsync(options, stream, cancel), fromBytes = Image.Load(bytes.AsSpan());
        ImageInfo info = Image.Identify(stream), info2 = Image.Identify(options, stream), info3 = Image.Identify(path), info4 = Image.Identify(bytes.AsSpan());
        ImageInfo info5 = await Image.IdentifyAsync(stream, cancel), info6 = await Image.IdentifyAsync(options, path, cancel);
        IImageFormat format = Image.DetectFormat(stream), format2 = Image.DetectFormat(path), format3 = Image.DetectFormat(bytes.AsSpan());
        (int width, int height, Size size, ImageMetadata metadata, int bits) = (info.Width, info.Height, info.Size, info.Metadata, info.PixelType.BitsPerPixel);
        (string name, string mime, IEnumerable<string> extensions) = (format.Name, format.DefaultMimeType, format.FileExtensions);
        _ = (a, b, c, d, e, f, g, h, i, j, untyped, untypedAgain, fromBytes, info2, info3, info4, info5, info6, format2, format3, width, height, size, metadata, bits, name, mime, extensions);
    }

    public static DecoderOptions Options(Configuration configuration) => new()
    {
        Configuration = configuration,
        MaxFrames = 1,
        SkipMetadata = false,
        TargetSize = new Size(1024, 1024),
        Sampler = KnownResamplers.Bicubic,
    };

    public static Configuration Limits()
    {
        Configuration configuration = Configuration.Default.Clone();
        configuration.MemoryAllocator = MemoryAllocator.Create(new MemoryAllocatorOptions { AllocationLimitMegabytes = 512 });
        configuration.MaxDegreeOfParallelism = 2;
        configuration.PreferContiguousImageBuffers = true;
        return configuration;
    }

    public static void Pixels(Image<Rgb24> image, Image<L8> mask, Rgb24[] pixels, byte[] bytes)
    {
        using Image<Rgb24> empty = new(4, 3), filled = new(4, 3, new Rgb24(1, 2, 3)), configured = new(Configuration.Default, 4, 3);
        using Image<Rgb24> loaded = Image.LoadPixelData<Rgb24>(pixels, 4, 3), fromBytes = Image.LoadPixelData<Rgb24>(bytes, 4, 3);
        image[0, 0] = new Rgb24(image[1, 1].R, 0, 0);
        image.ProcessPixelRows(accessor =>
        {
            for (int y = 0; y < accessor.Height; y++)
            {
                Span<Rgb24> row = accessor.GetRowSpan(y);
                row[accessor.Width - 1].B = 255;
            }
        });
        image.ProcessPixelRows(mask, (rows, maskRows) => maskRows.GetRowSpan(0)[0] = new L8(rows.GetRowSpan(0)[0].R));
        image.CopyPixelDataTo(pixels);
        image.CopyPixelDataTo(bytes);
        bool one = image.DangerousTryGetSinglePixelMemory(out Memory<Rgb24> memory);
        using Image<Rgb24> clone = image.Clone(), frame = image.Frames.CloneFrame(0);
        using Image<Rgba32> other = image.CloneAs<Rgba32>();
        ImageFrame<Rgb24> root = image.Frames.RootFrame;
        (int width, int height, Size size, Rectangle bounds, int frames) = (image.Width, image.Height, image.Size, image.Bounds, image.Frames.Count);
        Rgba32 color = new(1, 2, 3, 4);
        _ = (one, memory, root, width, height, size, bounds, frames, color.A, new Rgba64(1, 2, 3, 4).R, new L16(5).PackedValue, new Bgr24(1, 2, 3).B);
    }

    public static void Processing(Image<Rgb24> image, Image untyped, Image stamp)
    {
        using Image<Rgb24> copy = image.Clone(context => context.Resize(64, 64));
        using Image untypedCopy = untyped.Clone(context => context.AutoOrient());
        untyped.Mutate(context => context.AutoOrient());
        image.Mutate(context => context
            .AutoOrient()
            .BackgroundColor(Color.White)
            .Resize(64, 64, KnownResamplers.Lanczos3)
            .Resize(new Size(32, 32))
            .Resize(32, 0, KnownResamplers.Triangle, compand: false)
            .Resize(new ResizeOptions
            {
                Size = new Size(64, 64),
                Mode = ResizeMode.Pad,
                Sampler = KnownResamplers.Bicubic,
                PadColor = Color.Black,
                Position = AnchorPositionMode.Center,
                CenterCoordinates = new PointF(0.5F, 0.5F),
                PremultiplyAlpha = true,
                Compand = false,
            })
            .Resize(64, 64, KnownResamplers.Box, new Rectangle(0, 0, 8, 8), new Rectangle(0, 0, 64, 64), false)
            .Crop(new Rectangle(1, 1, 32, 32))
            .Crop(16, 16)
            .Rotate(RotateMode.Rotate90)
            .Flip(FlipMode.Horizontal)
            .RotateFlip(RotateMode.Rotate180, FlipMode.Vertical)
            .Grayscale()
            .GaussianBlur(2F)
            .Pad(32, 32, Color.FromRgba(1, 2, 3, 255))
            .DrawImage(stamp, new Point(2, 3), 1F)
            .DrawImage(stamp, 0.5F));
        image.Mutate(context => context.Resize(context.GetCurrentSize()));
        IResampler nearest = KnownResamplers.NearestNeighbor;
        (float radius, float weight) = (nearest.Radius, KnownResamplers.Bicubic.GetValue(0.5F));
        Color color = Color.FromPixel(new Rgb24(1, 2, 3));
        _ = (radius, weight, color.ToPixel<L8>());
    }

    public static async Task Saving(Image image, Stream stream, string path, CancellationToken cancel)
    {
        PngEncoder png = new() { CompressionLevel = PngCompressionLevel.BestSpeed, ColorType = PngColorType.Rgb, BitDepth = PngBitDepth.Bit8, SkipMetadata = true };
        JpegEncoder jpeg = new() { Quality = 90, ColorType = JpegEncodingColor.YCbCrRatio444 };
        image.Save(path);
        await image.SaveAsync(path, cancel);
        image.Save(stream, png);
        image.Save(stream, PngFormat.Instance);
        await image.SaveAsync(stream, jpeg, cancel);
        image.SaveAsPng(stream);
        image.SaveAsPng(path, png);
        await image.SaveAsPngAsync(stream, cancel);
        await image.SaveAsPngAsync(path, png, cancel);
        image.SaveAsJpeg(stream, jpeg);
        await image.SaveAsJpegAsync(stream, jpeg, cancel);
        image.SaveAsWebp(stream, new WebpEncoder { Quality = 80, FileFormat = WebpFileFormatType.Lossy });
    }

    public static void Metadata(ImageMetadata metadata)
    {
        IImageFormat? format = metadata.DecodedImageFormat;
        ExifProfile? exif = metadata.ExifProfile;
        if (exif is not null && exif.TryGetValue(ExifTag.Orientation, out IExifValue<ushort>? orientation))
            exif.SetValue(ExifTag.Orientation, (ushort)(orientation.Value + 1));
        exif?.RemoveValue(ExifTag.Orientation);
        metadata.ExifProfile = null;
        IccProfile? icc = metadata.IccProfile;
        PngMetadata png = metadata.GetPngMetadata();
        png.TextData.Add(new PngTextData("prompt", "a photo of TOK", string.Empty, string.Empty));
        foreach (PngTextData text in png.TextData)
            _ = (text.Keyword, text.Value);
        _ = (format, icc?.ToByteArray(), metadata.DeepClone());
    }

    public static string Failure(Exception failure) => failure switch
    {
        UnknownImageFormatException => "no decoder",
        InvalidImageContentException => "broken content",
        ImageFormatException => "format",
        InvalidMemoryOperationException => "over the limit",
        _ => "other",
    };
}
