using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Sdxl.Functions.Events;

/// <summary>Signatures of the Standard Webhooks specification, as Replicate's clients check them (replicate-api.md, 10).</summary>
public static class WebhookSignature
{
    private const string Prefix = "whsec_";
    private const int KeyBytes = 32;

    public static byte[] NewKey() => RandomNumberGenerator.GetBytes(KeyBytes);

    /// <summary>The secret as receivers keep it: standard base64 with padding after the only '_'.</summary>
    public static string Secret(byte[] key) => Prefix + Convert.ToBase64String(key);

    /// <summary>webhook-id, webhook-timestamp and webhook-signature.</summary>
    /// <param name="keys">While a key is being replaced, the new and the old one: a receiver takes any.</param>
    /// <param name="body">The exact bytes that are sent.</param>
    public static IReadOnlyDictionary<string, string> Headers(IReadOnlyList<byte[]> keys, string messageId, DateTimeOffset now, byte[] body)
    {
        var seconds = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        byte[] signed = [.. Encoding.UTF8.GetBytes($"{messageId}.{seconds}."), .. body];
        return new Dictionary<string, string>
        {
            ["webhook-id"] = messageId,
            ["webhook-timestamp"] = seconds,
            ["webhook-signature"] = string.Join(' ', keys.Select(key => "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed)))),
        };
    }
}
