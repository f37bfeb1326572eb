using SixLabors.ImageSharp.Metadata;
using SixLabors.ImageSharp.Native;
using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp.Formats.Tiff;

/// <summary>TIFF by libtiff, 8 bits a channel. As in the real library, its orientation tag is not in the image's EXIF profile.</summary>
internal sealed unsafe class TiffCodec : PictureCodec
{
    public override IImageFormat Format => TiffFormat.Instance;

    public override bool Matches(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= 8 && (bytes.StartsWith("II*\0"u8) || bytes.StartsWith("MM\0*"u8) || bytes.StartsWith("II+\0"u8) || bytes.StartsWith("MM\0+"u8));

    public override ImageInfo Identify(DecoderOptions options, ReadOnlySpan<byte> bytes)
    {
        TiffDirectories.Check(bytes);
        fixed (byte* data = bytes)
        {
            var page = Info(data, bytes.Length, 0);
            return new ImageInfo(new PixelTypeInfo(page.Bits), new Size(page.Width, page.Height), new ImageMetadata());
        }
    }

    public override Image<TPixel> Decode<TPixel>(DecoderOptions options, ReadOnlySpan<byte> bytes)
    {
        TiffDirectories.Check(bytes);
        List<ImageFrame<TPixel>> frames = [];
        fixed (byte* data = bytes)
        {
            try
            {
                var (file, size, first) = ((nint)data, bytes.Length, Info(data, bytes.Length, 0));
                for (int index = 0, more = 1; more != 0 && index < options.MaxFrames; index++)
                {
                    var (width, height, _, rest) = Info(data, size, index);
                    if (width != first.Width || height != first.Height)
                        throw new NotSupportedException("Images with different sizes are not supported");
                    var page = index;
                    frames.Add(DecodeFrame<Rgba32, TPixel>(options.Configuration, width, height, (target, _, w, h) => Read(file, size, page, target, w, h)));
                    more = rest;
                }
                return new Image<TPixel>(options.Configuration, new ImageMetadata(), frames);
            }
            catch
            {
                frames.ForEach(frame => frame.Dispose());
                throw;
            }
        }
    }

    public override Image Decode(DecoderOptions options, ReadOnlySpan<byte> bytes) => Decode<Rgba32>(options, bytes);

    private static (int Width, int Height, int Bits, int More) Info(byte* data, int size, int page)
    {
        var error = stackalloc byte[Shim.ErrorBytes];
        int width, height, bits, more;
        Shim.Check(Shim.sdx_tiff_info(data, (nuint)size, page, &width, &height, &bits, &more, error), "TIFF", error);
        return (width, height, bits, more);
    }

    private static void Read(nint data, int size, int page, byte* target, int width, int height)
    {
        var error = stackalloc byte[Shim.ErrorBytes];
        Shim.Check(Shim.sdx_tiff_decode((byte*)data, (nuint)size, page, target, width, height, error), "TIFF", error);
    }
}
