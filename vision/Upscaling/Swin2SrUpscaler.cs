using Sdxl.Vision.Models;
using Sdxl.Pictures;

namespace Sdxl.Vision.Upscaling;

/// <summary>Enlarges pictures to exactly four times their side with Swin2SR; large ones in overlapping tiles. Thread-safe.</summary>
/// <remarks>
/// The source is padded by mirroring, edge pixel included, to the next multiple of 8 (a full 8 where it is one already), and the result
/// cut. Tiles start at multiples of 8, so the model's windows fall as they would untiled. A tile's outer pixels lack their surroundings: in
/// an overlap the weight runs from 0 at the tile's edge to 1. Memory of a run is one tile's plus one band of tiles. Source: transformers
/// models/swin2sr/image_processing_swin2sr.py.
/// </remarks>
public sealed class Swin2SrUpscaler
{
    public const int Factor = 4;

    private const int Multiple = 8;
    private const int Overlap = 32;         // source pixels shared by neighbouring tiles
    private const int Discarded = 8;        // of them, at a tile's inner edges, given no weight at all

    private readonly OnnxModel _model;
    private readonly int _tile;

    internal Swin2SrUpscaler(OnnxModel model, int tile)
    {
        if (tile % Multiple != 0 || tile < 2 * Overlap)
            throw new ArgumentOutOfRangeException(nameof(tile), tile, $"Expected a multiple of {Multiple}, at least {2 * Overlap}.");
        (_model, _tile) = (model, tile);
    }

    /// <summary>The picture with four times its width and height.</summary>
    public PixelGrid Upscale(PixelGrid picture, CancellationToken cancel = default)
    {
        var padded = Pad(picture);
        if (padded.Width <= _tile && padded.Height <= _tile)
            return Run(
                Tensor(padded),
                padded.Width,
                padded.Height,
                (planes, _) => Bytes(planes, padded.Width * Factor, picture.Width * Factor, picture.Height * Factor),
                cancel
            );
        return Tiled(padded, picture.Width * Factor, picture.Height * Factor, cancel);
    }

    /// <summary>Upscales until the shorter side reaches minimumSide; a picture that has it comes back as it is.</summary>
    /// <returns>The picture and how often it was upscaled.</returns>
    public (PixelGrid Picture, int Times) UpscaleTo(PixelGrid picture, int minimumSide, CancellationToken cancel = default)
    {
        var times = 0;
        for (; Math.Min(picture.Width, picture.Height) < minimumSide; times++)
            picture = Upscale(picture, cancel);
        return (picture, times);
    }

    /// <summary>pixel_values [3, h, w], 0..1, of a padded picture.</summary>
    public static float[] Tensor(PixelGrid padded) => PixelTensor.Normalized(padded, [0, 0, 0], [1, 1, 1]);

    /// <summary>The picture mirrored at its right and lower edge to the next larger multiple of 8.</summary>
    public static PixelGrid Pad(PixelGrid picture)
    {
        var (width, height) = (NextMultiple(picture.Width), NextMultiple(picture.Height));
        var padded = new PixelGrid(width, height, 3);
        for (var y = 0; y < height; y++)
        {
            var row = Mirror(y, picture.Height) * picture.Width;
            for (var x = 0; x < width; x++)
            {
                var from = (row + Mirror(x, picture.Width)) * 3;
                picture.Data.AsSpan(from, 3).CopyTo(padded.Data.AsSpan((y * width + x) * 3));
            }
        }
        return padded;
    }

    /// <summary>reconstruction [3, 4h, 4w] of pixel_values [3, h, w].</summary>
    public float[] Run(float[] pixels, int width, int height, CancellationToken cancel = default) =>
        Run(pixels, width, height, static (values, _) => values.ToArray(), cancel);

    /// <summary>What <paramref name="read"/> takes of the reconstruction [3, 4h, 4w], which is not copied.</summary>
    public T Run<T>(float[] pixels, int width, int height, ReadOutput<T> read, CancellationToken cancel = default) =>
        _model.Run([new ModelInput("pixel_values", pixels, 1, 3, height, width)], "reconstruction", read, cancel);

    private static int NextMultiple(int length) => (length / Multiple + 1) * Multiple;

    /// <summary>Index into 0..length-1 of a row mirrored over and over with its edge doubled: 0 1 2 2 1 0 0 1 …</summary>
    private static int Mirror(int at, int length)
    {
        var phase = at % (2 * length);
        return phase < length ? phase : 2 * length - 1 - phase;
    }

    private PixelGrid Tiled(PixelGrid padded, int width, int height, CancellationToken cancel)
    {
        var (columns, rows) = (Starts(padded.Width), Starts(padded.Height));
        var (tileWidth, tileHeight) = (Math.Min(_tile, padded.Width), Math.Min(_tile, padded.Height));
        var (stride, bandHeight) = (padded.Width * Factor, tileHeight * Factor);
        var plane = stride * bandHeight;
        var (band, weights) = (new float[3 * plane], new float[plane]);
        var result = new PixelGrid(width, height, 3);
        for (var row = 0; row < rows.Count; row++)
        {
            foreach (var column in columns)
            {
                var (across, down) = (Ramp(column, tileWidth, padded.Width), Ramp(rows[row], tileHeight, padded.Height));
                Run(Tensor(padded.Crop(column, rows[row], tileWidth, tileHeight)), tileWidth, tileHeight, (tile, _) =>
                {
                    Add(tile, tileWidth, tileHeight, column, across, down, band, weights, stride);
                    return true;
                }, cancel);
            }
            // Rows above the next band's start are complete: write them, keep the rest for the next band's tiles to add to.
            var done = (row + 1 < rows.Count ? rows[row + 1] - rows[row] : tileHeight) * Factor;
            Write(band, weights, stride, plane, rows[row] * Factor, done, result);
            var left = (bandHeight - done) * stride;
            for (var channel = 0; channel < 3; channel++)
                Shift(band.AsSpan(channel * plane, plane), done * stride, left);
            Shift(weights, done * stride, left);
        }
        return result;

        static void Shift(Span<float> values, int by, int count)
        {
            values.Slice(by, count).CopyTo(values);
            values[count..].Clear();
        }
    }

    /// <summary>
    /// Tile positions along one axis: multiples of 8, neighbours overlapping by at least <see cref="Overlap"/>, the last ending at the end.
    /// </summary>
    private List<int> Starts(int length)
    {
        var starts = new List<int> { 0 };
        while (starts[^1] + _tile < length)
            starts.Add(Math.Min(starts[^1] + _tile - Overlap, length - _tile));
        return starts;
    }

    /// <summary>
    /// Weight of each of the tile's output pixels along one axis: full at the picture's own edges, rising from 0 at inner ones.
    /// </summary>
    private static float[] Ramp(int start, int tile, int whole)
    {
        var ramp = new float[tile * Factor];
        const float Rise = (Overlap - 2 * Discarded) * Factor;
        for (var i = 0; i < ramp.Length; i++)
        {
            var fromStart = start == 0 ? float.MaxValue : (i + 0.5f - Discarded * Factor) / Rise;
            var fromEnd = start + tile == whole ? float.MaxValue : (ramp.Length - i - 0.5f - Discarded * Factor) / Rise;
            ramp[i] = Math.Clamp(Math.Min(fromStart, fromEnd), 0, 1);
        }
        return ramp;
    }

    private static void Add(
        ReadOnlySpan<float> tile,
        int tileWidth,
        int tileHeight,
        int column,
        float[] across,
        float[] down,
        float[] band,
        float[] weights,
        int stride
    )
    {
        var (width, height) = (tileWidth * Factor, tileHeight * Factor);
        var plane = weights.Length;
        for (var y = 0; y < height; y++)
        {
            var at = y * stride + column * Factor;
            for (var x = 0; x < width; x++)
            {
                var weight = across[x] * down[y];
                if (weight == 0)
                    continue;
                weights[at + x] += weight;
                for (var channel = 0; channel < 3; channel++)
                    band[channel * plane + at + x] += weight * tile[(channel * height + y) * width + x];
            }
        }
    }

    private static void Write(float[] band, float[] weights, int stride, int plane, int top, int rows, PixelGrid result)
    {
        for (var y = 0; y < Math.Min(rows, result.Height - top); y++)
        {
            for (var x = 0; x < result.Width; x++)
            {
                for (var channel = 0; channel < 3; channel++)
                    result.Data[((top + y) * result.Width + x) * 3 + channel] = ToByte(
                        band[channel * plane + y * stride + x] / weights[y * stride + x]
                    );
            }
        }
    }

    private static PixelGrid Bytes(ReadOnlySpan<float> planes, int stride, int width, int height)
    {
        var result = new PixelGrid(width, height, 3);
        var plane = planes.Length / 3;
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                for (var channel = 0; channel < 3; channel++)
                    result.Data[(y * width + x) * 3 + channel] = ToByte(planes[channel * plane + y * stride + x]);
            }
        }
        return result;
    }

    private static byte ToByte(float value) => (byte)(Math.Clamp(value, 0, 1) * 255 + 0.5f);
}
