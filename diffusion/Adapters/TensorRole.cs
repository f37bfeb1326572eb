using System.Text.RegularExpressions;

namespace Sdxl.Diffusion.Adapters;

/// <summary>What one tensor of an adapter's file is, as the end of its name tells.</summary>
/// <param name="Layer">The name before: the layer's, in any program's spelling.</param>
/// <param name="Role">down, up, mid, alpha, magnitude; hada_… and lokr_… as LyCORIS calls them.</param>
/// <param name="Adapter">The name that PEFT gave the adapter, where it stands in the tensor's ("lora_A.default_0.weight"); empty where
/// not.</param>
public readonly partial record struct TensorRole(string Layer, string Role, string Adapter)
{
    // Ends of names, and the kinds that they tell of. Kinds that are no sum W + change with few numbers, or need other sums than these,
    // are named, not applied.
    private static readonly (Regex End, string Kind)[] s_unsupported =
    [
        (Ia3(), "IA3 (it scales activations)"),
        (Oft(), "OFT or BOFT (it rotates weights)"),
        (Norms(), "trained norms (w_norm, b_norm)"),
        (Difference(), "a full-rank difference (diff)"),
        (Glora(), "GLoRA"),
        (Vera(), "VeRA"),
        (Bias(), "trained biases"),
        (TokenTable(), "a LoRA of the token table (lora_embedding)"),
        (IpAdapter(), "an IP-Adapter"),
    ];

    /// <summary>Null: no part of an adapter that can be applied.</summary>
    public static TensorRole? Of(string name)
    {
        if (Known().Match(name) is not { Success: true } m)
            return null;
        var role = m.Groups["lycoris"].Success ? m.Groups["lycoris"].Value
            : m.Groups["alpha"].Success ? "alpha"
            : m.Groups["magnitude"].Success ? "magnitude"
            : m.Groups["side"].Value switch { "A" or "down" => "down", "B" or "up" => "up", _ => "mid" };
        return new TensorRole(m.Groups["layer"].Value, role, m.Groups["adapter"].Value);
    }

    /// <summary>The kind of adapter that a tensor belongs to, if it is one that is known and not applied; null: none such.</summary>
    public static string? Unsupported(string name) => Array.Find(s_unsupported, kind => kind.End.IsMatch(name)).Kind;

    [GeneratedRegex(@"^(?<layer>.+?)(?:"
        + @"\.lora_(?<side>A|B|down|up|mid)(?:\.(?<adapter>[^.]+))?\.weight"  // PEFT, kohya, OneTrainer; PEFT's with an adapter's name
        + @"|[._]lora\.(?<side>down|up)\.weight"                              // diffusers; its former to_q_lora.down and Replicate's
        + @"|\.lora_linear_layer\.(?<side>down|up)\.weight"                   // diffusers' text encoders
        + @"|(?:\.lora)?\.(?<alpha>alpha)"
        + @"|\.(?<magnitude>dora_scale|lora_magnitude_vector(?:\.(?<adapter>(?!weight$)[^.]+))?(?:\.weight)?)"
        + @"|\.(?<lycoris>hada_(?:w[12]_[ab]|t[12])|lokr_(?:w[12](?:_[ab])?|t2))(?:\.(?<adapter>[^.]+))?"
        + @")$", RegexOptions.CultureInvariant)]
    private static partial Regex Known();

    [GeneratedRegex(@"\.on_input$|\.ia3_\w+(?:\.[^.]+)?$")]
    private static partial Regex Ia3();

    [GeneratedRegex(@"\.b?oft_\w+(?:\.[^.]+)*$|\.rescale$")]
    private static partial Regex Oft();

    [GeneratedRegex(@"\.[wb]_norm$")]
    private static partial Regex Norms();

    [GeneratedRegex(@"\.diff(?:_b)?$|\.set_weight$|\.reshape_weight$")]
    private static partial Regex Difference();

    [GeneratedRegex(@"\.[ab][12]\.weight$")]
    private static partial Regex Glora();

    [GeneratedRegex(@"\.vera_\w+(?:\.[^.]+)?$")]
    private static partial Regex Vera();

    [GeneratedRegex(@"\.lora_B(?:\.[^.]+)?\.bias$|\.(?:lora\.up|lora_up)\.bias$")]
    private static partial Regex Bias();

    [GeneratedRegex(@"\.lora_embedding_[AB](?:\.[^.]+)?$")]
    private static partial Regex TokenTable();

    [GeneratedRegex(@"\bto_[kv]_ip\.|^image_proj\.|^ip_adapter\.")]
    private static partial Regex IpAdapter();
}
