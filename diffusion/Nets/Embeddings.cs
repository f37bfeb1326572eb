// diffusers src/diffusers/models/embeddings.py @58eb52c
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Sdxl.Diffusion.Nets;

/// <summary>Sines and cosines of a number at geometrically spaced frequencies: how timesteps and sizes enter the U-Net.</summary>
public static class Timesteps
{
    private const double MaxPeriod = 10_000;

    /// <summary>t [n] (any type) -> [n, width] in fp32: 1001 and 1000 are the same number in bf16.</summary>
    /// <param name="width">Even; the first half are cosines where <paramref name="flipSinToCos"/>, else sines.</param>
    public static Tensor Embed(Tensor t, int width, bool flipSinToCos, double freqShift)
    {
        var half = width / 2;
        var exponents = Num(half).Range(ScalarType.Float32, t.device) * Num(-Math.Log(MaxPeriod) / (half - freqShift));
        var angles = t.to_type(ScalarType.Float32).unsqueeze(1) * exponents.exp().unsqueeze(0); // [n, half]
        return flipSinToCos ? cat([angles.cos(), angles.sin()], 1) : cat([angles.sin(), angles.cos()], 1);
    }
}

/// <summary>linear_2(silu(linear_1(x))). x [B, in] -> [B, out].</summary>
public sealed class TimestepEmbedding : nn.Module<Tensor, Tensor>
{
    private readonly Linear linear_1, linear_2;

    internal TimestepEmbedding(Placement at, int inputs, int width) : base(nameof(TimestepEmbedding))
    {
        linear_1 = new Linear(at, inputs, width);
        linear_2 = new Linear(at, width, width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => linear_2.call(F.silu(linear_1.call(x)));
}
