using Sdxl.Diffusion.Schedulers;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Schedulers;

public sealed class SamplerGoldenTests
{
    public static TheoryData<string> Files =>
        new(Directory.GetFiles(TestPaths.Golden("schedulers"), "*.json").Select(f => Path.GetFileNameWithoutExtension(f)));

    [Theory]
    [MemberData(nameof(Files))]
    public void A_sampler_walks_the_golden_trajectory_from_noise_and_from_a_picture(string name)
    {
        using var scope = NewDisposeScope();
        using var given = Golden.Open("schedulers", name);
        Sampler New() =>
            SamplerName.Create(given.Text("scheduler"), SchedulerConfig.Parse(given.Facts.GetProperty("config"), name), given.Int("steps"));

        using var sampler = New();
        Assert.Equal(given["timesteps"].data<double>().ToArray(), sampler.Timesteps);
        if (given.Has("sigmas"))
            Golden.Close(given["sigmas"], tensor(sampler.Sigmas), Golden.Pass, "sigmas");
        Assert.Equal(given.Double("init_noise_sigma"), sampler.InitialNoiseSigma, 1e-4);

        var sample = given["noise"] * Num(sampler.InitialNoiseSigma);
        for (var i = 0; i < sampler.Timesteps.Length; i++)
        {
            sample = sampler.Step(
                Model(sampler.ScaleInput(sample, i), sampler.Timesteps[i]),
                sample,
                i,
                given.Has("step_noise") ? given["step_noise"][i] : null
            );
            Golden.Close(given["trajectory"][i], sample, Golden.Trajectory, $"after call {i}");
        }

        using var again = New();
        var first = given.Int("img2img_first_step");
        sample = again.AddNoise(given["image"], given["image_noise"], first);
        Golden.Close(given["img2img_start"], sample, Golden.Pass, "img2img_start");
        for (var i = first; i < again.Timesteps.Length; i++)
            sample = again.Step(
                Model(again.ScaleInput(sample, i), again.Timesteps[i]),
                sample,
                i,
                given.Has("img2img_step_noise") ? given["img2img_step_noise"][i - first] : null
            );
        Golden.Close(given["img2img_end"], sample, Golden.Trajectory, "img2img_end");
    }

    public static TheoryData<string> NoiseSchedules => new(Golden.With("alphas_cumprod", "snr", "noisy", "velocity"));

    [Theory]
    [MemberData(nameof(NoiseSchedules))]
    public void The_noise_schedule_agrees_with_the_golden_DDPM(string golden)
    {
        using var scope = NewDisposeScope();
        using var given = Golden.Open(golden);
        var config = SchedulerConfig.Parse(given.Facts, golden);
        var schedule = config.Noise();
        Golden.Close(given["alphas_cumprod"], tensor(schedule.AlphasCumprod.ToArray()), Golden.Pass, "alphas_cumprod");
        var zero = (config with { ZeroTerminalSnr = true }).Noise();
        Golden.Close(
            given["alphas_cumprod_zero_terminal_snr"],
            tensor(zero.AlphasCumprod.ToArray()),
            Golden.Pass,
            "alphas_cumprod_zero_terminal_snr"
        );
        Assert.Equal(0f, zero.AlphasCumprod[^1]); // exactly
        Golden.Close(
            given["snr"],
            tensor(Enumerable.Range(0, config.TrainTimesteps).Select(t => (float)schedule.Snr(t)).ToArray()),
            Golden.Pass,
            "snr"
        );
        var timesteps = given["timesteps"].data<long>().ToArray();
        Golden.Close(given["noisy"], schedule.AddNoise(given["sample"], given["noise"], timesteps), Golden.Pass, "noisy");
        Golden.Close(given["velocity"], schedule.Velocity(given["sample"], given["noise"], timesteps), Golden.Pass, "velocity");
    }

    /// <summary>The goldens' stand-in for a net: 0.8 tanh(x) cos(t / 400) + 0.1 sin(t / 97).</summary>
    private static Tensor Model(Tensor x, double t) => x.tanh() * Num(0.8 * Math.Cos(t / 400)) + Num(0.1 * Math.Sin(t / 97));
}
