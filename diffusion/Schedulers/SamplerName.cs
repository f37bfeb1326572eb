namespace Sdxl.Diffusion.Schedulers;

/// <summary>The samplers, by the names of the HTTP API.</summary>
public static class SamplerName
{
    public const string Default = "K_EULER";

    public static IReadOnlyList<string> All { get; } =
    ["DDIM", "DPMSolverMultistep", "HeunDiscrete", "KarrasDPM", "K_EULER", "K_EULER_ANCESTRAL", "PNDM"];

    /// <summary>A fresh sampler from the model's own schedule: nothing of an earlier request's sampler can stay.</summary>
    /// <param name="steps">1..number of training timesteps.</param>
    /// <exception cref="ArgumentException">Unknown name.</exception>
    public static Sampler Create(string name, SchedulerConfig config, int steps) => name switch
    {
        "DDIM" => new DdimSampler(config, steps),
        "DPMSolverMultistep" => new DpmSolverSampler(config, steps, karras: false),
        "KarrasDPM" => new DpmSolverSampler(config, steps, karras: true),
        "HeunDiscrete" => new HeunSampler(config, steps),
        "K_EULER" => new EulerSampler(config, steps),
        "K_EULER_ANCESTRAL" => new EulerAncestralSampler(config, steps),
        "PNDM" => new PndmSampler(config, steps),
        _ => throw new ArgumentException($"Sampler '{name}' is unknown. Choose one of {string.Join(", ", All)}.", nameof(name)),
    };
}
