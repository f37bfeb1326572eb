using SixLabors.ImageSharp.Metadata;
using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp.Formats.Gif;

/// <summary>GIF 87a and 89a: every frame becomes a whole picture, disposal applied.</summary>
internal sealed unsafe class GifCodec : PictureCodec
{
    public override IImageFormat Format => GifFormat.Instance;

    public override bool Matches(ReadOnlySpan<byte> bytes) => bytes.StartsWith("GIF87a"u8) || bytes.StartsWith("GIF89a"u8);

    public override ImageInfo Identify(DecoderOptions options, ReadOnlySpan<byte> bytes)
    {
        var reader = new GifReader(bytes);
        return new ImageInfo(new PixelTypeInfo(reader.BitsPerPixel), new Size(reader.Width, reader.Height), new ImageMetadata());
    }

    public override Image<TPixel> Decode<TPixel>(DecoderOptions options, ReadOnlySpan<byte> bytes)
    {
        var reader = new GifReader(bytes);
        List<ImageFrame<TPixel>> frames = [];
        // One canvas, on which each frame is drawn after the one before has been disposed of.
        PixelBudget.Check(options.Configuration, reader.Width, reader.Height, sizeof(Rgba32));
        using var canvas = new Image<Rgba32>(options.Configuration, reader.Width, reader.Height);
        Image<Rgba32>? saved = null;
        try
        {
            while (frames.Count < options.MaxFrames && reader.TryReadFrame(out var frame))
            {
                if (frame.Disposal == GifDisposal.RestorePrevious)
                {
                    saved?.Dispose();
                    saved = canvas.Clone();
                }
                frame.Draw(canvas);
                frames.Add(Snapshot<TPixel>(canvas));
                if (frame.Disposal == GifDisposal.RestoreBackground)
                    frame.Clear(canvas);
                else if (frame.Disposal == GifDisposal.RestorePrevious && saved is not null)
                    canvas.TakePixels(saved.Clone());
            }
            if (frames.Count == 0)
                throw new InvalidImageContentException("GIF: no picture between header and end.");
            return new Image<TPixel>(options.Configuration, new ImageMetadata(), frames);
        }
        catch
        {
            frames.ForEach(frame => frame.Dispose());
            throw;
        }
        finally
        {
            saved?.Dispose();
        }
    }

    public override Image Decode(DecoderOptions options, ReadOnlySpan<byte> bytes) => Decode<Rgba32>(options, bytes);

    private static ImageFrame<TPixel> Snapshot<TPixel>(Image<Rgba32> canvas)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        PixelBudget.Check(canvas.Configuration, canvas.Width, canvas.Height, sizeof(TPixel));
        return canvas.Frames.RootFrame.CloneAs<TPixel>(canvas.Configuration);
    }
}
