using System.Numerics;

namespace SixLabors.ImageSharp.Processing.Operations;

/// <summary>Every channel becomes the luminance; alpha stays.</summary>
internal sealed class GrayscaleOperation(GrayscaleMode mode) : RowOperation
{
    private readonly Vector4 weights = mode == GrayscaleMode.Bt709 ? new(.2126F, .7152F, .0722F, 0) : new(.299F, .587F, .114F, 0);

    protected override void Change(Span<Vector4> line, int y)
    {
        foreach (ref var pixel in line)
        {
            var grey = Vector4.Dot(pixel, weights);
            pixel = new Vector4(grey, grey, grey, pixel.W);
        }
    }
}
