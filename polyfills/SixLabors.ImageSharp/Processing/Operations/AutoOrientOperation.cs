using SixLabors.ImageSharp.Metadata.Profiles.Exif;

namespace SixLabors.ImageSharp.Processing.Operations;

/// <summary>Turns and mirrors by the EXIF orientation, which is 1 afterwards.</summary>
internal sealed class AutoOrientOperation : ImageOperation
{
    public override bool ReturnsNewImage => false;

    public override Image<TPixel>? Execute<TPixel>(Image<TPixel> image)
    {
        if (image.Metadata.ExifProfile is not { } exif || !exif.TryGetValue(ExifTag.Orientation, out var orientation))
            return null;
        var (turn, mirror) = orientation.Value switch
        {
            2 => (RotateMode.None, FlipMode.Horizontal),
            3 => (RotateMode.Rotate180, FlipMode.None),
            4 => (RotateMode.None, FlipMode.Vertical),
            5 => (RotateMode.Rotate90, FlipMode.Horizontal),
            6 => (RotateMode.Rotate90, FlipMode.None),
            7 => (RotateMode.Rotate270, FlipMode.Horizontal), // = mirrored top to bottom, then turned
            8 => (RotateMode.Rotate270, FlipMode.None),
            _ => (RotateMode.None, FlipMode.None),
        };
        if (turn != RotateMode.None && new RotateOperation(turn).Execute(image) is { } turned)
            image.TakePixels(turned);
        if (mirror != FlipMode.None)
            new FlipOperation(mirror).Execute(image);
        exif.SetValue(ExifTag.Orientation, (ushort)1);
        return null;
    }
}
