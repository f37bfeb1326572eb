using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace Sdxl.Cli.Setup;

/// <summary>
/// Machine.props, which every project imports: whether the NuGet feed has the Service Bus extension of Functions (else its attribute comes
/// from polyfills/), and whether there is an NVIDIA driver (then the CUDA flavours are taken). Found out once, by restoring; -p:NAME=VALUE
/// of a build wins.
/// </summary>
internal static partial class Machine
{
    private const string Extension = "Microsoft.Azure.Functions.Worker.Extensions.ServiceBus";

    public static string PropsPath => Path.Combine(Places.Root, "Machine.props");

    public static async Task EnsureAsync(Action<string> tell, CancellationToken cancel)
    {
        var versions = await File.ReadAllTextAsync(Path.Combine(Places.Root, "Directory.Packages.props"), cancel);
        var stamp = Path.Combine(Installation.Folder, "machine");
        var key = Convert.ToHexString(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes($"{versions}{Tool.Exists("nvidia-smi")}")));
        if (File.Exists(PropsPath) && File.Exists(stamp) && await File.ReadAllTextAsync(stamp, cancel) == key)
            return;
        tell("looking what this machine and its NuGet feed have");
        var hasExtension = await CanRestoreAsync(Extension, versions, cancel);
        if (!hasExtension)
            tell(
                $"  the feed lacks {Extension}: its attribute is taken from polyfills/, which is enough on this machine but not for a "
                    + "deployment to Azure"
            );
        var hasDriver = Tool.Exists("nvidia-smi") && (await Tool.RunAsync("nvidia-smi", ["-L"], cancel)).ExitCode == 0;
        var cuda = hasDriver && await CanRestoreAsync("TorchSharp-cuda-linux", versions, cancel);
        if (hasDriver)
            tell(
                cuda
                    ? "  an NVIDIA driver: the CUDA flavours are used"
                    : "  an NVIDIA driver, but the feed lacks TorchSharp-cuda-linux: without the GPU"
            );
        await WriteAsync(serviceBusStandIn: !hasExtension, cuda, cancel);
        await File.WriteAllTextAsync(stamp, key, cancel);
    }

    /// <exception cref="CliException">The feed could not be asked.</exception>
    private static async Task<bool> CanRestoreAsync(string package, string versions, CancellationToken cancel)
    {
        var version = Regex.Match(versions, $"Include=\"{Regex.Escape(package)}\" Version=\"([^\"]+)\"").Groups[1].Value;
        var folder = Directory.CreateTempSubdirectory("sdxl-probe-");
        try
        {
            var project = Path.Combine(folder.FullName, "probe.csproj");
            await File.WriteAllTextAsync(
                project,
                $"""
                 <Project Sdk="Microsoft.NET.Sdk">
                   <PropertyGroup><TargetFramework>net10.0</TargetFramework><NuGetAudit>false</NuGetAudit></PropertyGroup>
                   <ItemGroup><PackageReference Include="{package}" Version="{version}" /></ItemGroup>
                 </Project>
                 """,
                cancel);
            var (exitCode, output) = await Tool.RunAsync("dotnet", ["restore", project], cancel);
            if (exitCode == 0)
                return true;
            if (NotServed().IsMatch(output))
                return false;
            throw new CliException(
                $"The NuGet feed cannot be asked for {package} {version}:\n{output.Trim()}\nMend the connection or the feed's "
                    + "configuration, then run the command again."
            );
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>An unchanged answer keeps its file, so that nothing is rebuilt for it.</summary>
    private static async Task WriteAsync(bool serviceBusStandIn, bool cuda, CancellationToken cancel)
    {
        var text = $"""
                    <!-- Written by sdxl's set-up. -->
                    <Project>
                      <PropertyGroup>
                        <ServiceBusStandIn>{(serviceBusStandIn ? "true" : "false")}</ServiceBusStandIn>
                        <SdxlCuda>{(cuda ? "true" : "false")}</SdxlCuda>
                      </PropertyGroup>
                    </Project>

                    """;
        if (!File.Exists(PropsPath) || await File.ReadAllTextAsync(PropsPath, cancel) != text)
            await File.WriteAllTextAsync(PropsPath, text, cancel);
    }

    [GeneratedRegex("NU1101|NU1102")]
    private static partial Regex NotServed();
}
