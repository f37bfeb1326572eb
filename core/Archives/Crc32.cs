namespace Sdxl.Core.Archives;

/// <summary>The CRC-32 of zip files (ISO-HDLC, reflected polynomial EDB88320); ZipArchive itself does not check it.</summary>
internal static class Crc32
{
    private static readonly uint[] Table = MakeTable();

    /// <param name="crc">0 for the first piece, then the result of the piece before.</param>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        crc = ~crc;
        foreach (var value in bytes)
            crc = Table[(byte)(crc ^ value)] ^ (crc >> 8);
        return ~crc;
    }

    private static uint[] MakeTable()
    {
        var table = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++)
                value = (value & 1) != 0 ? (value >> 1) ^ 0xEDB88320 : value >> 1;
            table[i] = value;
        }
        return table;
    }
}
