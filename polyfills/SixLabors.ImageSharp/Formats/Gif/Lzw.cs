namespace SixLabors.ImageSharp.Formats.Gif;

/// <summary>GIF's variable-length LZW (GIF89a, appendix F). Broken or missing data leaves the rest of the target 0.</summary>
internal static class Lzw
{
    private const int MostCodes = 4096;

    public static void Decode(ReadOnlySpan<byte> data, int codeBits, Span<byte> target)
    {
        var prefix = new short[MostCodes];
        var suffix = new byte[MostCodes];
        var stack = new byte[MostCodes + 1];
        var clear = 1 << codeBits;
        var end = clear + 1;
        int next = end + 1, size = codeBits + 1, previous = -1, bits = 0, buffer = 0, written = 0;
        byte first = 0;
        for (var i = 0; i < clear; i++)
            suffix[i] = (byte)i;
        foreach (var value in data)
        {
            buffer |= value << bits;
            bits += 8;
            while (bits >= size)
            {
                var code = buffer & ((1 << size) - 1);
                buffer >>= size;
                bits -= size;
                if (code == clear)
                {
                    (next, size, previous) = (end + 1, codeBits + 1, -1);
                    continue;
                }
                if (code == end || code > next || (previous < 0 && code >= clear))
                    return;
                var depth = 0;
                var walk = code;
                if (code == next)
                {
                    if (previous < 0)
                        return;
                    stack[depth++] = first; // the string that is only being made: previous + its own first byte
                    walk = previous;
                }
                while (walk > end)
                {
                    stack[depth++] = suffix[walk];
                    walk = prefix[walk];
                }
                first = suffix[walk];
                stack[depth++] = first;
                while (depth > 0 && written < target.Length)
                    target[written++] = stack[--depth];
                if (written == target.Length)
                    return;
                if (previous >= 0 && next < MostCodes)
                {
                    (prefix[next], suffix[next]) = ((short)previous, first);
                    next++;
                    if (next == 1 << size && size < 12)
                        size++;
                }
                previous = code;
            }
        }
    }
}
