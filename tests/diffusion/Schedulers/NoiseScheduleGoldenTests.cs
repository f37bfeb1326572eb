using Sdxl.Tests;
using System.Text.Json;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Schedulers;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Schedulers;

public sealed class NoiseScheduleGoldenTests
{
    [Fact]
    public void Alphas_and_signal_to_noise_ratios_are_the_references()
    {
        using var scope = NewDisposeScope();
        var json = JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(TestPaths.Golden("scheduler-ddpm.json")));
        using var file = SafetensorsFile.Open(TestPaths.Golden("scheduler-ddpm.safetensors"));
        NoiseSchedule New(bool zeroTerminal) => NoiseSchedule.Create(
            json.GetProperty("num_train_timesteps").GetInt32(), json.GetProperty("beta_start").GetDouble(), json.GetProperty("beta_end").GetDouble(), json.GetProperty("beta_schedule").GetString()!, zeroTerminal);

        var plain = New(false);
        Close.To(file.Read("alphas_cumprod"), tensor(plain.AlphasCumprod.ToArray()), Close.Pass, "alphas_cumprod");
        Close.To(file.Read("snr"), tensor(Enumerable.Range(0, plain.Timesteps).Select(t => (float)plain.Snr(t)).ToArray()), Close.Pass, "snr");
        var zero = New(true);
        Close.To(file.Read("alphas_cumprod_zero_terminal_snr"), tensor(zero.AlphasCumprod.ToArray()), Close.Pass, "alphas_cumprod_zero_terminal_snr");
        Assert.Equal(0f, zero.AlphasCumprod[^1]);
    }
}
