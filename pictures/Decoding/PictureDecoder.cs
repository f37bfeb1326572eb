using Sdxl.Pictures.Formats;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Bmp;
using SixLabors.ImageSharp.Formats.Gif;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Tiff;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.Metadata;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Pictures.Decoding;

/// <summary>
/// The only place where ImageSharp sees a stranger's bytes: those parts that the structure kept, by the decoder of that format, first
/// frame, no metadata.
/// </summary>
/// <remarks>The configuration knows no format at all: nothing is detected here, the decoder is named.</remarks>
internal static class PictureDecoder
{
    public static void Decode(PictureStructure picture, PictureRows rows, DecoderMemory memory, CancellationToken cancel)
    {
        var configuration = new Configuration { MemoryAllocator = memory, MaxDegreeOfParallelism = 1 };
        using var stream = picture.Parts.OpenRead();
        if (picture.Format is PictureFormat.Jpeg or PictureFormat.Webp)
            InRows(Decoder(picture.Format), configuration, stream, picture, rows, cancel);
        else
            Whole(Decoder(picture.Format), configuration, stream, picture, rows, cancel);
        if (!rows.IsComplete)
            throw PictureFaultException.CutOff("rows are missing");
    }

    private static IImageDecoder Decoder(PictureFormat format) => format switch
    {
        PictureFormat.Jpeg => new JpegDecoder { IgnoreMetadata = true },
        PictureFormat.Png => new PngDecoder { IgnoreMetadata = true },
        PictureFormat.Webp => new WebpDecoder { IgnoreMetadata = true },
        PictureFormat.Gif => new GifDecoder { IgnoreMetadata = true, DecodingMode = FrameDecodingMode.First },
        PictureFormat.Tiff => new TiffDecoder { IgnoreMetadata = true, DecodingMode = FrameDecodingMode.First },
        _ => new BmpDecoder(),
    };

    private static void InRows(
        IImageDecoder decoder, Configuration configuration, Stream stream, PictureStructure picture, PictureRows rows,
        CancellationToken cancel)
    {
        RowPixel.Rows = new RowCollector(rows, picture.Width);
        try
        {
            using var image = decoder.Decode<RowPixel>(configuration, stream, cancel);
            Require(image, picture);
        }
        finally
        {
            RowPixel.Rows = null;
        }
    }

    private static void Whole(
        IImageDecoder decoder, Configuration configuration, Stream stream, PictureStructure picture, PictureRows rows,
        CancellationToken cancel)
    {
        using var image = decoder.Decode<Rgba32>(configuration, stream, cancel);
        Require(image, picture);
        image.ProcessPixelRows(pixels =>
        {
            for (var y = 0; y < pixels.Height; y++)
                rows.Take(pixels.GetRowSpan(y));
        });
    }

    /// <summary>The decoder and the structure must have read the same header.</summary>
    private static void Require(Image image, PictureStructure picture)
    {
        if (image.Width != picture.Width || image.Height != picture.Height)
        {
            throw PictureFaultException.Broken(
                $"its header says {picture.Width} x {picture.Height}, its pixels are {image.Width} x {image.Height}");
        }
    }
}
