using Sdxl.Diffusion.Nets;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Pipelines;

/// <summary>
/// Decodes large pictures in overlapping tiles, so that memory and the middle attention's cost (quadratic in pixels) stay those of one
/// tile.
/// </summary>
/// <remarks>
/// Tiles differ slightly where they meet, because the decoder normalises over the whole picture it is given; so they overlap by a quarter
/// and fade into each other linearly. Source of the idea: diffusers AutoencoderKL.tiled_decode @58eb52c.
/// </remarks>
public static class TiledDecoder
{
    /// <summary>Side of a tile in latents: 1024 pixels, or what the VAE was trained at where that is more.</summary>
    public static int TileSide(VaeConfig config) => Math.Max(128, config.SampleSize / config.Downscale);

    /// <summary>latent [1,4,H,W], unscaled -> [1,3,8H,8W]. One pass where no side exceeds <paramref name="tile"/>.</summary>
    public static Tensor Decode(AutoencoderKL vae, Tensor latent, int tile)
    {
        var (height, width) = ((int)latent.shape[2], (int)latent.shape[3]);
        if (height <= tile && width <= tile)
            return vae.Decode(latent);
        using var scope = NewDisposeScope();
        var zoom = vae.Config.Downscale;
        var sum = zeros([1, vae.Config.OutChannels, height * zoom, width * zoom], ScalarType.Float32, latent.device);
        var weights = zeros([1, 1, height * zoom, width * zoom], ScalarType.Float32, latent.device);
        foreach (var (top, rows) in Spans(height, tile))
        {
            foreach (var (left, columns) in Spans(width, tile))
            {
                using var one = NewDisposeScope();
                var picture = vae.Decode(latent.narrow(2, top, rows).narrow(3, left, columns)).to_type(ScalarType.Float32);
                var fade =
                    Ramp(top, rows, height, tile, zoom, latent.device).unsqueeze(1)
                    * Ramp(left, columns, width, tile, zoom, latent.device).unsqueeze(0);
                At(sum, top, rows, left, columns, zoom).Plus_(picture * fade);
                At(weights, top, rows, left, columns, zoom).Plus_(fade);
            }
        }
        return (sum / weights).MoveToOuterDisposeScope();
    }

    /// <summary>Evenly placed tiles that overlap by at least a quarter.</summary>
    internal static IEnumerable<(int Start, int Length)> Spans(int side, int tile)
    {
        if (side <= tile)
            return [(0, side)];
        var count = (int)Math.Ceiling((side - tile) / (tile * 0.75)) + 1;
        return Enumerable.Range(0, count).Select(i => ((int)Math.Round(i * (side - tile) / (count - 1.0)), tile));
    }

    /// <summary>Weights along a tile's side: rising over a quarter from a border that is not the picture's, falling likewise.</summary>
    private static Tensor Ramp(int start, int length, int side, int tile, int zoom, Device device)
    {
        var fade = tile * zoom / 4.0;
        var pixels = length * zoom;
        var weights = Enumerable.Range(0, pixels).Select(p => (float)Math.Min(
            start == 0 ? 1 : Math.Min(1, (p + 0.5) / fade),
            start + length == side ? 1 : Math.Min(1, (pixels - p - 0.5) / fade)));
        return tensor(weights.ToArray()).to(device);
    }

    private static Tensor At(Tensor canvas, int top, int rows, int left, int columns, int zoom) =>
        canvas.narrow(2, top * zoom, rows * zoom).narrow(3, left * zoom, columns * zoom);
}
