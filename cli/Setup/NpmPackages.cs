using System.Security.Cryptography;

namespace Sdxl.Cli.Setup;

/// <summary>Azurite, the blob storage of a laptop, at the version of tools/npm/package-lock.json; and node, which runs it.</summary>
internal static class NpmPackages
{
    private static string Folder => Path.Combine(Places.Root, "tools", "npm");

    /// <exception cref="CliException">node or npm is missing and cannot be installed from here, or npm failed.</exception>
    public static async Task EnsureAsync(Action<string> tell, CancellationToken cancel)
    {
        await EnsureNodeAsync(tell, cancel);
        await EnsureAsync(Folder, "azurite, the blob storage of this machine", tell, cancel);
    }

    /// <param name="folder">Of package.json and package-lock.json.</param>
    /// <param name="what">What they are, for the line that tells of it.</param>
    public static async Task EnsureAsync(string folder, string what, Action<string> tell, CancellationToken cancel)
    {
        var modules = new DirectoryInfo(Path.Combine(folder, "node_modules"));
        var stamp = Path.Combine(Installation.Folder, $"npm-{Path.GetFileName(folder)}");
        var key = Convert.ToHexString(SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(folder, "package-lock.json"), cancel)));
        if (modules.Exists && File.Exists(stamp) && await File.ReadAllTextAsync(stamp, cancel) == key)
            return;
        if (modules.LinkTarget is null) // a link is somebody's shared copy: left alone
        {
            tell($"installing: {what}, at the version of {Path.GetRelativePath(Places.Root, folder)}/package-lock.json");
            await Tool.RunQuietlyAsync("npm", "npm", ["ci", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund"], cancel);
        }
        await File.WriteAllTextAsync(stamp, key, cancel);
    }

    private static async Task EnsureNodeAsync(Action<string> tell, CancellationToken cancel)
    {
        if (Tool.Exists("node") && Tool.Exists("npm"))
            return;
        // Another node's npm comes with it, Debian's does not.
        await SystemPackages.InstallAsync(
            ["nodejs", "npm"], "node (18 or newer) with npm is not installed; it runs Azurite, the blob storage of this machine.",
            "Get it from https://nodejs.org and run the command again.", tell, cancel);
    }
}
