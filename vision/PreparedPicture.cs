using Sdxl.Core.Datasets;
using Sdxl.Vision.Faces;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Vision;

/// <summary>A picture ready for training and what is known about it; the caller disposes it.</summary>
public sealed record PreparedPicture : IDisposable
{
    /// <summary>Resolution x Resolution.</summary>
    public required Image<Rgb24> Picture { get; init; }

    /// <summary>The same size; 255 counts fully in the loss, 0 not at all. Exactly one a picture.</summary>
    public required Image<L8> Mask { get; init; }

    public required MaskSource MaskSource { get; init; }

    /// <summary>The whole picture, upright, small.</summary>
    public required Image<Rgb24> Thumbnail { get; init; }

    /// <summary>BLIP's caption without fillers; null where one was given.</summary>
    public required string? GeneratedCaption { get; init; }

    /// <summary>Of the file, upright.</summary>
    public required int OriginalWidth { get; init; }

    public required int OriginalHeight { get; init; }

    /// <summary>The crop in original pixels, also where the picture was shrunk or upscaled afterwards.</summary>
    public required int CropLeft { get; init; }

    public required int CropTop { get; init; }

    public required int CropSize { get; init; }

    /// <summary>How often Swin2SR quadrupled the crop's side.</summary>
    public required int TimesUpscaled { get; init; }

    public bool Upscaled => TimesUpscaled > 0;

    /// <summary>Faces in original pixels; empty where faces were not asked for.</summary>
    public required IReadOnlyList<FaceBox> Faces { get; init; }

    /// <summary>Of the whole picture; see <see cref="Duplicates.PerceptualHash"/>.</summary>
    public required ulong PerceptualHash { get; init; }

    /// <summary>Sentences for the report, without the picture's name.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    public void Dispose()
    {
        Picture.Dispose();
        Mask.Dispose();
        Thumbnail.Dispose();
    }
}
