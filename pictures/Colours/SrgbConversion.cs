using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Pictures.Colours;

/// <summary>
/// Numbers of a profile to those of sRGB: tone curves, a matrix in light, sRGB's curve. Colours that sRGB lacks become its nearest along
/// each channel.
/// </summary>
/// <remarks>
/// Source: IEC 61966-2-1 for sRGB; its primaries relative to D50 by Bradford's adaptation (ICC.1:2022, annex E). White stays white also
/// where a profile's primaries are not adapted to D50, as some old ones' are.
/// </remarks>
internal sealed class SrgbConversion
{
    private const int Steps = 65535;
    private const int Unseen = 2; // levels that nobody sees: profiles that are sRGB in other words

    // From XYZ relative to D50 to sRGB's light.
    private static readonly double[,] s_fromXyz =
    {
        { 3.1338561, -1.6168667, -0.4906146 }, { -0.9787684, 1.9161415, 0.0334540 }, { 0.0719453, -0.2289914, 1.4052427 },
    };

    private static readonly byte[] s_encode = Encoding();

    private readonly float[][] curves; // of each channel: light of the 256 values
    private readonly float[] matrix;   // 3 x 3, row by row

    /// <param name="curves">Of red, green and blue.</param>
    /// <param name="primaries">Rows X, Y, Z; columns red, green, blue.</param>
    public SrgbConversion(float[][] curves, double[,] primaries) : this(curves, Product(primaries)) { }

    private SrgbConversion(float[][] curves, float[] matrix) => (this.curves, this.matrix) = (curves, matrix);

    /// <summary>Of grey pictures.</summary>
    public static SrgbConversion OfGrey(float[] curve) => new([curve, curve, curve], [1, 0, 0, 0, 1, 0, 0, 0, 1]);

    /// <summary>Whether it is sRGB in other words.</summary>
    public bool ChangesNothing
    {
        get
        {
            for (var r = 0; r <= 255; r += 51)
            {
                for (var g = 0; g <= 255; g += 51)
                {
                    for (var b = 0; b <= 255; b += 51)
                    {
                        var to = Of(new Rgba32((byte)r, (byte)g, (byte)b));
                        if (Math.Abs(to.R - r) > Unseen || Math.Abs(to.G - g) > Unseen || Math.Abs(to.B - b) > Unseen)
                            return false;
                    }
                }
            }
            for (var level = 0; level <= 255; level++)
            {
                if (Math.Abs(Of(new Rgba32((byte)level, (byte)level, (byte)level)).G - level) > Unseen)
                    return false;
            }
            return true;
        }
    }

    /// <summary>A colour; its opacity stays.</summary>
    public Rgba32 Of(Rgba32 pixel)
    {
        var (red, green, blue) = (curves[0][pixel.R], curves[1][pixel.G], curves[2][pixel.B]);
        return new Rgba32(
            Encoded(matrix[0] * red + matrix[1] * green + matrix[2] * blue),
            Encoded(matrix[3] * red + matrix[4] * green + matrix[5] * blue),
            Encoded(matrix[6] * red + matrix[7] * green + matrix[8] * blue),
            pixel.A);
    }

    private static byte Encoded(float light) => s_encode[(int)(Math.Clamp(light, 0, 1) * Steps + 0.5f)];

    private static float[] Product(double[,] primaries)
    {
        var product = new float[9];
        for (var row = 0; row < 3; row++)
        {
            double Entry(int column) =>
                s_fromXyz[row, 0] * primaries[0, column] + s_fromXyz[row, 1] * primaries[1, column] + s_fromXyz[row, 2] * primaries[2,
                    column];
            var white = Entry(0) + Entry(1) + Entry(2);
            for (var column = 0; column < 3; column++)
                product[3 * row + column] = (float)(Entry(column) / white);
        }
        return product;
    }

    private static byte[] Encoding()
    {
        var table = new byte[Steps + 1];
        for (var i = 0; i < table.Length; i++)
        {
            var light = (double)i / Steps;
            table[i] = (byte)Math.Round(255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * Math.Pow(light, 1 / 2.4) - 0.055));
        }
        return table;
    }
}
