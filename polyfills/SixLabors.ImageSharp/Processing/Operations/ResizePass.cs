using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp.Processing.Operations;

/// <summary>
/// Two passes in floats without a picture in between: a band of target rows keeps only the source rows under its filter, already
/// shrunk to the target's width, in a ring. Bands run side by side.
/// </summary>
internal sealed class ResizePass<TPixel>
    where TPixel : unmanaged, IPixel<TPixel>
{
    private const int SmallestBandRows = 16;

    private readonly ImageFrame<TPixel> from;
    private readonly ImageFrame<TPixel> to;
    private readonly Rectangle source;
    private readonly Rectangle target;
    private readonly Rectangle visible;
    private readonly ResizeKernels horizontal;
    private readonly ResizeKernels vertical;
    private readonly bool premultiply;
    private readonly bool compand;

    public ResizePass(
        ImageFrame<TPixel> from, ImageFrame<TPixel> to, Rectangle source, Rectangle target, ResizeKernels horizontal, ResizeKernels vertical, ResizeOptions options)
    {
        (this.from, this.to, this.source, this.target) = (from, to, source, target);
        (this.horizontal, this.vertical) = (horizontal, vertical);
        visible = Rectangle.Intersect(target, to.Bounds());
        premultiply = options.PremultiplyAlpha && PixelRows.HasAlpha<TPixel>();
        compand = options.Compand;
    }

    public void Run()
    {
        if (visible.Width == 0 || visible.Height == 0)
            return;
        var bands = Math.Clamp(visible.Height / SmallestBandRows, 1, Environment.ProcessorCount * 2);
        Parallel.For(0, bands, from.Configuration.Parallel, band =>
            RunBand(visible.Top + (int)((long)visible.Height * band / bands), visible.Top + (int)((long)visible.Height * (band + 1) / bands)));
    }

    private void RunBand(int top, int bottom)
    {
        var width = visible.Width;
        var ringRows = vertical.MaxLength;
        var ring = new Vector4[checked(ringRows * width)];
        var line = new Vector4[source.Width];
        var sum = new Vector4[width];
        var ready = vertical.Start(top - target.Y); // source rows before this one are in the ring (or no longer needed)
        for (var y = top; y < bottom; y++)
        {
            var row = y - target.Y;
            for (ready = Math.Max(ready, vertical.Start(row)); ready < vertical.End(row); ready++)
                Shrink(ready, line, ring.AsSpan(ready % ringRows * width, width));
            Array.Clear(sum);
            var weights = vertical.Weights(row);
            for (var i = 0; i < weights.Length; i++)
                AddScaled(sum, ring.AsSpan((vertical.Start(row) + i) % ringRows * width, width), weights[i]);
            PixelRows.FromVectors(sum, to.Pixels.Row(y).Slice(visible.Left, width), premultiply, compand);
        }
    }

    /// <summary>One source row, filtered to the visible columns.</summary>
    private void Shrink(int row, Vector4[] line, Span<Vector4> result)
    {
        PixelRows.ToVectors<TPixel>(from.Pixels.Row(source.Y + row).Slice(source.X, source.Width), line, premultiply, compand);
        for (var x = 0; x < result.Length; x++)
        {
            var column = visible.Left + x - target.X;
            var weights = horizontal.Weights(column);
            ref var pixel = ref line[horizontal.Start(column)];
            var sum = Vector4.Zero;
            for (var i = 0; i < weights.Length; i++)
                sum += Unsafe.Add(ref pixel, i) * weights[i];
            result[x] = sum;
        }
    }

    private static void AddScaled(Span<Vector4> sum, ReadOnlySpan<Vector4> row, float weight)
    {
        var sums = MemoryMarshal.Cast<Vector4, Vector<float>>(sum);
        var rows = MemoryMarshal.Cast<Vector4, Vector<float>>(row);
        for (var i = 0; i < sums.Length; i++)
            sums[i] += rows[i] * weight;
        for (var i = sums.Length * Vector<float>.Count / 4; i < sum.Length; i++)
            sum[i] += row[i] * weight;
    }
}
