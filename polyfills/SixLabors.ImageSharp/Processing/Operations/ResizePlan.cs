namespace SixLabors.ImageSharp.Processing.Operations;

/// <summary>Size of the result and where in it the resized picture goes (it may reach over the edges), by mode; rounding as in the real library.</summary>
internal static class ResizePlan
{
    public static (Size Size, Rectangle Target) Make(Size source, ResizeOptions options)
    {
        var (width, height) = options.Size;
        if (width <= 0 && height <= 0)
            throw new InvalidOperationException($"Target width {width} and height {height} must be greater than zero.");
        if (width == 0)
            width = (int)MathF.Max(1, MathF.Round(source.Width * height / (float)source.Height));
        if (height == 0)
            height = (int)MathF.Max(1, MathF.Round(source.Height * width / (float)source.Width));
        return options.Mode switch
        {
            ResizeMode.Crop => Crop(source, options, width, height),
            ResizeMode.Pad => Pad(source, options, width, height),
            ResizeMode.BoxPad => BoxPad(source, options, width, height),
            ResizeMode.Max => Max(source, width, height),
            ResizeMode.Min => Min(source, width, height),
            ResizeMode.Manual => Manual(options, width, height),
            _ => Whole(width, height),
        };
    }

    private static (Size Size, Rectangle Target) Crop(Size source, ResizeOptions options, int width, int height)
    {
        var (perX, perY) = (width / (float)source.Width, height / (float)source.Height);
        if (perY < perX)
        {
            var y = options.CenterCoordinates is { } center
                ? Centered(height, source.Height * perX, center.Y)
                : Anchored(height - (source.Height * perX), AtTop(options.Position), AtBottom(options.Position));
            return Place(width, height, 0, y, width, (int)MathF.Ceiling(source.Height * perX));
        }
        var x = options.CenterCoordinates is { } middle
            ? Centered(width, source.Width * perY, middle.X)
            : Anchored(width - (source.Width * perY), AtLeft(options.Position), AtRight(options.Position));
        return Place(width, height, x, 0, (int)MathF.Ceiling(source.Width * perY), height);
    }

    private static (Size Size, Rectangle Target) Pad(Size source, ResizeOptions options, int width, int height)
    {
        var (perX, perY) = (width / (float)source.Width, height / (float)source.Height);
        if (perY < perX)
        {
            var x = Anchored(width - (source.Width * perY), AtLeft(options.Position), AtRight(options.Position));
            return Place(width, height, x, 0, (int)MathF.Round(source.Width * perY), height);
        }
        var y = Anchored(height - (source.Height * perX), AtTop(options.Position), AtBottom(options.Position));
        return Place(width, height, 0, y, width, (int)MathF.Round(source.Height * perX));
    }

    /// <summary>Like <see cref="Pad"/>, but a picture that fits keeps its size.</summary>
    private static (Size Size, Rectangle Target) BoxPad(Size source, ResizeOptions options, int width, int height)
    {
        if (source.Width >= width || source.Height >= height)
            return Pad(source, options, width, height);
        var (roomX, roomY) = (width - source.Width, height - source.Height);
        var x = AtLeft(options.Position) ? 0 : AtRight(options.Position) ? roomX : roomX / 2;
        var y = AtTop(options.Position) ? 0 : AtBottom(options.Position) ? roomY : roomY / 2;
        return Place(width, height, x, y, source.Width, source.Height);
    }

    private static (Size Size, Rectangle Target) Max(Size source, int width, int height)
    {
        if (source.Height / (float)source.Width < height / (float)width)
            height = (int)MathF.Round(source.Height * (width / (float)source.Width));
        else
            width = (int)MathF.Round(source.Width * (height / (float)source.Height));
        return Whole(width, height);
    }

    private static (Size Size, Rectangle Target) Min(Size source, int width, int height)
    {
        if (width > source.Width || height > source.Height)
            return Whole(source.Width, source.Height); // never enlarges
        var (lessX, lessY) = (source.Width - width, source.Height - height);
        if (lessX < lessY)
            return Whole(width, (int)MathF.Round(width * ((float)source.Height / source.Width)));
        if (lessX > lessY)
            return Whole((int)MathF.Round(height * ((float)source.Width / source.Height)), height);
        return height > width
            ? Whole(width, (int)MathF.Round(source.Height * (width / (float)source.Width)))
            : Whole((int)MathF.Round(source.Width * (height / (float)source.Height)), height);
    }

    private static (Size Size, Rectangle Target) Manual(ResizeOptions options, int width, int height)
    {
        if (options.TargetRectangle is not { } target)
            throw new InvalidOperationException("Manual resizing requires a target location and size.");
        return Place(width, height, target.X, target.Y, target.Width > 0 ? target.Width : width, target.Height > 0 ? target.Height : height);
    }

    private static int Anchored(float room, bool atStart, bool atEnd) => atStart ? 0 : (int)MathF.Round(atEnd ? room : room / 2F);

    private static int Centered(int side, float scaledSide, float center)
    {
        var at = (int)MathF.Round((-scaledSide * center) + (side / 2F));
        return Math.Max(Math.Min(at, 0), (int)MathF.Round(side - scaledSide));
    }

    private static bool AtLeft(AnchorPositionMode position) => position is AnchorPositionMode.Left or AnchorPositionMode.TopLeft or AnchorPositionMode.BottomLeft;

    private static bool AtRight(AnchorPositionMode position) => position is AnchorPositionMode.Right or AnchorPositionMode.TopRight or AnchorPositionMode.BottomRight;

    private static bool AtTop(AnchorPositionMode position) => position is AnchorPositionMode.Top or AnchorPositionMode.TopLeft or AnchorPositionMode.TopRight;

    private static bool AtBottom(AnchorPositionMode position) => position is AnchorPositionMode.Bottom or AnchorPositionMode.BottomLeft or AnchorPositionMode.BottomRight;

    private static (Size Size, Rectangle Target) Whole(int width, int height) => Place(width, height, 0, 0, width, height);

    private static (Size Size, Rectangle Target) Place(int width, int height, int x, int y, int targetWidth, int targetHeight) =>
        (new Size(Math.Max(1, width), Math.Max(1, height)), new Rectangle(x, y, Math.Max(1, targetWidth), Math.Max(1, targetHeight)));
}
