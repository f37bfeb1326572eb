namespace Sdxl.Cli.Setup;

/// <summary>Debian packages, where set-up or a benchmark wants programs that are not there.</summary>
internal static class SystemPackages
{
    /// <param name="packages">By Debian's names.</param>
    /// <param name="what">What is missing and what for, as a clause: "node with npm is not installed; it runs Azurite …".</param>
    /// <param name="elsewhere">What to do on a system without apt-get.</param>
    /// <exception cref="CliException">They cannot be installed from here; the sentence says how.</exception>
    public static async Task InstallAsync(string[] packages, string what, string elsewhere, Action<string> tell, CancellationToken cancel)
    {
        if (!Tool.Exists("apt-get"))
            throw new CliException($"{what} {elsewhere}");
        if (!Environment.IsPrivilegedProcess)
        {
            throw new CliException($"{what} Installing needs root. Run this once, then the command again:\n"
                + $"  sudo apt-get update && sudo apt-get install -y --no-install-recommends {string.Join(' ', packages)}");
        }
        tell($"{what} Installing {string.Join(", ", packages)}");
        await Tool.RunQuietlyAsync("apt-update", "apt-get", ["update"], cancel);
        await Tool.RunQuietlyAsync("apt-install", "apt-get", ["install", "-y", "--no-install-recommends", .. packages], cancel);
    }
}
