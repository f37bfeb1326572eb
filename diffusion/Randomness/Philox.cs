using System.Runtime.CompilerServices;

namespace Sdxl.Diffusion.Randomness;

/// <summary>Philox4x32-10: four random 32-bit words as a pure function of a 128-bit counter and a 64-bit key.</summary>
/// <remarks>Source: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC11; test vectors from Random123's
/// kat_vectors.</remarks>
public static class Philox
{
    private const uint MultiplierA = 0xD2511F53, MultiplierB = 0xCD9E8D57; // round multipliers
    private const uint WeylA = 0x9E3779B9, WeylB = 0xBB67AE85;             // key increments: golden ratio, sqrt(3) - 1

    /// <summary>The block of random words that belongs to a counter.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (uint A, uint B, uint C, uint D) Block(uint c0, uint c1, uint c2, uint c3, ulong key)
    {
        var (k0, k1) = ((uint)key, (uint)(key >> 32));
        for (var round = 0; round < 10; round++)
        {
            var productA = (ulong)MultiplierA * c0;
            var productB = (ulong)MultiplierB * c2;
            (c0, c1, c2, c3) = ((uint)(productB >> 32) ^ c1 ^ k0, (uint)productB, (uint)(productA >> 32) ^ c3 ^ k1, (uint)productA);
            k0 += WeylA;
            k1 += WeylB;
        }
        return (c0, c1, c2, c3);
    }
}
