using System.Text;
using System.Text.Json;
using Sdxl.Core.Json;

namespace Sdxl.Core.Hosting;

/// <summary>
/// What a worker on another machine needs to take jobs from a host: how to reach its storage and its queues. It holds keys: keep it like a
/// password.
/// </summary>
public sealed record JoinToken(string Storage, string ServiceBus)
{
    /// <summary>Environment variable of a worker that was given one.</summary>
    public const string Variable = "SDXL_JOIN";

    /// <summary>
    /// Environment variable of a worker that shares the host's state folder, as in docker-compose.yaml: that folder's path.
    /// </summary>
    public const string StateVariable = "SDXL_JOIN_STATE";

    /// <summary>The word of the host that runs on a state folder.</summary>
    /// <exception cref="InvalidOperationException">No host runs there, or it listens to nobody.</exception>
    public static string OfHost(string stateFolder) =>
        HostFile.TryRead(stateFolder)?.Join
        ?? throw new InvalidOperationException(
            $"No host that others may join runs on {stateFolder}: {HostFile.Name} there is missing, unreadable or names no word. Start one "
                + "with --listen, then this worker again."
        );

    /// <summary>One word for a command line: base64 without characters that a shell knows.</summary>
    public string Encode() =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes(SdxlJson.Serialize(this))).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    /// <exception cref="FormatException">It is no such word.</exception>
    public static JoinToken Decode(string word)
    {
        try
        {
            var base64 = word.Replace('-', '+').Replace('_', '/');
            return SdxlJson.Deserialize<JoinToken>(
                Encoding.UTF8.GetString(Convert.FromBase64String(base64.PadRight((base64.Length + 3) / 4 * 4, '=')))
            );
        }
        catch (Exception exception) when (exception is FormatException or JsonException)
        {
            throw new FormatException("This is no join token. Copy the whole word that `./sdxl up --listen ADDRESS` prints.", exception);
        }
    }
}
