using System.Numerics;

namespace SixLabors.ImageSharp.PixelFormats;

/// <summary>Arithmetic between channel widths, as ImageSharp does it (PNG specification 13.12).</summary>
internal static class ColorNumerics
{
    public static byte Luminance(byte r, byte g, byte b) => (byte)((r * .2126F) + (g * .7152F) + (b * .0722F) + 0.5F);

    public static ushort Luminance(float r, float g, float b) => (ushort)((r * .2126F) + (g * .7152F) + (b * .0722F) + 0.5F);

    /// <summary>round(v * 255 / 65535).</summary>
    public static byte ToByte(ushort value) => (byte)(((value * 255) + 32895) >> 16);

    public static ushort ToWord(byte value) => (ushort)(value * 257);

    /// <summary>0..1 to 0..255, rounded to the nearest, clamped.</summary>
    public static Vector4 ToBytes(Vector4 scaled) => Vector4.Clamp((scaled * 255F) + new Vector4(0.5F), Vector4.Zero, new Vector4(255F));
}
