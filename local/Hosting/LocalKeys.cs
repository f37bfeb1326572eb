namespace Sdxl.Local.Hosting;

/// <summary>The secrets of this state folder, made once: for the host itself, and for workers on other machines.</summary>
/// <param name="Host">Key of the queues for the programs that the host starts.</param>
/// <param name="Worker">Key of the queues for workers elsewhere.</param>
/// <param name="Storage">Azurite's account key while others may reach it.</param>
/// <param name="Token">Of the HTTP API: the owner's.</param>
/// <param name="Signing">Signs the links to files that need no token, base64.</param>
internal sealed record LocalKeys(string Host, string Worker, string Storage, string Token, string Signing)
{
    private static readonly JsonSerializerOptions Whole = new()
    {
        RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true,
    };

    /// <exception cref="InvalidOperationException">The file with the keys cannot be read.</exception>
    public static LocalKeys Of(StateFolder state)
    {
        if (File.Exists(state.KeysFile))
            return Read(state.KeysFile);
        var keys = new LocalKeys(New(32), New(32), New(64), ApiTokens.New(), New(32));
        PrivateFile.Write(state.KeysFile, JsonSerializer.Serialize(keys));
        return keys;
    }

    private static LocalKeys Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<LocalKeys>(File.ReadAllText(path), Whole) ?? throw new JsonException();
        }
        catch (JsonException)
        {
            throw new InvalidOperationException(
                $"{path} holds no keys. Delete it: the next start makes new ones. Workers elsewhere must join again then, and the owner's "
                + "token is another.");
        }
    }

    private static string New(int bytes) => Convert.ToBase64String(RandomNumberGenerator.GetBytes(bytes));
}
