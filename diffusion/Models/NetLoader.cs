using Sdxl.Core.Text;
using Sdxl.Diffusion.Files;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Models;

/// <summary>
/// Fills a net from a source after checking that names and shapes are exactly the net's (TorchSharp's own loading broadcasts shapes and
/// names no key).
/// </summary>
public static class NetLoader
{
    private const int Shown = 5; // differences of each kind in an error

    /// <summary>Copies every weight.</summary>
    /// <exception cref="SafetensorsException">Names or shapes differ: the first five differences of each kind.</exception>
    public static void Fill(nn.Module net, ITensorSource source)
    {
        var wanted = Shapes(net);
        var found = source.Shapes;
        // A buffer of row numbers that transformers before 4.31 saved with CLIP; it holds 0, 1, 2, … and no net here reads it.
        var unexpected = found
            .Keys.Where(name => !wanted.ContainsKey(name) && !name.EndsWith("position_ids", StringComparison.Ordinal))
            .ToList();
        var missing = wanted.Keys.Where(name => !found.ContainsKey(name)).ToList();
        var misshapen = wanted.Where(w => found.TryGetValue(w.Key, out var shape) && !shape.SequenceEqual(w.Value)).ToList();
        if (missing.Count + unexpected.Count + misshapen.Count > 0)
        {
            var problems = new List<string>();
            if (missing.Count > 0)
                problems.Add($"{Plural.Of(missing.Count, "tensor")} {Plural.Verb(missing.Count, "is", "are")} missing ({List(missing)})");
            if (unexpected.Count > 0)
                problems.Add($"{unexpected.Count} {Plural.Verb(unexpected.Count, "is", "are")} unknown to the net ({List(unexpected)})");
            if (misshapen.Count > 0)
                problems.Add(
                    $"{misshapen.Count} {Plural.Verb(misshapen.Count, "has", "have")} another shape "
                        + $"({List(misshapen.Select(m => $"{m.Key}: expected [{string.Join(", ", m.Value)}], found [{string.Join(", ", found[m.Key])}]"))})"
                );
            throw new SafetensorsException(
                source.Where,
                $"does not fit the {net.GetName()} that config.json describes: {string.Join("; ", problems)}. Use weights and config.json "
                    + "of the same model."
            );
        }
        using var guard = no_grad();
        foreach (var (name, parameter) in net.named_parameters())
            source.CopyTo(name, parameter);
    }

    /// <summary>A net's names and shapes: what its file must hold.</summary>
    public static Dictionary<string, long[]> Shapes(nn.Module net) =>
        net.named_parameters().ToDictionary(p => p.name, p => p.parameter.shape, StringComparer.Ordinal);

    private static string List(IEnumerable<string> items)
    {
        var all = items.ToList();
        return string.Join(", ", all.Take(Shown)) + (all.Count > Shown ? ", …" : "");
    }
}
