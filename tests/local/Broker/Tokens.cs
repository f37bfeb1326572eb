using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Sdxl.Local.Broker;

namespace Sdxl.Local.Tests.Broker;

/// <summary>Signs as the holder of a key does: by Service Bus's documentation, not by the broker's code.</summary>
internal static class Tokens
{
    public static string Create(AccessKey key, string resource, DateTimeOffset expiry)
    {
        var (scope, seconds) = (Uri.EscapeDataString(resource), expiry.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        using var hmac = new HMACSHA256(Encoding.UTF8.GetBytes(key.Secret));
        var signature = Convert.ToBase64String(hmac.ComputeHash(Encoding.UTF8.GetBytes($"{scope}\n{seconds}")));
        var (sig, skn) = (Uri.EscapeDataString(signature), Uri.EscapeDataString(key.Name));
        return $"SharedAccessSignature sr={scope}&sig={sig}&se={seconds}&skn={skn}";
    }
}
