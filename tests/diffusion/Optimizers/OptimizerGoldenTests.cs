using Sdxl.Tests;
using System.Text.Json;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Optimizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Optimizers;

public sealed class OptimizerGoldenTests
{
    public static TheoryData<string> Cases =>
        [.. Directory.GetFiles(TestPaths.Golden("optimizers"), "*.json").Select(f => Path.GetFileNameWithoutExtension(f)!)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Given_gradients_lead_to_the_reference_parameters_after_every_step(string name)
    {
        using var scope = NewDisposeScope();
        var json = JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(TestPaths.Golden("optimizers", name + ".json")));
        using var file = SafetensorsFile.Open(TestPaths.Golden("optimizers", name + ".safetensors"));
        var names = json.GetProperty("parameters").EnumerateObject().Select(p => p.Name).ToList();
        using var parameters = new FlatParameters([.. names.Select(n => KeyValuePair.Create(n, file.Read("start." + n)))], CPU);
        using var optimizer = Make(json, Group(json, parameters));

        for (var step = 0; step < json.GetProperty("steps").GetInt32(); step++)
        {
            foreach (var parameter in names)
                parameters[parameter].grad = file.Read($"grad.{step}.{parameter}");
            optimizer.Step();
            parameters.ClearGradients();
            foreach (var parameter in names)
                Close.To(
                    file.Read($"after.{step}.{parameter}"),
                    parameters[parameter],
                    Close.Pass,
                    $"{name}: {parameter} after step {step}"
                );
            if (optimizer is Prodigy prodigy && json.TryGetProperty("d_after_each_step", out var estimates))
            {
                var d = estimates[step].GetDouble();
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
        var steps = json.GetProperty("steps").GetInt32();

        (FlatParameters, ParameterGroup, Optimizer) New()
        {
            var parameters = new FlatParameters([.. names.Select(n => KeyValuePair.Create(n, file.Read("start." + n)))], CPU);
            var group = Group(json, parameters);
            return (parameters, group, Make(json, group));
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
        secondOptimizer.Restore(
            firstOptimizer.State.ToDictionary(s => s.Key, s => s.Value.shape),
            (key, target) => target.copy_(firstOptimizer.State[key]),
            firstOptimizer.Numbers
        );
        Do(second, secondOptimizer, steps / 2, steps);

        Assert.True(straight.Values.bytes.SequenceEqual(second.Values.bytes), $"{name}: the restored optimizer ends elsewhere");
    }

    private static readonly string[] s_known =
    [
        "lr",
        "betas",
        "eps",
        "weight_decay",
        "scale_parameter",
        "relative_step",
        "warmup_init",
        "d0",
        "d_coef",
        "growth_rate",
        "use_bias_correction",
        "safeguard_warmup",
    ];

    /// <summary>Rate and weight decay: what the golden says, else the reference library's own default.</summary>
    private static ParameterGroup Group(JsonElement json, FlatParameters parameters)
    {
        var settings = json.GetProperty("settings");
        var (rate, decay) = json.GetProperty("optimizer").GetString() switch
        {
            "AdamW" => (1e-3, 1e-2),
            "Lion" => (1e-4, 0.0),
            "Prodigy" => (1.0, 0.0),
            _ => (0.0, 0.0), // Adafactor: none, it has relative steps
        };
        return new ParameterGroup("net", parameters, Number(settings, "weight_decay", decay)) { Rate = Number(settings, "lr", rate) };
    }

    private static Optimizer Make(JsonElement json, ParameterGroup group)
    {
        var (kind, settings) = (json.GetProperty("optimizer").GetString()!, json.GetProperty("settings"));
        var unknown = settings.EnumerateObject().Select(s => s.Name).Except(s_known).ToList();
        if (unknown.Count > 0)
            throw new InvalidDataException($"The golden's settings name {string.Join(", ", unknown)}, which this test does not know.");
        var betas = settings.TryGetProperty("betas", out var b) ? (b[0].GetDouble(), b[1].GetDouble()) : ((double, double)?)null;
        return kind switch
        {
            "AdamW" => new AdamW([group], new AdamWSettings(betas?.Item1 ?? 0.9, betas?.Item2 ?? 0.999, Number(settings, "eps", 1e-8))),
            "Lion" => new Lion([group], new LionSettings(betas?.Item1 ?? 0.9, betas?.Item2 ?? 0.99)),
            "Adafactor" => new Adafactor(
                [group],
                new AdafactorSettings(
                    Flag(settings, "scale_parameter", true),
                    Flag(settings, "relative_step", true),
                    Flag(settings, "warmup_init", false)
                )
            ),
            "Prodigy" => new Prodigy(
                [group],
                new ProdigySettings(
                    betas?.Item1 ?? 0.9,
                    betas?.Item2 ?? 0.999,
                    Number(settings, "eps", 1e-8),
                    Number(settings, "d0", 1e-6),
                    Number(settings, "d_coef", 1),
                    Number(settings, "growth_rate", double.PositiveInfinity),
                    Flag(settings, "use_bias_correction", false),
                    Flag(settings, "safeguard_warmup", false)
                )
            ),
            _ => throw new InvalidDataException($"The goldens name an optimizer '{kind}' that this test does not know."),
        };
    }

    private static double Number(JsonElement settings, string name, double fallback) =>
        settings.TryGetProperty(name, out var value) ? value.GetDouble() : fallback;

    private static bool Flag(JsonElement settings, string name, bool fallback) =>
        settings.TryGetProperty(name, out var value) ? value.GetBoolean() : fallback;
}
