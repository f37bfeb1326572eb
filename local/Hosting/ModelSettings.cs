using Microsoft.Extensions.Configuration;

namespace Sdxl.Local.Hosting;

/// <summary>Settings that differ on one machine: where the models lie and where the worker scratches. The environment and the command line win.</summary>
internal static class ModelSettings
{
    private const string LocalBase = "toy"; // small enough for a laptop; SDXL itself wants a GPU

    public static Dictionary<string, string?> Defaults(LocalArguments arguments) => new()
    {
        ["Sdxl:ModelsFolder"] = Environment.GetEnvironmentVariable("SDXL_MODELS") is { Length: > 0 } models ? Path.GetFullPath(models) : Path.Combine(arguments.Root, "models"),
        ["Sdxl:NetsAreHere"] = bool.TrueString,
        ["Sdxl:DefaultBase"] = LocalBase,
        ["Sdxl:ScratchFolder"] = arguments.State.Worker,
    };

    /// <summary>Defaults below everything that is there already, the command line above.</summary>
    public static void Apply(IConfigurationManager configuration, LocalArguments arguments)
    {
        configuration.Sources.Insert(0, new Microsoft.Extensions.Configuration.Memory.MemoryConfigurationSource { InitialData = Defaults(arguments) });
        configuration.AddCommandLine(arguments.Settings);
    }
}
