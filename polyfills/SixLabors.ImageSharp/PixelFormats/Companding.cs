using System.Numerics;

namespace SixLabors.ImageSharp.PixelFormats;

/// <summary>sRGB's transfer curve and its inverse (IEC 61966-2-1), for resizing in linear light. Alpha is linear already.</summary>
internal static class Companding
{
    public static void Expand(Span<Vector4> vectors)
    {
        foreach (ref var v in vectors)
            v = new Vector4(ToLinear(v.X), ToLinear(v.Y), ToLinear(v.Z), v.W);
    }

    public static void Compress(Span<Vector4> vectors)
    {
        foreach (ref var v in vectors)
            v = new Vector4(FromLinear(v.X), FromLinear(v.Y), FromLinear(v.Z), v.W);
    }

    private static float ToLinear(float channel) => channel <= 0.04045F ? channel / 12.92F : MathF.Pow((channel + 0.055F) / 1.055F, 2.4F);

    private static float FromLinear(float channel) =>
        channel <= 0.0031308F ? 12.92F * channel : (1.055F * MathF.Pow(channel, 1 / 2.4F)) - 0.055F;
}
