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

    /// <summary>Whole or not at all: written beside, then renamed; for its owner alone, since it holds keys.</summary>
    public void Write(string stateFolder)
    {
        var path = Path.Combine(stateFolder, Name);
        var beside = path + ".new";
        File.Delete(beside); // of a host that was killed here
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new StreamWriter(beside, options))
            file.Write(SdxlJson.Serialize(this));
        File.Move(beside, path, overwrite: true);
    }
}
