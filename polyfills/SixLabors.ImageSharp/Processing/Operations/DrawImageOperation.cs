using System.Numerics;
using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp.Processing.Operations;

/// <summary>Lays another image over this one; what reaches over the edges is left out.</summary>
internal sealed class DrawImageOperation : RowOperation
{
    private readonly Image<Rgba64> foreground;
    private readonly Point at;
    private readonly float opacity;

    public DrawImageOperation(Image foreground, Point at, float opacity)
    {
        if (opacity is < 0 or > 1)
            throw new ArgumentOutOfRangeException(nameof(opacity), opacity, "Value must be between 0 and 1.");
        (this.foreground, this.at, this.opacity) = (foreground.CloneAs<Rgba64>(), at, opacity);
    }

    public override Image<TPixel>? Execute<TPixel>(Image<TPixel> image)
    {
        using (foreground)
            return base.Execute(image);
    }

    protected override void Change(Span<Vector4> line, int y)
    {
        if (y < at.Y || y >= at.Y + foreground.Height)
            return;
        var row = foreground.Frames.RootFrame.Pixels.Row(y - at.Y);
        for (var x = Math.Max(at.X, 0); x < Math.Min(at.X + foreground.Width, line.Length); x++)
        {
            var source = row[x - at.X].ToScaledVector4();
            line[x] = Over(line[x], source with { W = source.W * opacity });
        }
    }
}
