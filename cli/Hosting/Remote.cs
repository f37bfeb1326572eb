using System.Text.Json;
using Sdxl.Core.Hosting;
using Sdxl.Core.Json;

namespace Sdxl.Cli.Hosting;

/// <summary>A service elsewhere that the commands speak to instead of this machine's own host.</summary>
/// <param name="Url">Root of its HTTP API.</param>
/// <param name="Token">Of that API.</param>
internal sealed record Remote(Uri Url, string? Token)
{
    public const string UrlVariable = "SDXL_URL", TokenVariable = "SDXL_API_TOKEN";

    /// <summary>What ./sdxl login wrote: for its owner alone, in the folder where programs keep their settings.</summary>
    public static string File { get; } =
        Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify),
            "sdxl",
            "login.json"
        );

    /// <summary>
    /// --url or SDXL_URL, with SDXL_API_TOKEN or the token of a login there; else the login; null: this machine's own host.
    /// </summary>
    public static Remote? Current()
    {
        var login = Login();
        var token = Environment.GetEnvironmentVariable(TokenVariable) is { Length: > 0 } given ? given : null;
        if (Environment.GetEnvironmentVariable(UrlVariable) is { Length: > 0 } address)
        {
            var url = Parse(address);
            return new Remote(url, token ?? (login?.Url == url ? login.Token : null));
        }
        return login is null ? null : login with { Token = token ?? login.Token };
    }

    /// <exception cref="CliException">It is no http(s) address.</exception>
    public static Uri Parse(string address) =>
        Uri.TryCreate(address.TrimEnd('/') + "/", UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            ? url
            : throw new CliException($"'{address}' is no address of a service. Give one such as https://sdxl.example.com.");

    public void Save()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        PrivateFile.Write(File, SdxlJson.Serialize(this));
    }

    private static Remote? Login()
    {
        try
        {
            return SdxlJson.Deserialize<Remote>(System.IO.File.ReadAllText(File));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException e)
        {
            throw new CliException($"{File} is not what ./sdxl login writes. Log in again, or delete it.", e);
        }
    }
}
