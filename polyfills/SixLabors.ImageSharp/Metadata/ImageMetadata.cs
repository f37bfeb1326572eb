using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Metadata.Profiles.Exif;
using SixLabors.ImageSharp.Metadata.Profiles.Icc;

namespace SixLabors.ImageSharp.Metadata;

/// <summary>What a file tells about its picture besides the pixels.</summary>
public sealed class ImageMetadata : IDeepCloneable<ImageMetadata>
{
    private readonly Dictionary<IImageFormat, IDeepCloneable> formats = [];

    public ImageMetadata()
    {
    }

    private ImageMetadata(ImageMetadata other)
    {
        foreach (var (format, metadata) in other.formats)
            formats.Add(format, metadata.DeepClone());
        ExifProfile = other.ExifProfile?.DeepClone();
        IccProfile = other.IccProfile?.DeepClone();
        DecodedImageFormat = other.DecodedImageFormat;
    }

    public ExifProfile? ExifProfile { get; set; }

    public IccProfile? IccProfile { get; set; }

    /// <summary>The format of the file that the image was read from; null for one made in memory.</summary>
    public IImageFormat? DecodedImageFormat { get; internal set; }

    /// <summary>One format's own metadata; empty where the image did not come from it.</summary>
    public TFormatMetadata GetFormatMetadata<TFormatMetadata>(IImageFormat<TFormatMetadata> key)
        where TFormatMetadata : class, IDeepCloneable
    {
        if (formats.TryGetValue(key, out var known))
            return (TFormatMetadata)known;
        var created = key.CreateDefaultFormatMetadata();
        formats[key] = created;
        return created;
    }

    public ImageMetadata DeepClone() => new(this);
}
