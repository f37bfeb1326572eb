using Sdxl.Tests;
using System.Text.Json;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Optimizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Optimizers;

public sealed class OptimizerGoldenTests
{
    public static TheoryData<string> Cases => [.. Directory.GetFiles(TestPaths.Golden("optimizers"), "*.json").Select(f => Path.GetFileNameWithoutExtension(f)!)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Given_gradients_lead_to_the_reference_parameters_after_every_step(string name)
    {
        using var scope = NewDisposeScope();
        var json = JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(TestPaths.Golden("optimizers", name + ".json")));
        using var file = SafetensorsFile.Open(TestPaths.Golden("optimizers", name + ".safetensors"));
        var names = json.GetProperty("parameters").EnumerateObject().Select(p => p.Name).ToList();
        var settings = json.GetProperty("settings");
        using var parameters = new FlatParameters([.. names.Select(n => KeyValuePair.Create(n, file.Read("start." + n)))], CPU);
        var group = new ParameterGroup("net", parameters, Number(settings, "weight_decay", 0)) { Rate = Number(settings, "lr", 1) };
        using var optimizer = Make(json.GetProperty("optimizer").GetString()!, settings, group);

        for (var step = 0; step < json.GetProperty("steps").GetInt32(); step++)
        {
            foreach (var parameter in names)
                parameters[parameter].grad = file.Read($"grad.{step}.{parameter}");
            optimizer.Step();
            parameters.ClearGradients();
            foreach (var parameter in names)
                Close.To(file.Read($"after.{step}.{parameter}"), parameters[parameter], Close.Pass, $"{name}: {parameter} after step {step}");
            if (optimizer is Prodigy prodigy)
            {
                var d = json.GetProperty("d_after_each_step")[step].GetDouble();
                Assert.True(Math.Abs(prodigy.D - d) <= 1e-4 * d, $"{name}: d after step {step} is {prodigy.D}, expected {d}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void An_optimizer_restored_in_the_middle_goes_on_to_the_same_bits(string name)
    {
        using var scope = NewDisposeScope();
        var json = JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(TestPaths.Golden("optimizers", name + ".json")));
        using var file = SafetensorsFile.Open(TestPaths.Golden("optimizers", name + ".safetensors"));
        var names = json.GetProperty("parameters").EnumerateObject().Select(p => p.Name).ToList();
        var (steps, settings) = (json.GetProperty("steps").GetInt32(), json.GetProperty("settings"));

        (FlatParameters, ParameterGroup, Optimizer) New()
        {
            var parameters = new FlatParameters([.. names.Select(n => KeyValuePair.Create(n, file.Read("start." + n)))], CPU);
            var group = new ParameterGroup("net", parameters, Number(settings, "weight_decay", 0)) { Rate = Number(settings, "lr", 1) };
            return (parameters, group, Make(json.GetProperty("optimizer").GetString()!, settings, group));
        }

        void Do(FlatParameters parameters, Optimizer optimizer, int from, int to)
        {
            for (var step = from; step < to; step++)
            {
                foreach (var parameter in names)
                    parameters[parameter].grad = file.Read($"grad.{step}.{parameter}");
                optimizer.Step();
                parameters.ClearGradients();
            }
        }

        var (straight, _, straightOptimizer) = New();
        Do(straight, straightOptimizer, 0, steps);

        var (first, _, firstOptimizer) = New();
        Do(first, firstOptimizer, 0, steps / 2);
        var (second, _, secondOptimizer) = New();
        using (no_grad())
            second.Values.copy_(first.Values);
        secondOptimizer.Restore(firstOptimizer.State, firstOptimizer.Numbers);
        Do(second, secondOptimizer, steps / 2, steps);

        Assert.True(straight.Values.bytes.SequenceEqual(second.Values.bytes), $"{name}: the restored optimizer ends elsewhere");
    }

    private static Optimizer Make(string kind, JsonElement settings, ParameterGroup group)
    {
        var betas = settings.TryGetProperty("betas", out var b) ? (b[0].GetDouble(), b[1].GetDouble()) : ((double, double)?)null;
        return kind switch
        {
            "AdamW" => new AdamW([group], new AdamWSettings(betas?.Item1 ?? 0.9, betas?.Item2 ?? 0.999, Number(settings, "eps", 1e-8))),
            "Lion" => new Lion([group], new LionSettings(betas?.Item1 ?? 0.9, betas?.Item2 ?? 0.99)),
            "Adafactor" => new Adafactor([group], new AdafactorSettings(Flag(settings, "scale_parameter"), Flag(settings, "relative_step"), Flag(settings, "warmup_init"))),
            "Prodigy" => new Prodigy([group], new ProdigySettings(
                betas?.Item1 ?? 0.9, betas?.Item2 ?? 0.999, Number(settings, "eps", 1e-8), Number(settings, "d0", 1e-6), Number(settings, "d_coef", 1),
                Number(settings, "growth_rate", double.PositiveInfinity), Flag(settings, "use_bias_correction"), Flag(settings, "safeguard_warmup"))),
            _ => throw new InvalidDataException($"The goldens name an optimizer '{kind}' that this test does not know."),
        };
    }

    private static double Number(JsonElement settings, string name, double fallback) => settings.TryGetProperty(name, out var value) ? value.GetDouble() : fallback;

    private static bool Flag(JsonElement settings, string name) => settings.TryGetProperty(name, out var value) && value.GetBoolean();
}
