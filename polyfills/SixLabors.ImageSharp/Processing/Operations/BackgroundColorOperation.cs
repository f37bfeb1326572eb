using System.Numerics;
using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp.Processing.Operations;

/// <summary>Lays the image over one colour.</summary>
internal sealed class BackgroundColorOperation(Color color) : RowOperation
{
    private readonly Vector4 under = color.ToPixel<Rgba64>().ToScaledVector4();

    protected override void Change(Span<Vector4> line, int y)
    {
        foreach (ref var pixel in line)
            pixel = Over(under, pixel);
    }
}
