namespace Sdxl.Local.Hosting;

/// <summary>The secrets of this state folder, made once: for the host itself, and for workers on other machines.</summary>
/// <param name="Host">Key of the queues for the programs that the host starts.</param>
/// <param name="Worker">Key of the queues for workers elsewhere.</param>
/// <param name="Storage">Azurite's account key while others may reach it.</param>
/// <param name="Token">Of the HTTP API: the owner's.</param>
/// <param name="Signing">Signs the links to files that need no token, base64.</param>
internal sealed record LocalKeys(string Host, string Worker, string Storage, string Token, string Signing)
{
    public static LocalKeys Of(StateFolder state)
    {
        var known = File.Exists(state.KeysFile) ? Read(state.KeysFile) : new(New(32), New(32), New(64), null!, null!);
        if (known is { Token: not null, Signing: not null })
            return known;
        // A new folder's, or of a version before tokens.
        var keys = known with { Token = ApiTokens.New(), Signing = New(32) };
        PrivateFile.Write(state.KeysFile, JsonSerializer.Serialize(keys));
        return keys;
    }

    private static LocalKeys Read(string path)
    {
        try
        {
            var keys = JsonSerializer.Deserialize<LocalKeys>(File.ReadAllText(path));
            if (keys is { Host: not null, Worker: not null, Storage: not null })
                return keys;
        }
        catch (JsonException)
        {
            // as one without keys
        }
        throw new InvalidOperationException(
            $"{path} holds no keys. Delete it: the next start makes new ones, and workers elsewhere must join again.");
    }

    private static string New(int bytes) => Convert.ToBase64String(RandomNumberGenerator.GetBytes(bytes));
}
