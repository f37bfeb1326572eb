namespace Sdxl.Pictures.Formats;

/// <summary>CRC-32 of a PNG's chunks, their type included. Source: PNG specification, third edition, annex D.</summary>
internal static class PngChecksum
{
    private static readonly uint[] s_table = [.. Enumerable.Range(0, 256).Select(value => Shifted((uint)value))];

    /// <param name="before">Of the bytes before these.</param>
    public static uint Of(ReadOnlySpan<byte> bytes, uint before = 0)
    {
        var crc = ~before;
        foreach (var value in bytes)
            crc = s_table[(byte)(crc ^ value)] ^ (crc >> 8);
        return ~crc;
    }

    private static uint Shifted(uint value)
    {
        for (var bit = 0; bit < 8; bit++)
            value = (value & 1) != 0 ? 0xEDB88320 ^ (value >> 1) : value >> 1;
        return value;
    }
}
