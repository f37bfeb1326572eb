namespace Sdxl.Tests.Pictures;

/// <summary>An animation whose frames are all the same. Source: RFC 9649, section 2.7.</summary>
internal static class AnimatedWebp
{
    /// <param name="pixels">A VP8L or VP8 chunk with its header.</param>
    /// <param name="width">Of the canvas; the frames lie at its left top corner.</param>
    public static byte[] Of(byte[] pixels, int width, int height, int frames)
    {
        byte[] header = [0x02, 0, 0, 0, .. Number24(width - 1), .. Number24(height - 1)];
        byte[] frame = [0, 0, 0, 0, 0, 0, .. Number24(width - 1), .. Number24(height - 1), 100, 0, 0, 0, .. pixels];
        byte[] body =
        [
            .. "WEBP"u8,
            .. Chunk("VP8X"u8, header),
            .. Chunk("ANIM"u8, [0, 0, 0, 0, 0, 0]),
            .. Enumerable.Range(0, frames).SelectMany(_ => Chunk("ANMF"u8, frame)),
        ];
        return [.. "RIFF"u8, .. BitConverter.GetBytes(body.Length), .. body];
    }

    private static byte[] Chunk(ReadOnlySpan<byte> name, byte[] data) =>
        [.. name, .. BitConverter.GetBytes(data.Length), .. data, .. new byte[data.Length % 2]];

    private static byte[] Number24(int value) => [(byte)value, (byte)(value >> 8), (byte)(value >> 16)];
}
