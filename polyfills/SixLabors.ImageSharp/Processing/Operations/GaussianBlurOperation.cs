using System.Numerics;
using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp.Processing.Operations;

/// <summary>
/// Rows, then columns, with a normalised Gaussian cut at 3 sigma; the edge pixels repeat. As in the real library the picture between
/// the two passes has the image's own pixel type.
/// </summary>
internal sealed class GaussianBlurOperation : ImageOperation
{
    private readonly float[] kernel;

    public GaussianBlurOperation(float sigma)
    {
        var radius = (int)MathF.Ceiling(sigma * 3);
        kernel = new float[(radius * 2) + 1];
        for (var i = 0; i < kernel.Length; i++)
            kernel[i] = MathF.Exp(-((i - radius) * (i - radius)) / (2F * sigma * sigma));
        var sum = kernel.Sum();
        for (var i = 0; i < kernel.Length; i++)
            kernel[i] /= sum;
    }

    public override Image<TPixel>? Execute<TPixel>(Image<TPixel> image)
    {
        using var rows = Remake(image, image.Width, image.Height, (from, to) => BlurRows(from, to, image.Configuration));
        return Remake(rows, image.Width, image.Height, (from, to) => BlurColumns(from, to, image.Configuration));
    }

    private void BlurRows<TPixel>(ImageFrame<TPixel> from, ImageFrame<TPixel> to, Configuration configuration)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        var (radius, last, alpha) = (kernel.Length / 2, from.Width - 1, PixelRows.HasAlpha<TPixel>());
        Parallel.For(0, from.Height, configuration.Parallel, y =>
        {
            var (line, result) = (new Vector4[from.Width], new Vector4[from.Width]);
            PixelRows.ToVectors<TPixel>(from.Pixels.Row(y), line, alpha, expand: false);
            for (var x = 0; x <= last; x++)
            {
                for (var k = 0; k < kernel.Length; k++)
                    result[x] += line[Math.Clamp(x + k - radius, 0, last)] * kernel[k];
            }
            PixelRows.FromVectors(result, to.Pixels.Row(y), alpha, compress: false);
        });
    }

    private void BlurColumns<TPixel>(ImageFrame<TPixel> from, ImageFrame<TPixel> to, Configuration configuration)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        var (radius, last, alpha) = (kernel.Length / 2, from.Height - 1, PixelRows.HasAlpha<TPixel>());
        Parallel.For(0, from.Height, configuration.Parallel, y =>
        {
            var (line, result) = (new Vector4[from.Width], new Vector4[from.Width]);
            for (var k = 0; k < kernel.Length; k++)
            {
                PixelRows.ToVectors<TPixel>(from.Pixels.Row(Math.Clamp(y + k - radius, 0, last)), line, alpha, expand: false);
                for (var x = 0; x < line.Length; x++)
                    result[x] += line[x] * kernel[k];
            }
            PixelRows.FromVectors(result, to.Pixels.Row(y), alpha, compress: false);
        });
    }
}
