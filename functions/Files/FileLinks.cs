using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Sas;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;
using Sdxl.Functions.Hosting;

namespace Sdxl.Functions.Files;

/// <summary>
/// Links to files that need no token, as Replicate's clients fetch them: signed, and worth nothing after some hours. With a signing key
/// they lead to this app (v1/outputs/…); without one straight to storage, signed with a user delegation key.
/// </summary>
public sealed class FileLinks(BlobServiceClient storage, IOptions<SdxlOptions> options, TimeProvider time)
{
    public const string Path = "v1/outputs/";

    private const string Expires = "expires", Signature = "signature";
    private static readonly TimeSpan s_delegationLife = TimeSpan.FromDays(6); // 7 are the most

    private readonly SemaphoreSlim _turn = new(1);
    private UserDelegationKey? _delegation;

    /// <summary>The link, the same for an hour: what holds it can be compared and cached.</summary>
    /// <param name="root">Where the reader reaches this app: "https://host" (<see cref="Http.Addresses.RootOf"/>).</param>
    public async ValueTask<string> OfAsync(string root, string container, string name, CancellationToken cancel = default)
    {
        var hour = TimeSpan.FromHours(1).Ticks;
        var expires = new DateTimeOffset((time.GetUtcNow().UtcTicks / hour + 1) * hour, TimeSpan.Zero).AddHours(options.Value.LinkHours);
        return options.Value.SigningKey.Length > 0
            ? Signed($"{root}/{Path}", $"{container}/{name}", expires)
            : await DelegatedAsync(container, name, expires, cancel);
    }

    /// <summary>container/name that a signed link of this app stands for; null: it is forged, cut or too old.</summary>
    /// <param name="path">What follows <see cref="Path"/>, unescaped.</param>
    public string? Verify(string path, string? expires, string? signature)
    {
        if (options.Value.SigningKey.Length == 0
            || !long.TryParse(expires, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || seconds <= time.GetUtcNow().ToUnixTimeSeconds())
            return null;
        var good = Encoding.ASCII.GetBytes(Sign(path, seconds));
        return CryptographicOperations.FixedTimeEquals(good, Encoding.UTF8.GetBytes(signature ?? "")) ? path : null;
    }

    private string Signed(string root, string path, DateTimeOffset expires)
    {
        var seconds = expires.ToUnixTimeSeconds();
        var escaped = string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
        return string.Create(CultureInfo.InvariantCulture, $"{root}{escaped}?{Expires}={seconds}&{Signature}={Sign(path, seconds)}");
    }

    private string Sign(string path, long seconds) => WebEncoders.Base64UrlEncode(HMACSHA256.HashData(
        Convert.FromBase64String(options.Value.SigningKey),
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{path}\n{seconds}"))));

    private async Task<string> DelegatedAsync(string container, string name, DateTimeOffset expires, CancellationToken cancel)
    {
        var sas = new BlobSasBuilder(BlobSasPermissions.Read, expires) { BlobContainerName = container, BlobName = name, Resource = "b" };
        return new BlobUriBuilder(storage.Uri)
        {
            BlobContainerName = container,
            BlobName = name,
            Sas = sas.ToSasQueryParameters(await DelegationAsync(expires, cancel), storage.AccountName),
        }.ToUri().AbsoluteUri;
    }

    private async Task<UserDelegationKey> DelegationAsync(DateTimeOffset until, CancellationToken cancel)
    {
        await _turn.WaitAsync(cancel);
        try
        {
            if (_delegation is null || _delegation.SignedExpiresOn < until)
            {
                var now = time.GetUtcNow();
                // From a little before now: clocks differ.
                _delegation = await storage.GetUserDelegationKeyAsync(now.AddMinutes(-5), now + s_delegationLife, cancel);
            }
            return _delegation;
        }
        finally
        {
            _turn.Release();
        }
    }
}
