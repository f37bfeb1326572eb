using Sdxl.Core.Datasets;
using Sdxl.Vision.Crops;
using Sdxl.Vision.Duplicates;
using Sdxl.Vision.Faces;
using Sdxl.Vision.Masks;
using Sdxl.Pictures;

namespace Sdxl.Vision;

/// <summary>
/// Prepares one picture of a data set: decode, mask, crop, caption, upscale. Pure (no storage); thread-safe; sessions are shared by all
/// calls.
/// </summary>
/// <remarks>At most <see cref="Models.VisionOptions.ParallelPictures"/> run at once; each takes what <see cref="PictureLimits"/>
/// says.</remarks>
public sealed class PicturePreparer(VisionModels models, PictureLimits? limits = null) : IDisposable
{
    private const double ShapeTolerance = 0.03;     // a mask of 1365 x 1024 fits a picture of 4032 x 3024
    private const int HopelessSide = 32;            // from fewer pixels Swin2SR invents more than it finds
    private const double NarrowShape = 2.5;         // beyond this the square holds less than 40 % of the picture

    private readonly PictureLoader _loader = new(limits ?? new PictureLimits());
    private readonly SemaphoreSlim _places = new(models.Options.ParallelPictures);

    /// <param name="picture">A picture file of any format that <see cref="PictureLoader"/> reads.</param>
    /// <param name="name">For messages.</param>
    /// <param name="suppliedMask">A picture file of the same shape, any size; wins over any computed mask.</param>
    /// <exception cref="PictureRefusedException">The picture is not used; the message says why. A bad mask only gives a
    /// warning.</exception>
    /// <exception cref="Models.ModelFileMissingException">A model that is needed is not there.</exception>
    public PreparedPicture Prepare(
        Stream picture,
        string name,
        Stream? suppliedMask,
        PreparationSettings settings,
        CancellationToken cancel = default
    )
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(settings.Resolution);
        _places.Wait(cancel);
        try
        {
            var loaded = _loader.Load(picture, name, settings.MaxSourceSide, settings.Resolution, cancel);
            return Prepare(loaded, name, suppliedMask, settings, cancel);
        }
        finally
        {
            _places.Release();
        }
    }

    public void Dispose() => _places.Dispose();

    private PreparedPicture Prepare(
        LoadedPicture loaded,
        string name,
        Stream? suppliedMask,
        PreparationSettings settings,
        CancellationToken cancel
    )
    {
        var (pixels, warnings) = (loaded.Pixels, new List<string>());
        var (mask, maskSource, faces) = Mask(loaded, name, suppliedMask, settings, warnings, cancel);

        var crop =
            settings.Crop is { } wanted ? ToWorking(wanted, loaded)
            : settings.CropBasedOnSalience ? SquareCrop.Around(mask)
            : SquareCrop.Centred(pixels.Width, pixels.Height);
        var square = pixels.Crop(crop.Left, crop.Top, crop.Size, crop.Size);
        var caption = settings.Caption is null ? models.Captioner.Caption(square, models.Options.CaptionBeams, cancel).Text : null;

        var (large, times) = models.Upscaler.UpscaleTo(square, settings.Resolution, cancel);
        var original = settings.Crop ?? ToOriginal(crop, loaded);
        Warn(loaded, original, times, caption, settings, warnings);

        var (thumbnailWidth, thumbnailHeight) = PictureResizer.FitWithin(pixels.Width, pixels.Height, settings.ThumbnailSide);
        var squareMask = mask.Crop(crop.Left, crop.Top, crop.Size, crop.Size);
        return new PreparedPicture
        {
            Picture = PictureResizer.Resize(large, settings.Resolution, settings.Resolution, ResizeFilter.Lanczos).ToRgb(),
            Mask = PictureResizer.Resize(squareMask, settings.Resolution, settings.Resolution, ResizeFilter.Bilinear).ToGrey(),
            MaskSource = maskSource,
            Thumbnail = PictureResizer.Resize(pixels, thumbnailWidth, thumbnailHeight, ResizeFilter.Bicubic).ToRgb(),
            GeneratedCaption = caption,
            OriginalWidth = loaded.Width,
            OriginalHeight = loaded.Height,
            CropLeft = original.Left,
            CropTop = original.Top,
            CropSize = original.Size,
            TimesUpscaled = times,
            Faces = loaded.Shrink > 1 ? [.. faces.Select(face => face.Scaled((float)loaded.Shrink))] : faces,
            PerceptualHash = PerceptualHash.Of(pixels),
            Warnings = warnings,
        };
    }

    /// <summary>Exactly one mask of the working copy's size: the supplied one, else faces or prompts, else everything.</summary>
    private (PixelGrid Mask, MaskSource Source, IReadOnlyList<FaceBox> Faces) Mask(
        LoadedPicture loaded,
        string name,
        Stream? suppliedMask,
        PreparationSettings settings,
        List<string> warnings,
        CancellationToken cancel
    )
    {
        var pixels = loaded.Pixels;
        IReadOnlyList<FaceBox> faces = [];
        if (suppliedMask is not null && Supplied(suppliedMask, name, loaded, settings, warnings, cancel) is { } supplied)
            return (supplied, MaskSource.Supplied, faces);

        if (settings.UseFaceDetectionInstead)
        {
            faces = models.Detector.Detect(pixels, cancel);
            if (faces.Count > 0)
                return (FaceMasker.Mask(faces, pixels.Width, pixels.Height), MaskSource.Faces, faces);
            warnings.Add("No face was found, so the whole picture counts.");
        }
        else if (ClipSegMasker.SplitPrompts(settings.MaskTargetPrompts) is { Count: > 0 } prompts)
        {
            return (models.Masker.Mask(pixels, prompts, settings.ClipSegTemperature, cancel), MaskSource.Text, faces);
        }
        return (PixelGrid.Flat(pixels.Width, pixels.Height, 1, 255), MaskSource.None, faces);
    }

    private PixelGrid? Supplied(
        Stream stream,
        string name,
        LoadedPicture loaded,
        PreparationSettings settings,
        List<string> warnings,
        CancellationToken cancel
    )
    {
        PixelGrid mask;
        try
        {
            mask = _loader.LoadMask(stream, $"mask of {name}", settings.MaxSourceSide, cancel);
        }
        catch (PictureRefusedException error)
        {
            warnings.Add($"The mask beside it is not used: {error.Reason}");
            return null;
        }
        var (shape, expected) = ((double)mask.Width / mask.Height, (double)loaded.Width / loaded.Height);
        if (Math.Abs(shape / expected - 1) > ShapeTolerance)
        {
            warnings.Add(
                $"The mask beside it is not used: it is {mask.Width} x {mask.Height} and the picture {loaded.Width} x {loaded.Height}, "
                    + $"another shape; make it {loaded.Width} x {loaded.Height}, or any other size of that shape."
            );
            return null;
        }
        if (mask.Data.Max() == 0)
        {
            warnings.Add("The mask beside it is not used: it is black all over.");
            return null;
        }
        if (LooksInverted(mask))
            warnings.Add(
                "The mask beside it is white at the edges and dark in the middle. White is what counts: invert it if the middle is the "
                    + "subject."
            );
        return PictureResizer.Resize(mask, loaded.Pixels.Width, loaded.Pixels.Height, ResizeFilter.Bilinear);
    }

    /// <summary>Whether nearly all of the outermost pixels are white while most of what lies within them is not.</summary>
    private static bool LooksInverted(PixelGrid mask)
    {
        var (edge, within, edgePixels) = (0L, 0L, 0L);
        for (var y = 0; y < mask.Height; y++)
        {
            for (var x = 0; x < mask.Width; x++)
            {
                var value = mask.Data[y * mask.Width + x];
                if (x == 0 || y == 0 || x == mask.Width - 1 || y == mask.Height - 1)
                    (edge, edgePixels) = (edge + value, edgePixels + 1);
                else if (Math.Abs(2 * x - mask.Width) < mask.Width / 2 && Math.Abs(2 * y - mask.Height) < mask.Height / 2)
                    within += value;
            }
        }
        // The middle half in each direction is a quarter of the picture.
        return edge > 0.9 * 255 * edgePixels && within < 0.3 * 255 * mask.Data.Length / 4;
    }

    private static SquareCrop ToOriginal(SquareCrop crop, LoadedPicture loaded)
    {
        var size = Math.Min(loaded.Width, loaded.Height);
        return new SquareCrop(
            Along(crop.Left, loaded.Width, loaded.Pixels.Width, size),
            Along(crop.Top, loaded.Height, loaded.Pixels.Height, size),
            size
        );

        static int Along(int at, int original, int working, int size) =>
            Math.Clamp((int)Math.Round((double)at * original / working), 0, original - size);
    }

    /// <summary>The same square in the working copy, which may be smaller.</summary>
    private static SquareCrop ToWorking(SquareCrop crop, LoadedPicture loaded)
    {
        var (width, height) = (loaded.Pixels.Width, loaded.Pixels.Height);
        var scale = (double)width / loaded.Width;
        var size = Math.Clamp((int)Math.Round(crop.Size * scale), 1, Math.Min(width, height));
        return new SquareCrop(
            Math.Clamp((int)Math.Round(crop.Left * scale), 0, width - size),
            Math.Clamp((int)Math.Round(crop.Top * scale), 0, height - size),
            size
        );
    }

    private static void Warn(
        LoadedPicture loaded,
        SquareCrop crop,
        int times,
        string? caption,
        PreparationSettings settings,
        List<string> warnings
    )
    {
        if (crop.Size < HopelessSide)
        {
            warnings.Add(
                $"It is only {loaded.Width} x {loaded.Height} pixels: hardly anything is left to learn from, better leave it out."
            );
        }
        else if (times > 0)
        {
            var factor = Math.Pow(Upscaling.Swin2SrUpscaler.Factor, times);
            warnings.Add(
                $"It is small: its square of {crop.Size} x {crop.Size} was enlarged {factor:0} times for a resolution of "
                    + $"{settings.Resolution}; a larger original would do better."
            );
        }
        var shape = (double)Math.Max(loaded.Width, loaded.Height) / Math.Min(loaded.Width, loaded.Height);
        if (shape > NarrowShape)
            warnings.Add($"It is {shape:0.0} times as long as wide, so the square holds only {1 / shape:P0} of it.");
        if (loaded.ColourWarning is { } colours)
            warnings.Add(colours);
        if (loaded.IsAllWhite)
        {
            warnings.Add(
                loaded.HasTransparency
                    ? "Nothing of it is left: over white, which stands for transparency, it is white all over. Lay it over another colour, "
                        + "or leave it out."
                    : "It is white all over: there is nothing to learn from it, better leave it out."
            );
        }
        if (loaded.Frames > 1)
            warnings.Add($"It holds {loaded.Frames:N0} pictures (frames or pages); only the first is used.");
        if (caption is "")
            warnings.Add("BLIP found nothing to say about it; give it a caption.");
    }
}
