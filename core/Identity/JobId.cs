using System.Security.Cryptography;
using System.Text;

namespace Sdxl.Core.Identity;

/// <summary>
/// Ids of trainings and predictions: 26 lower-case base32 characters (RFC 4648 alphabet, 130 bits). One id space for both;
/// safe in URLs, blob names and queue message ids.
/// </summary>
public static class JobId
{
    public const int Length = 26;

    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz234567";

    /// <summary>A new random id.</summary>
    public static string New() => Encode(RandomNumberGenerator.GetBytes(17));

    /// <summary>
    /// The id that belongs to <paramref name="content"/>, always the same: a repeated upload event (same blob path and content) gets
    /// the same id and so starts nothing.
    /// </summary>
    public static string From(string content) => Encode(SHA256.HashData(Encoding.UTF8.GetBytes(content)));

    /// <summary>The id of the training that an upload starts.</summary>
    /// <param name="blob">The uploaded blob's address; a query string does not count.</param>
    /// <param name="contentMd5">Of its content, base64. (Not its ETag: that changes with the metadata.)</param>
    public static string OfUpload(Uri blob, string contentMd5) => From($"{blob.AbsolutePath}\n{contentMd5}");

    public static bool IsValid(string? id) => id is { Length: Length } && id.All(c => Alphabet.Contains(c, StringComparison.Ordinal));

    /// <summary>A seed 0..2^53-1 that belongs to the id: what "no seed given" means, so that even such a run can be repeated.</summary>
    public static long SeedOf(string id) =>
        BitConverter.ToInt64(SHA256.HashData(Encoding.UTF8.GetBytes("seed:" + id)), 0) & ((1L << 53) - 1);

    private static string Encode(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(Length);
        for (var i = 0; i < Length; i++)
        {
            var bit = i * 5;
            var window = (bytes[bit / 8] << 8) | (bit / 8 + 1 < bytes.Length ? bytes[bit / 8 + 1] : 0);
            text.Append(Alphabet[(window >> (11 - bit % 8)) & 31]);
        }
        return text.ToString();
    }
}
