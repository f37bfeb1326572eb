using System.Buffers.Binary;

namespace Sdxl.Tests.Fuzz;

/// <summary>Spoils good files: each mutant is a function of the random numbers alone, so that a seed and a number name it again.</summary>
internal static class Mutator
{
    private const int MostMutations = 6;
    private const int LongestBlock = 64;

    private static readonly long[] s_borders =
    [
        0,
        1,
        -1,
        0x7F,
        0x80,
        0xFF,
        0x100,
        0x7FFF,
        0x8000,
        0xFFFF,
        0x10000,
        0x7FFFFFFF,
        0x80000000,
        0xFFFFFFFF,
        0x100000000,
        long.MaxValue,
        long.MinValue,
    ];

    /// <param name="good">What is spoilt; not changed.</param>
    /// <param name="other">Another good file, of which a piece may come in.</param>
    public static byte[] Mutant(byte[] good, byte[] other, Random random)
    {
        var bytes = good.ToList();
        for (var left = 1 + random.Next(MostMutations); left > 0 && bytes.Count > 0; left--)
        {
            var at = Place(bytes.Count, random);
            switch (random.Next(9))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    Overwrite(bytes, at, Border(random));
                    break;
                case 3:
                    bytes.RemoveRange(at, Math.Min(bytes.Count - at, 1 + random.Next(LongestBlock)));
                    break;
                case 4:
                    bytes.InsertRange(at, Noise(random));
                    break;
                case 5:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(bytes.Count - at, 1 + random.Next(LongestBlock))));
                    break;
                case 6 when random.Next(4) == 0:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 7 when other.Length > 0:
                    var from = Place(other.Length, random);
                    Overwrite(bytes, at, other.AsSpan(from, Math.Min(other.Length - from, LongestBlock)).ToArray());
                    break;
                default:
                    Overwrite(bytes, at, new byte[1 + random.Next(8)]);
                    break;
            }
        }
        return [.. bytes];
    }

    /// <summary>Half of all changes fall into the first or last bytes: there stand the headers and directories.</summary>
    private static int Place(int count, Random random) => random.Next(4) switch
    {
        0 => random.Next(Math.Min(count, 128)),
        1 => count - 1 - random.Next(Math.Min(count, 128)),
        _ => random.Next(count),
    };

    private static byte[] Border(Random random)
    {
        var bytes = new byte[8];
        var value = s_borders[random.Next(s_borders.Length)];
        if (random.Next(2) == 0)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
            return bytes[..(1 << random.Next(4))];
        }
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes[(8 - (1 << random.Next(4)))..];
    }

    private static byte[] Noise(Random random)
    {
        var bytes = new byte[1 + random.Next(LongestBlock)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static void Overwrite(List<byte> bytes, int at, byte[] with)
    {
        for (var i = 0; i < with.Length && at + i < bytes.Count; i++)
            bytes[at + i] = with[i];
    }
}
