using System.Text.Json;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Schedulers;

/// <summary>The forward process: at timestep t a latent is sqrt(a_t) x + sqrt(1 - a_t) noise, with a_t the cumulated alphas.</summary>
/// <remarks>
/// Numbers are rounded where diffusers' DDPMScheduler rounds (betas in fp32, the product in double, its result in fp32). For SDXL:
/// scaled_linear, 0.00085 to 0.012, 1000 steps. Zero terminal SNR: arXiv:2305.08891, algorithm 1.
/// </remarks>
public sealed class NoiseSchedule
{
    private readonly float[] alphasCumprod;

    private NoiseSchedule(float[] betas, bool velocityPrediction)
    {
        VelocityPrediction = velocityPrediction;
        alphasCumprod = CumulatedProduct(betas);
    }

    /// <summary>a_t for t = 0, 1, …; falls from nearly 1 to nearly 0 (exactly 0 with zero terminal SNR).</summary>
    public IReadOnlyList<float> AlphasCumprod => alphasCumprod;

    /// <summary>Length of the schedule: 1000 for SDXL.</summary>
    public int Timesteps => alphasCumprod.Length;

    /// <summary>The model predicts v = sqrt(a) noise - sqrt(1 - a) x instead of the noise.</summary>
    public bool VelocityPrediction { get; }

    /// <summary>Signal-to-noise ratio a / (1 - a).</summary>
    public double Snr(int t) => alphasCumprod[t] / (1 - (double)alphasCumprod[t]);

    /// <summary>sample and noise [B,...], one timestep a sample -> sqrt(a) sample + sqrt(1 - a) noise.</summary>
    public Tensor AddNoise(Tensor sample, Tensor noise, ReadOnlySpan<long> timesteps) =>
        (sample * Factors(timesteps, a => Math.Sqrt(a), sample)).Plus(noise * Factors(timesteps, a => Math.Sqrt(1 - a), sample));

    /// <summary>What a velocity-predicting net should answer: sqrt(a) noise - sqrt(1 - a) sample.</summary>
    public Tensor Velocity(Tensor sample, Tensor noise, ReadOnlySpan<long> timesteps) =>
        noise * Factors(timesteps, a => Math.Sqrt(a), sample) - sample * Factors(timesteps, a => Math.Sqrt(1 - a), sample);

    /// <param name="kind">scaled_linear (square roots evenly spaced) or linear.</param>
    /// <exception cref="NotSupportedException">Another kind.</exception>
    public static NoiseSchedule Create(
        int timesteps = 1000,
        double betaStart = 0.00085,
        double betaEnd = 0.012,
        string kind = "scaled_linear",
        bool zeroTerminalSnr = false,
        bool velocityPrediction = false
    )
    {
        var betas = kind switch
        {
            "scaled_linear" => Array.ConvertAll(Evenly(Math.Sqrt(betaStart), Math.Sqrt(betaEnd), timesteps), root => root * root),
            "linear" => Evenly(betaStart, betaEnd, timesteps),
            _ => throw new NotSupportedException(
                $"Beta schedule '{kind}' is not supported; SDXL models have 'scaled_linear', some 'linear'."
            ),
        };
        return new NoiseSchedule(zeroTerminalSnr ? ToZeroTerminalSnr(betas) : betas, velocityPrediction);
    }

    /// <summary>Reads a model's scheduler/scheduler_config.json.</summary>
    /// <param name="zeroTerminalSnr">Rescale even where the file does not ask for it.</param>
    public static NoiseSchedule Load(string configFile, bool zeroTerminalSnr = false)
    {
        var json = JsonSerializer.Deserialize<JsonElement>(File.ReadAllBytes(configFile));
        double Number(string name, double fallback) =>
            json.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.Number ? v.GetDouble() : fallback;
        string Text(string name, string fallback) =>
            json.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.String ? v.GetString()! : fallback;
        var prediction = Text("prediction_type", "epsilon");
        if (prediction is not ("epsilon" or "v_prediction"))
            throw new NotSupportedException(
                $"Config '{configFile}': prediction_type '{prediction}' is not supported; expected 'epsilon' or 'v_prediction'."
            );
        return Create(
            (int)Number("num_train_timesteps", 1000),
            Number("beta_start", 0.00085),
            Number("beta_end", 0.012),
            Text("beta_schedule", "scaled_linear"),
            zeroTerminalSnr || json.TryGetProperty("rescale_betas_zero_snr", out var z) && z.ValueKind == JsonValueKind.True,
            prediction == "v_prediction"
        );
    }

    private Tensor Factors(ReadOnlySpan<long> timesteps, Func<double, double> of, Tensor like)
    {
        var values = new float[timesteps.Length];
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)of(alphasCumprod[timesteps[i]]);
        return tensor(values).to(like.dtype, like.device).view([values.Length, .. Enumerable.Repeat(1L, (int)like.dim() - 1)]);
    }

    /// <summary>torch.linspace in fp32: counted from the start in the first half, from the end in the second.</summary>
    private static float[] Evenly(double start, double end, int count)
    {
        var (first, last) = ((float)start, (float)end);
        var step = (last - first) / (count - 1);
        return [.. Enumerable.Range(0, count).Select(i => i < count / 2 ? first + step * i : last - step * (count - 1 - i))];
    }

    private static float[] CumulatedProduct(float[] betas)
    {
        var product = 1.0;
        return Array.ConvertAll(betas, beta => (float)(product *= 1f - beta));
    }

    private static float[] ToZeroTerminalSnr(float[] betas)
    {
        var roots = Array.ConvertAll(CumulatedProduct(betas), a => MathF.Sqrt(a));
        var (first, last) = (roots[0], roots[^1]);
        var alphas = Array.ConvertAll(roots, r => (r - last) * (first / (first - last)));
        alphas = Array.ConvertAll(alphas, r => r * r);
        return [1 - alphas[0], .. Enumerable.Range(1, betas.Length - 1).Select(i => 1 - alphas[i] / alphas[i - 1])];
    }
}
