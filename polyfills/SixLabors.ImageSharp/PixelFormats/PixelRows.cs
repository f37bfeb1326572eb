using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SixLabors.ImageSharp.PixelFormats;

/// <summary>Conversions of whole rows. The <c>typeof</c> tests are decided by the JIT, so each pair of formats is a plain loop.</summary>
internal static class PixelRows
{
    /// <summary>True where alpha is a channel of its own, so that filters must multiply it in first.</summary>
    public static bool HasAlpha<TPixel>()
        where TPixel : unmanaged => typeof(TPixel) == typeof(Rgba32) || typeof(TPixel) == typeof(Rgba64);

    public static void Convert<TFrom, TTo>(ReadOnlySpan<TFrom> source, Span<TTo> target)
        where TFrom : unmanaged, IPixel<TFrom>
        where TTo : unmanaged, IPixel<TTo>
    {
        if (typeof(TFrom) == typeof(TTo))
        {
            MemoryMarshal.Cast<TFrom, TTo>(source).CopyTo(target);
            return;
        }
        for (var i = 0; i < source.Length; i++)
        {
            var from = source[i];
            TTo to = default;
            if (typeof(TFrom) == typeof(Rgb24))
                to.FromRgb24(Unsafe.As<TFrom, Rgb24>(ref from));
            else if (typeof(TFrom) == typeof(Rgba32))
                to.FromRgba32(Unsafe.As<TFrom, Rgba32>(ref from));
            else if (typeof(TFrom) == typeof(L8))
                to.FromL8(Unsafe.As<TFrom, L8>(ref from));
            else if (typeof(TFrom) == typeof(L16))
                to.FromL16(Unsafe.As<TFrom, L16>(ref from));
            else if (typeof(TFrom) == typeof(Bgr24))
                to.FromBgr24(Unsafe.As<TFrom, Bgr24>(ref from));
            else if (typeof(TFrom) == typeof(Rgba64))
                to.FromRgba64(Unsafe.As<TFrom, Rgba64>(ref from));
            else
                to.FromScaledVector4(from.ToScaledVector4());
            target[i] = to;
        }
    }

    /// <summary>Pixels to red, green, blue, alpha in 0..1.</summary>
    public static void ToVectors<TPixel>(ReadOnlySpan<TPixel> source, Span<Vector4> target, bool premultiply, bool expand)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        for (var i = 0; i < source.Length; i++)
            target[i] = source[i].ToScaledVector4();
        if (expand)
            Companding.Expand(target[..source.Length]);
        for (var i = 0; premultiply && i < source.Length; i++)
        {
            var alpha = target[i].W;
            target[i] = (target[i] * alpha) with { W = alpha };
        }
    }

    /// <summary>The way back; <paramref name="source"/> is used up.</summary>
    public static void FromVectors<TPixel>(Span<Vector4> source, Span<TPixel> target, bool premultiplied, bool compress)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        for (var i = 0; premultiplied && i < source.Length; i++)
        {
            var alpha = source[i].W;
            if (alpha != 0)
                source[i] = (source[i] / alpha) with { W = alpha };
        }
        if (compress)
            Companding.Compress(source);
        for (var i = 0; i < source.Length; i++)
        {
            TPixel pixel = default;
            pixel.FromScaledVector4(source[i]);
            target[i] = pixel;
        }
    }
}
