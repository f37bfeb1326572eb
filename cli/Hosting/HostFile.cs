using System.Text.Json;
using System.Text.Json.Nodes;

namespace Sdxl.Cli.Hosting;

/// <summary>host.json in the state folder: written by a host once it listens, removed when it stops.</summary>
/// <param name="Url">Root of the HTTP API.</param>
/// <param name="StorageConnectionString">Of its blob storage (Azurite, with the development account).</param>
/// <param name="Pid">Of the host's process.</param>
internal sealed record HostFile(Uri Url, string StorageConnectionString, int Pid)
{
    public const string Name = "host.json";

    /// <returns>null where there is none, or it is being written.</returns>
    public static HostFile? TryRead(string home)
    {
        try
        {
            if (JsonNode.Parse(File.ReadAllText(Path.Combine(home, Name))) is not JsonObject json)
                return null;
            // Whichever way the host spells its names.
            string? Get(string name) => json.FirstOrDefault(pair => pair.Key.Replace("_", "", StringComparison.Ordinal).Equals(name, StringComparison.OrdinalIgnoreCase)).Value?.ToString();
            return Get("url") is { } url && Get("storageConnectionString") is { } storage && int.TryParse(Get("pid"), out var pid)
                ? new HostFile(new Uri(url.TrimEnd('/') + "/"), storage, pid)
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or UriFormatException)
        {
            return null;
        }
    }
}
