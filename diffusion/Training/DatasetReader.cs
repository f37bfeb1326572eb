using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Sdxl.Core.Datasets;
using Sdxl.Core.Json;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Nets;
using Sdxl.Pictures;
using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Training;

/// <summary>Turns a prepared data set's folder into <see cref="TrainingData"/>.</summary>
public sealed class DatasetReader
{
    private static readonly PictureLoader s_loader = new(new PictureLimits());

    private readonly string folder;
    private readonly int downscale;

    /// <param name="downscale">Picture pixels that a latent pixel stands for, each way: the VAE's.</param>
    /// <exception cref="TrainingException">No manifest, or no pictures in it.</exception>
    public DatasetReader(string folder, int downscale = 8)
    {
        (this.folder, this.downscale) = (folder, downscale);
        var file = Path.Combine(folder, "manifest.json");
        if (!File.Exists(file))
            throw new TrainingException($"Data set folder '{folder}' has no manifest.json. Prepare the pictures first.");
        Manifest = SdxlJson.Deserialize<DatasetManifest>(File.ReadAllText(file));
        if (Manifest.Pictures.Count == 0)
            throw new TrainingException($"Data set '{file}' names no pictures: there is nothing to train on.");
        if (Manifest.Resolution % downscale != 0)
            throw new TrainingException(
                $"Data set '{file}' has resolution {Manifest.Resolution}, which is not a multiple of {downscale}: the base model's VAE "
                    + "makes one latent pixel of so many."
            );
    }

    public DatasetManifest Manifest { get; }

    /// <summary>Latent side.</summary>
    private int Side => Manifest.Resolution / downscale;

    /// <summary>[n, 6] fp32: original height and width, crop top and left, target height and width.</summary>
    public Tensor TimeIds() =>
        tensor(
            Manifest
                .Pictures.SelectMany(p =>
                    new float[] { p.OriginalHeight, p.OriginalWidth, p.CropTop, p.CropLeft, Manifest.Resolution, Manifest.Resolution }
                )
                .ToArray(),
            [Manifest.Pictures.Count, 6]
        );

    /// <summary>
    /// [n, 1, h, w] fp32, 0..1: masks shrunk by area. A mask that is black everywhere counts as white, and the log says so.
    /// </summary>
    public Tensor Masks(Action<string> log)
    {
        using var scope = NewDisposeScope();
        var masks = new List<Tensor>();
        foreach (var picture in Manifest.Pictures)
        {
            var mask = (tensor(Load(picture.MaskFile).Luma().Data).to_type(ScalarType.Float32) / Num(255))
                .view(1, 1, Side, downscale, Side, downscale).mean([3, 5]); // area: no aliasing
            if (mask.max().AsSingle() == 0)
            {
                log($"The mask of '{picture.Name}' is black everywhere; the whole picture counts.");
                mask = ones_like(mask);
            }
            masks.Add(mask);
        }
        return cat(masks, 0).MoveToOuterDisposeScope();
    }

    /// <summary>Means and deviations of the VAE's posterior, unscaled, each [n, C, h, w] fp32: from the cache where it has them.</summary>
    /// <param name="vaeHash">Of the VAE's weights: another VAE has other latents.</param>
    public (Tensor Mean, Tensor Deviation) Latents(string cacheFolder, string vaeHash, AutoencoderKL vae, Action<string> log)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var (means, deviations) = (new List<Tensor>(), new List<Tensor>());
        var cached = 0;
        foreach (var picture in Manifest.Pictures)
        {
            var file = Path.Combine(cacheFolder, $"latent-{Key(picture, vaeHash)}.safetensors");
            if (TryRead(file, log) is { } known)
            {
                cached++;
                means.Add(known.Mean);
                deviations.Add(known.Deviation);
                continue;
            }
            using var inner = NewDisposeScope();
            var posterior = vae.Encode(Pixels(picture));
            var mean = posterior.Mean.to(ScalarType.Float32, CPU).contiguous();
            var deviation = posterior.Deviation().to(ScalarType.Float32, CPU).contiguous();
            SafetensorsWriter.Write(file, new Dictionary<string, Tensor> { ["mean"] = mean, ["deviation"] = deviation });
            means.Add(mean.MoveToOuterDisposeScope());
            deviations.Add(deviation.MoveToOuterDisposeScope());
        }
        log($"Latents: {Manifest.Pictures.Count - cached} encoded, {cached} from the cache.");
        return (cat(means, 0).MoveToOuterDisposeScope(), cat(deviations, 0).MoveToOuterDisposeScope());
    }

    private (Tensor Mean, Tensor Deviation)? TryRead(string file, Action<string> log)
    {
        if (!File.Exists(file))
            return null;
        try
        {
            using var saved = SafetensorsFile.Open(file);
            var (mean, deviation) = (saved.Read("mean"), saved.Read("deviation"));
            return mean.shape is [1, _, var h, var w] && h == Side && w == Side ? (mean, deviation) : null;
        }
        catch (SafetensorsException e)
        {
            log($"A cached latent is damaged and is made again: {e.Message}");
            return null;
        }
    }

    /// <summary>[1, 3, H, W], -1..1.</summary>
    private Tensor Pixels(DatasetPicture picture)
    {
        var pixels = Load(picture.File);
        var levels = tensor(pixels.Data).view(1, pixels.Height, pixels.Width, 3).permute(0, 3, 1, 2).to_type(ScalarType.Float32);
        return (levels / Num(127.5) - Num(1)).contiguous();
    }

    private PixelGrid Load(string relative)
    {
        var file = Path.Combine(folder, relative);
        PixelGrid image;
        try
        {
            image = s_loader.Load(File.ReadAllBytes(file), file).Pixels;
        }
        catch (Exception e) when (e is IOException or PictureRefusedException)
        {
            throw new TrainingException(
                $"Data set picture '{file}' cannot be read: {(e is PictureRefusedException refused ? refused.Reason : e.Message)}",
                e
            );
        }
        if (image.Width != Manifest.Resolution || image.Height != Manifest.Resolution)
        {
            throw new TrainingException(
                $"Data set picture '{file}' is {image.Width} x {image.Height}; the manifest says {Manifest.Resolution} x "
                    + $"{Manifest.Resolution}. Prepare the data set again."
            );
        }
        return image;
    }

    private static string Key(DatasetPicture picture, string vaeHash)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{picture.Sha256}\n{picture.CropLeft},{picture.CropTop}\n{vaeHash}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..32];
    }
}
