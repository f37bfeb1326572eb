namespace Sdxl.Diffusion.Files;

/// <summary>The element types this product reads and writes; names are the format's own words.</summary>
public enum SafetensorsType
{
    F64,
    F32,
    F16,
    BF16,
    I64,
    I32,
    U8,
    BOOL,

    /// <summary>8 bits, 4 of them exponent; read as fp32, never written.</summary>
    F8_E4M3,

    /// <summary>8 bits, 5 of them exponent; read as fp32, never written.</summary>
    F8_E5M2,
}

/// <summary>Sizes and spellings of <see cref="SafetensorsType"/>.</summary>
public static class SafetensorsTypes
{
    /// <summary>Bytes an element takes in the file.</summary>
    public static int ByteSize(this SafetensorsType type) => type switch
    {
        SafetensorsType.F64 or SafetensorsType.I64 => 8,
        SafetensorsType.F32 or SafetensorsType.I32 => 4,
        SafetensorsType.F16 or SafetensorsType.BF16 => 2,
        _ => 1,
    };

    /// <summary>Parses the header's word exactly (case counts); false for types that SDXL files do not use (F4, I16, …).</summary>
    public static bool TryParse(string word, out SafetensorsType type)
    {
        foreach (var candidate in Enum.GetValues<SafetensorsType>())
        {
            if (candidate.ToString() == word)
            {
                type = candidate;
                return true;
            }
        }
        type = default;
        return false;
    }
}
