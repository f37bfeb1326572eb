using Sdxl.Diffusion.Files;

namespace Sdxl.Diffusion.Tests.Files;

/// <summary>The values that table 1 of "FP8 formats for deep learning" (Micikevicius et al. 2022) gives.</summary>
public sealed class Float8Tests
{
    [Theory]
    [InlineData(SafetensorsType.F8_E4M3, 0b0_0000_000, 0f)]
    [InlineData(SafetensorsType.F8_E4M3, 0b0_0111_000, 1f)]
    [InlineData(SafetensorsType.F8_E4M3, 0b1_0111_100, -1.5f)]
    [InlineData(SafetensorsType.F8_E4M3, 0b0_1111_110, 448f)] // largest
    [InlineData(SafetensorsType.F8_E4M3, 0b0_1111_000, 256f)] // what would be infinity is a number
    [InlineData(SafetensorsType.F8_E4M3, 0b0_1111_111, float.NaN)]
    [InlineData(SafetensorsType.F8_E4M3, 0b0_0001_000, 0.015625f)] // 2^-6
    [InlineData(SafetensorsType.F8_E4M3, 0b0_0000_001, 0.001953125f)] // 2^-9
    [InlineData(SafetensorsType.F8_E5M2, 0b0_01111_00, 1f)]
    [InlineData(SafetensorsType.F8_E5M2, 0b1_01111_10, -1.5f)]
    [InlineData(SafetensorsType.F8_E5M2, 0b0_11110_11, 57344f)]
    [InlineData(SafetensorsType.F8_E5M2, 0b0_11111_00, float.PositiveInfinity)]
    [InlineData(SafetensorsType.F8_E5M2, 0b1_11111_00, float.NegativeInfinity)]
    [InlineData(SafetensorsType.F8_E5M2, 0b0_11111_01, float.NaN)]
    [InlineData(SafetensorsType.F8_E5M2, 0b0_00001_00, 6.103515625e-05f)] // 2^-14
    [InlineData(SafetensorsType.F8_E5M2, 0b0_00000_01, 1.52587890625e-05f)] // 2^-16
    public void A_byte_is_its_number(SafetensorsType type, byte code, float expected) =>
        Assert.Equal([expected], Float8.Decode([code], type));

    [Fact]
    public void The_bytes_of_E5M2_are_the_upper_bytes_of_fp16()
    {
        byte[] all = [.. Enumerable.Range(0, 256).Select(code => (byte)code)];
        Assert.Equal(all.Select(code => (float)BitConverter.UInt16BitsToHalf((ushort)(code << 8))),
            Float8.Decode(all, SafetensorsType.F8_E5M2));
    }
}
