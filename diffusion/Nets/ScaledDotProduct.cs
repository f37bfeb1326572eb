using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Sdxl.Diffusion.Nets;

/// <summary>softmax(q k^T / sqrt(d)) v without ever holding more than a bounded part of the score matrix.</summary>
/// <remarks>GPU kernels work in tiles by themselves. On the CPU the scores of a 1024 x 1024 picture in the VAE would take 1 GiB, of 2048 x 2048 16 GiB; there the queries go in slices.</remarks>
internal static class ScaledDotProduct
{
    /// <summary>Scores held at once on the CPU: 64 Mi, 256 MiB in fp32.</summary>
    private const long MaxScores = 64L << 20;

    /// <summary>q [B,N,T,d], k and v [B,N,S,d] -> [B,N,T,d].</summary>
    public static Tensor Attend(Tensor q, Tensor k, Tensor v) =>
        q.device_type == DeviceType.CPU ? Attend(q, k, v, MaxScores) : F.scaled_dot_product_attention(q, k, v);

    internal static Tensor Attend(Tensor q, Tensor k, Tensor v, long maxScores)
    {
        var (batch, heads, queries, keys) = (q.shape[0], q.shape[1], q.shape[2], k.shape[2]);
        var slice = Math.Max(1, maxScores / (batch * heads * keys));
        if (queries <= slice)
            return F.scaled_dot_product_attention(q, k, v);
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        for (long start = 0; start < queries; start += slice)
            parts.Add(F.scaled_dot_product_attention(q.narrow(2, start, Math.Min(slice, queries - start)), k, v));
        return cat(parts, 2).MoveToOuterDisposeScope();
    }
}
