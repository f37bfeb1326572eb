using System.Buffers.Binary;

namespace Sdxl.Pictures.Colours;

/// <summary>A channel's tone curve in a profile: stored values 0..255 to light 0..1.</summary>
/// <remarks>Source: ICC.1:2022, 10.6 (curveType) and 10.18 (parametricCurveType).</remarks>
internal static class ToneCurve
{
    private const int HeaderBytes = 12; // "curv" or "para", four zeros, a count or a function's number
    private const int MostEntries = 65536;

    private static readonly int[] s_parameters = [1, 3, 4, 5, 7]; // of each function

    /// <summary>Light of each of the 256 values; null where the tag is of another kind, breaks off or gives no numbers.</summary>
    public static float[]? Read(ReadOnlySpan<byte> tag)
    {
        if (tag.Length < HeaderBytes)
            return null;
        var curve = tag[..4].SequenceEqual("curv"u8) ? Table(tag) : tag[..4].SequenceEqual("para"u8) ? Function(tag) : null;
        if (curve is null)
            return null;
        var light = new float[256];
        for (var i = 0; i < light.Length; i++)
        {
            light[i] = (float)Math.Clamp(curve(i / 255.0), 0, 1);
            if (!float.IsFinite(light[i]))
                return null;
        }
        return light;
    }

    private static Func<double, double>? Table(ReadOnlySpan<byte> tag)
    {
        var count = BinaryPrimitives.ReadUInt32BigEndian(tag[8..]);
        if (count == 0)
            return value => value;
        if (count > MostEntries || tag.Length < HeaderBytes + 2 * count)
            return null;
        var entries = new double[count];
        for (var i = 0; i < entries.Length; i++)
            entries[i] = BinaryPrimitives.ReadUInt16BigEndian(tag[(HeaderBytes + 2 * i)..]);
        if (count == 1)
            return value => Math.Pow(value, entries[0] / 256);
        return value =>
        {
            var at = value * (entries.Length - 1);
            var below = Math.Min((int)at, entries.Length - 2);
            return (entries[below] + (entries[below + 1] - entries[below]) * (at - below)) / 65535;
        };
    }

    private static Func<double, double>? Function(ReadOnlySpan<byte> tag)
    {
        var function = BinaryPrimitives.ReadUInt16BigEndian(tag[8..]);
        if (function >= s_parameters.Length || tag.Length < HeaderBytes + 4 * s_parameters[function])
            return null;
        Span<double> p = stackalloc double[7];
        p.Clear();
        for (var i = 0; i < s_parameters[function]; i++)
            p[i] = BinaryPrimitives.ReadInt32BigEndian(tag[(HeaderBytes + 4 * i)..]) / 65536.0;
        var (g, a, b, c, d, e, f) = (p[0], p[1], p[2], p[3], p[4], p[5], p[6]);
        return function switch
        {
            0 => x => Math.Pow(x, g),
            1 => x => a * x + b >= 0 ? Math.Pow(a * x + b, g) : 0,
            2 => x => a * x + b >= 0 ? Math.Pow(a * x + b, g) + c : c,
            3 => x => x >= d ? Math.Pow(a * x + b, g) : c * x,
            _ => x => x >= d ? Math.Pow(a * x + b, g) + e : c * x + f,
        };
    }
}
