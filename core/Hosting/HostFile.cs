using System.Text.Json;
using Sdxl.Core.Json;

namespace Sdxl.Core.Hosting;

/// <summary>
/// host.json in the state folder: how to reach the running host. There from the moment it answers until it stops; after a kill it stays
/// behind.
/// </summary>
/// <param name="Url">Root of the HTTP API, with a slash at its end.</param>
/// <param name="StorageConnectionString">Of the blob storage.</param>
/// <param name="Pid">The host's process.</param>
/// <param name="Join">What a worker on another machine needs to take jobs from here; null unless the host listens to others.</param>
/// <param name="Token">Of the HTTP API, the owner's: it may do everything.</param>
public sealed record HostFile(Uri Url, string StorageConnectionString, int Pid, string? Join = null, string? Token = null)
{
    public const string Name = "host.json";

    /// <returns>null where there is none that can be read.</returns>
    public static HostFile? TryRead(string stateFolder)
    {
        try
        {
            return SdxlJson.Deserialize<HostFile>(File.ReadAllText(Path.Combine(stateFolder, Name)));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    public void Write(string stateFolder) => PrivateFile.Write(Path.Combine(stateFolder, Name), SdxlJson.Serialize(this));
}
