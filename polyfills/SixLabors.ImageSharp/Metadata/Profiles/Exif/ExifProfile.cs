using System.Diagnostics.CodeAnalysis;

namespace SixLabors.ImageSharp.Metadata.Profiles.Exif;

/// <summary>An EXIF block. Its bytes are kept; only 16-bit numbers of its first directory (the orientation) are read and changed.</summary>
public sealed class ExifProfile : IDeepCloneable<ExifProfile>
{
    private readonly byte[]? data;
    private readonly List<ExifShort> values;
    private bool changed;

    public ExifProfile()
        : this((byte[]?)null)
    {
    }

    /// <param name="data">a TIFF header and directories, with or without "Exif\0\0" in front</param>
    public ExifProfile(byte[]? data)
    {
        this.data = data;
        values = ExifDirectory.ReadShorts(data, [ExifTag.Orientation]);
    }

    private ExifProfile(ExifProfile other)
    {
        data = (byte[]?)other.data?.Clone();
        values = [.. other.values.Select(value => (ExifShort)value.DeepClone())];
        changed = other.changed;
    }

    public bool TryGetValue<TValueType>(ExifTag<TValueType> tag, [NotNullWhen(true)] out IExifValue<TValueType>? exifValue)
    {
        exifValue = values.Find(value => value.Tag == tag) as IExifValue<TValueType>;
        return exifValue is not null;
    }

    public bool RemoveValue(ExifTag tag)
    {
        var removed = values.RemoveAll(value => value.Tag == tag) > 0;
        changed |= removed;
        return removed;
    }

    public void SetValue<TValueType>(ExifTag<TValueType> tag, TValueType value)
    {
        changed = true;
        values.RemoveAll(known => known.Tag == tag);
        values.Add(new ExifShort(tag, (ushort)(object)value!));
    }

    /// <summary>The block with its changes; null where there is none.</summary>
    public byte[]? ToByteArray()
    {
        // A value may have been changed through the IExifValue that TryGetValue gave out.
        var before = ExifDirectory.ReadShorts(data, [ExifTag.Orientation]);
        var same = !changed && before.Select(value => value.Value).SequenceEqual(values.Select(value => value.Value));
        return same ? data : ExifDirectory.WithShorts(data, [ExifTag.Orientation], values);
    }

    public ExifProfile DeepClone() => new(this);
}
