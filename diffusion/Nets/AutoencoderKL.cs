// diffusers src/diffusers/models/autoencoders/autoencoder_kl.py @58eb52c
// B batch, H W latent height and width (pixels = 8x).
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Nets;

/// <summary>What the encoder knows of a picture's latent: a normal distribution for each number.</summary>
/// <param name="Mean">[B,4,H,W], not scaled.</param>
/// <param name="LogVariance">[B,4,H,W], within -30..20.</param>
public sealed record LatentPosterior(Tensor Mean, Tensor LogVariance)
{
    /// <summary>exp(log variance / 2), [B,4,H,W].</summary>
    public Tensor Deviation() => (LogVariance * Num(0.5)).exp();

    /// <summary>mean + deviation x noise.</summary>
    public Tensor Sample(Tensor noise) => Mean.Plus(Deviation() * noise);
}

/// <summary>SDXL's variational autoencoder: pictures in -1..1 to latents an eighth the size, and back.</summary>
public sealed class AutoencoderKL : nn.Module
{
    internal const double NormEpsilon = 1e-6; // fixed in diffusers

    private readonly VaeEncoder encoder;
    private readonly VaeDecoder decoder;
    private readonly Conv2d? quant_conv;
    private readonly Conv2d? post_quant_conv;
    private readonly VaeConfig config;
    private readonly Placement at;

    public AutoencoderKL(VaeConfig config, Placement at) : base(nameof(AutoencoderKL))
    {
        (this.config, this.at) = (config, at);
        encoder = new VaeEncoder(at, config);
        decoder = new VaeDecoder(at, config);
        quant_conv = config.UseQuantConv ? new Conv2d(at, config.LatentChannels * 2, config.LatentChannels * 2, 1) : null;
        post_quant_conv = config.UsePostQuantConv ? new Conv2d(at, config.LatentChannels, config.LatentChannels, 1) : null;
        RegisterComponents();
    }

    /// <summary>The configuration the net was built from.</summary>
    public VaeConfig Config => config;

    /// <summary>Device and type of the weights: what inputs should have.</summary>
    public Placement Placement => at;

    /// <summary>picture [B,3,8H,8W] in -1..1 -> the posterior of its latents (unscaled).</summary>
    public LatentPosterior Encode(Tensor picture)
    {
        using var scope = NewDisposeScope();
        var moments = encoder.call(picture.to(at.Dtype, at.Device));
        var halves = (quant_conv is null ? moments : quant_conv.call(moments)).chunk(2, 1);
        return new LatentPosterior(halves[0].MoveToOuterDisposeScope(), halves[1].clamp(Num(-30), Num(20)).MoveToOuterDisposeScope());
    }

    /// <summary>latent [B,4,H,W] (divided by the scaling factor already) -> picture [B,3,8H,8W], about -1..1.</summary>
    public Tensor Decode(Tensor latent)
    {
        using var scope = NewDisposeScope();
        var z = latent.to(at.Dtype, at.Device);
        return decoder.call(post_quant_conv is null ? z : post_quant_conv.call(z)).MoveToOuterDisposeScope();
    }

    /// <summary>The latents the U-Net works on: (raw - mean) / std x factor; mean 0 and std 1 for SDXL.</summary>
    public Tensor Scale(Tensor raw) => Normalise(raw) * Num(config.ScalingFactor);

    /// <summary>Back from the U-Net's latents to the decoder's.</summary>
    public Tensor Unscale(Tensor scaled)
    {
        var raw = scaled / Num(config.ScalingFactor);
        return config is { LatentsMean: { } mean, LatentsStd: { } std } ? (raw * PerChannel(std, raw)).Plus(PerChannel(mean, raw)) : raw;
    }

    private Tensor Normalise(Tensor raw) =>
        config is { LatentsMean: { } mean, LatentsStd: { } std } ? (raw - PerChannel(mean, raw)) / PerChannel(std, raw) : raw;

    private static Tensor PerChannel(double[] values, Tensor like) => tensor(values).view(1, -1, 1, 1).to(like.dtype, like.device);
}
