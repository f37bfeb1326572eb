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
        if (File.Exists(state.KeysFile))
        {
            var known =
                Read(state.KeysFile)
                ?? throw new InvalidOperationException(
                    $"{state.KeysFile} holds no keys. Delete it: the next start makes new ones, and workers elsewhere must join again."
                );
            // Of a version before tokens.
            return known is { Token: not null, Signing: not null }
                ? known
                : Write(state, known with { Token = ApiTokens.New(), Signing = New(32) });
        }
        return Write(state, new LocalKeys(New(32), New(32), New(64), ApiTokens.New(), New(32)));
    }

    private static LocalKeys Write(StateFolder state, LocalKeys keys)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        // Whole or not at all: beside it, then one rename.
        var beside = $"{state.KeysFile}.{Guid.NewGuid():N}";
        using (var file = new FileStream(beside, options))
            JsonSerializer.Serialize(file, keys);
        File.Move(beside, state.KeysFile, overwrite: true);
        return keys;
    }

    private static LocalKeys? Read(string path)
    {
        try
        {
            return
                JsonSerializer.Deserialize<LocalKeys>(File.ReadAllText(path))
                    is { Host: not null, Worker: not null, Storage: not null } keys
                ? keys
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string New(int bytes) => Convert.ToBase64String(RandomNumberGenerator.GetBytes(bytes));
}
