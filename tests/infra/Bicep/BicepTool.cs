using System.Diagnostics;
using System.Reflection;

namespace Sdxl.Tests.Infra.Bicep;

/// <summary>The Bicep compiler of the NuGet package: one file, runs offline.</summary>
internal static class BicepTool
{
    private static readonly string s_program = Path.Combine(
        typeof(BicepTool).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "Bicep").Value!, "tools",
            OperatingSystem.IsWindows() ? "bicep.exe" : "bicep");

    /// <returns>What it said on standard error, where every warning goes; and on standard output. Its exit code is 0 with warnings, so it
    /// tells little.</returns>
    public static async Task<(string Said, string Output)> RunAsync(string folder, params string[] arguments)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(s_program, File.GetUnixFileMode(s_program) | UnixFileMode.UserExecute);
        var start = new ProcessStartInfo(
            s_program, arguments) { WorkingDirectory = folder, RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["BICEP_TRACING_ENABLED"] = "false";
        using var process = Process.Start(start)!;
        var said = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode == 0 ? await said : $"{await said}exit code {process.ExitCode}", output);
    }
}
