using System.Text.Json;
using Sdxl.Diffusion.Files;

namespace Sdxl.Diffusion.Adapters;

/// <summary>
/// Alphas as PEFT keeps them, beside the weights: diffusers writes them into the header ("unet.lora_alpha"), PEFT itself into
/// adapter_config.json ("lora_alpha"; of LoHa and LoKr "alpha"). Patterns name modules by their ends. Without any, alpha = rank.
/// </summary>
internal sealed class PeftConfiguration
{
    private const string HeaderKey = "lora_adapter_metadata";

    private readonly Dictionary<string, Alphas> nets = [];

    private PeftConfiguration() { }

    /// <param name="adapterConfig">The text of adapter_config.json; null: there is none.</param>
    /// <exception cref="SafetensorsException">It cannot be read.</exception>
    public static PeftConfiguration Read(SafetensorsFile file, string? adapterConfig)
    {
        var configuration = new PeftConfiguration();
        var inHeader = file.Metadata.TryGetValue(HeaderKey, out var text);
        if (!inHeader && (text = adapterConfig) is null)
            return configuration;
        try
        {
            using var json = JsonDocument.Parse(text!);
            foreach (var net in new[] { "unet", "text_encoder", "text_encoder_2" })
                configuration.nets[net] = AlphasOf(net, json.RootElement);
            return configuration;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new SafetensorsException(file.Path,
                $"the PEFT configuration ({(inHeader ? $"header entry {HeaderKey}" : "adapter_config.json")}) cannot be read: {e.Message}",
                e);
        }
    }

    /// <summary>The alpha of a layer whose file holds none.</summary>
    public double Of(string net, string module, long rank)
    {
        if (!nets.TryGetValue(net, out var alphas))
            return rank;
        var own = alphas.Patterns.Where(p => module == p.Ending || module.EndsWith("." + p.Ending, StringComparison.Ordinal))
            .Select(p => (double?)p.Alpha).FirstOrDefault();
        var alpha = own ?? alphas.General ?? rank;
        return alphas.Stabilized ? alpha * Math.Sqrt(rank) : alpha; // rsLoRA: alpha / sqrt(r) instead of alpha / r
    }

    private sealed record Alphas(double? General, bool Stabilized, IReadOnlyList<(string Ending, double Alpha)> Patterns);

    private static Alphas AlphasOf(string net, JsonElement root)
    {
        // A header that speaks of the U-Net alone is taken for all nets.
        JsonElement? Value(params string[] names) => names.SelectMany(name => new[] { $"{net}.{name}", name, $"unet.{name}" })
            .Select(name => root.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : (JsonElement?)null)
            .FirstOrDefault(value => value is not null);
        return new Alphas(
            Value("lora_alpha", "alpha")?.GetDouble(),
            Value("use_rslora")?.GetBoolean() ?? false,
            Value("alpha_pattern") is { } patterns ? [.. patterns.EnumerateObject().Select(p => (p.Name, p.Value.GetDouble()))] : []);
    }
}
