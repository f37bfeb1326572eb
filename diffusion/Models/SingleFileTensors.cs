using Sdxl.Diffusion.Files;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Models;

/// <summary>
/// The tensors of one net inside a single-file checkpoint, under the net's own names: transposed, cut out of stacks or reshaped as they are
/// copied.
/// </summary>
public sealed class SingleFileTensors : ITensorSource
{
    private static readonly Dictionary<string, string> s_prefixes = new()
    {
        ["unet"] = "model.diffusion_model.",
        ["vae"] = "first_stage_model.",
        ["text_encoder"] = "conditioner.embedders.0.transformer.",
        ["text_encoder_2"] = "conditioner.embedders.1.model.",
    };

    private const string RefinerEncoder = "conditioner.embedders.0.model.";

    private readonly SafetensorsFile file;
    private readonly Dictionary<string, SingleFileName> places = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long[]> shapes = new(StringComparer.Ordinal);

    /// <param name="net">unet, vae, text_encoder or text_encoder_2.</param>
    /// <param name="wanted">The net's tensors (<see cref="NetLoader.Shapes"/>).</param>
    public SingleFileTensors(SafetensorsFile file, SingleFileNames names, string net, IReadOnlyDictionary<string, long[]> wanted)
    {
        this.file = file;
        Where = $"{file.Path} ({net})";
        // The refiner has one encoder, SDXL's second: there it is embedder 0.
        var isRefiner = net == "text_encoder_2" && file.Entries.Keys.Any(n => n.StartsWith(RefinerEncoder, StringComparison.Ordinal));
        var prefix = isRefiner ? RefinerEncoder : s_prefixes[net];
        var used = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in wanted.Keys)
        {
            var place = names.Of(net, name);
            if (isRefiner)
                place = place with { Name = prefix + place.Name[s_prefixes[net].Length..] };
            if (!file.Entries.TryGetValue(place.Name, out var entry))
                continue;
            places.Add(name, place);
            shapes.Add(name, ShapeOf(entry.Shape, place.Change));
            used.Add(place.Name);
        }
        // Leftovers under the net's prefix mean another architecture; the loader lists them.
        foreach (
            var leftover in file.Entries.Keys.Where(n =>
                n.StartsWith(prefix, StringComparison.Ordinal) && !used.Contains(n) && !IsHarmless(n)
            )
        )
            shapes.Add(leftover, file.Entries[leftover].Shape);
    }

    /// <summary>Whether a checkpoint holds any of a net's tensors.</summary>
    public static bool Has(SafetensorsFile file, string net) =>
        file.Entries.Keys.Any(n =>
            n.StartsWith(s_prefixes[net], StringComparison.Ordinal)
            || net == "text_encoder_2" && n.StartsWith(RefinerEncoder, StringComparison.Ordinal)
        );

    /// <summary>
    /// Whether a checkpoint's tensor is one of the VAE or of a text encoder; the rest are the U-Net's and what training programs leave
    /// behind.
    /// </summary>
    public static bool IsBesideUNet(string name) => IsVae(name) || name.StartsWith("conditioner.", StringComparison.Ordinal);

    /// <summary>Whether a checkpoint's tensor is the VAE's.</summary>
    public static bool IsVae(string name) => name.StartsWith(s_prefixes["vae"], StringComparison.Ordinal);

    public string Where { get; }

    public IReadOnlyDictionary<string, long[]> Shapes => shapes;

    public void CopyTo(string name, Tensor target)
    {
        var place = places[name];
        if (place.Change == TensorChange.None)
        {
            file.CopyTo(place.Name, target);
            return;
        }
        using var scope = NewDisposeScope();
        var stored = file.Read(place.Name);
        var rows = stored.shape[0] / 3;
        target.copy_(place.Change switch
        {
            TensorChange.Transposed => stored.t(),
            TensorChange.QueryThird => stored.narrow(0, 0, rows),
            TensorChange.KeyThird => stored.narrow(0, rows, rows),
            TensorChange.ValueThird => stored.narrow(0, 2 * rows, rows),
            TensorChange.Pointwise => stored.reshape(target.shape),
            _ => throw new InvalidOperationException($"Tensor '{name}': {place.Change} is not known."),
        });
    }

    private static long[] ShapeOf(long[] stored, TensorChange change) =>
        change switch
        {
            TensorChange.Transposed => [.. stored.Reverse()],
            TensorChange.QueryThird or TensorChange.KeyThird or TensorChange.ValueThird => stored[0] % 3 == 0
                ? [stored[0] / 3, .. stored[1..]]
                : stored,
            TensorChange.Pointwise => stored is [var a, var b, 1, 1] ? [a, b] : stored,
            _ => stored,
        };

    /// <summary>Constants of the original training code that no net reads.</summary>
    private static bool IsHarmless(string name) =>
        name.EndsWith("position_ids", StringComparison.Ordinal) || name.EndsWith("logit_scale", StringComparison.Ordinal);
}
