using System.Text.Json;

namespace Sdxl.Local.Hosting;

/// <summary>host.json: how to reach the running host. There from the moment it answers until it stops; after a kill it stays behind.</summary>
/// <param name="Url">Root of the HTTP API, without a slash at its end.</param>
/// <param name="StorageConnectionString">Of the blob storage.</param>
/// <param name="Pid">The host's process.</param>
public sealed record HostFile(string Url, string StorageConnectionString, int Pid)
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <returns>null where there is none that can be read.</returns>
    public static HostFile? TryRead(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<HostFile>(File.ReadAllBytes(path), Options);
        }
        catch (Exception exception) when (exception is IOException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Whole or not at all: written beside, then renamed.</summary>
    public void Write(string path)
    {
        var beside = path + ".new";
        File.WriteAllBytes(beside, JsonSerializer.SerializeToUtf8Bytes(this, Options));
        File.Move(beside, path, overwrite: true);
    }
}
