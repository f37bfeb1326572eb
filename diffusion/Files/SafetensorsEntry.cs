namespace Sdxl.Diffusion.Files;

/// <summary>
/// One tensor as the header describes it. Offset counts from the safetensors file's first byte; the data is row-major, little-endian.
/// </summary>
public sealed record SafetensorsEntry(string Name, SafetensorsType Type, long[] Shape, long Offset, long ByteLength)
{
    /// <summary>Number of elements: 1 for a scalar (rank 0), 0 where a side is 0.</summary>
    public long Elements => Shape.Aggregate(1L, (product, side) => product * side);

    /// <summary>"F32 [320, 4, 3, 3]", as errors show it.</summary>
    public override string ToString() => $"{Type} [{string.Join(", ", Shape)}]";
}
