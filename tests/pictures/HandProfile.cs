using System.Buffers.Binary;
using System.Text;

namespace Sdxl.Tests.Pictures;

/// <summary>ICC profiles written tag by tag.</summary>
internal static class HandProfile
{
    /// <summary>sRGB's primaries relative to D50, as its profiles have them.</summary>
    public static readonly double[][] Srgb = [[0.43607, 0.22249, 0.01392], [0.38515, 0.71687, 0.09708], [0.14307, 0.06061, 0.71410]];

    public static byte[] Gamma(double gamma) => [.. "curv"u8, 0, 0, 0, 0, 0, 0, 0, 1, .. Big16((int)Math.Round(gamma * 256))];

    /// <param name="function">Of "para".</param>
    public static byte[] Function(int function, params double[] parameters) =>
        [.. "para"u8, 0, 0, 0, 0, .. Big16(function), 0, 0, .. parameters.SelectMany(Fixed)];

    public static byte[] Table(params int[] entries) => [.. "curv"u8, 0, 0, 0, 0, .. Big32(entries.Length), .. entries.SelectMany(Big16)];

    public static byte[] SrgbCurve => Function(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045);

    public static byte[] Rgb(double[][] primaries, byte[] curve, string name = "by hand") => Of("RGB ", name,
        ("rXYZ", Xyz(primaries[0])), ("gXYZ", Xyz(primaries[1])), ("bXYZ", Xyz(primaries[2])), ("rTRC", curve), ("gTRC", curve),
            ("bTRC", curve));

    public static byte[] Of(string space, string name, params (string Signature, byte[] Bytes)[] tags)
    {
        byte[] description = [.. "desc"u8, 0, 0, 0, 0, .. Big32(name.Length + 1), .. Encoding.ASCII.GetBytes(name), 0];
        (string Signature, byte[] Bytes)[] all = [("desc", description), .. tags];
        var at = 128 + 4 + 12 * all.Length;
        var table = new List<byte>(Big32(all.Length));
        foreach (var (signature, bytes) in all)
        {
            table.AddRange([.. Encoding.ASCII.GetBytes(signature), .. Big32(at), .. Big32(bytes.Length)]);
            at += bytes.Length;
        }
        byte[] header = [.. Big32(at), .. "none"u8, 2, 0x40, 0, 0, .. "mntr"u8, .. Encoding.ASCII.GetBytes(space), .. "XYZ "u8,
            .. new byte[12], .. "acsp"u8, .. new byte[88]];
        return [.. header, .. table, .. all.SelectMany(tag => tag.Bytes)];
    }

    private static byte[] Xyz(double[] xyz) => [.. "XYZ "u8, 0, 0, 0, 0, .. xyz.SelectMany(Fixed)];

    private static byte[] Fixed(double value) => Big32((int)Math.Round(value * 65536));

    private static byte[] Big16(int value) => [(byte)(value >> 8), (byte)value];

    private static byte[] Big32(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }
}
