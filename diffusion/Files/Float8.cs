namespace Sdxl.Diffusion.Files;

/// <summary>The two 8-bit floating point types of safetensors, as fp32: every value of both is one of fp32's.</summary>
/// <remarks>
/// Micikevicius et al. 2022, "FP8 formats for deep learning", table 1. E4M3: bias 7, no infinities, NaN where all seven bits are set.
/// E5M2: bias 15, as IEEE 754 has it: exponent 31 is infinity (mantissa 0) or NaN.
/// </remarks>
public static class Float8
{
    private static readonly float[] s_e4m3 = Table(mantissaBits: 3, bias: 7, hasInfinity: false);
    private static readonly float[] s_e5m2 = Table(mantissaBits: 2, bias: 15, hasInfinity: true);

    /// <summary>The fp32 numbers of a file's bytes.</summary>
    public static float[] Decode(ReadOnlySpan<byte> bytes, SafetensorsType type)
    {
        var table = type switch
        {
            SafetensorsType.F8_E4M3 => s_e4m3,
            SafetensorsType.F8_E5M2 => s_e5m2,
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Expected F8_E4M3 or F8_E5M2."),
        };
        var numbers = new float[bytes.Length];
        for (var i = 0; i < bytes.Length; i++)
            numbers[i] = table[bytes[i]];
        return numbers;
    }

    private static float[] Table(int mantissaBits, int bias, bool hasInfinity)
    {
        var table = new float[256];
        var (mantissas, lastExponent) = (1 << mantissaBits, (1 << (7 - mantissaBits)) - 1);
        for (var code = 0; code < table.Length; code++)
        {
            var (exponent, mantissa) = ((code & 0x7F) >> mantissaBits, code & (mantissas - 1));
            var value = exponent == lastExponent && hasInfinity ? mantissa == 0 ? float.PositiveInfinity : float.NaN
                : exponent == lastExponent && mantissa == mantissas - 1 ? float.NaN
                : exponent == 0 ? MathF.ScaleB(mantissa, 1 - bias - mantissaBits) // the smallest have no leading 1
                : MathF.ScaleB(mantissas + mantissa, exponent - bias - mantissaBits);
            table[code] = code >= 0x80 ? -value : value;
        }
        return table;
    }
}
