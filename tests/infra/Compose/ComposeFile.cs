using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Sdxl.Tests.Infra.Compose;

/// <summary>A Compose file, as far as ours may go: a key that is not among these properties is an error. Names and types:
/// compose-spec.io.</summary>
internal sealed class ComposeFile
{
    public required string Name { get; set; }
    [YamlMember(Alias = "x-telemetry", ApplyNamingConventions = false)]
    public Dictionary<string, string>? Telemetry { get; set; }
    public required Dictionary<string, ComposeService> Services { get; set; }
    public Dictionary<string, Dictionary<string, string>>? Volumes { get; set; }

    /// <exception cref="YamlException">Not YAML, or not of this form; the message says where.</exception>
    public static ComposeFile Read(string text) => new DeserializerBuilder().WithNamingConvention(UnderscoredNamingConvention.Instance)
        .WithDuplicateKeyChecking().Build()
        .Deserialize<ComposeFile>(new MergingParser(new Parser(new StringReader(text))));
}

internal sealed class ComposeService
{
    public ComposeBuild? Build { get; set; }
    public required string Image { get; set; }
    public List<string> Profiles { get; set; } = [];
    public List<string> Ports { get; set; } = [];
    public string? NetworkMode { get; set; }
    public string? User { get; set; }
    public bool ReadOnly { get; set; }
    public List<string> CapDrop { get; set; } = [];
    public List<string> SecurityOpt { get; set; } = [];
    public Dictionary<string, ComposeCondition> DependsOn { get; set; } = [];
    public Dictionary<string, string> Environment { get; set; } = [];
    public List<string> Volumes { get; set; } = [];
    public List<string> Tmpfs { get; set; } = [];
    public ComposeHealthcheck? Healthcheck { get; set; }
    public ComposeDeploy? Deploy { get; set; }
    public string? StopGracePeriod { get; set; }
    public string? Restart { get; set; }
}

internal sealed class ComposeBuild
{
    public required string Context { get; set; }
    public required string Dockerfile { get; set; }
}

internal sealed class ComposeCondition
{
    /// <summary>service_started, service_healthy, service_completed_successfully.</summary>
    public required string Condition { get; set; }
}

internal sealed class ComposeHealthcheck
{
    public required List<string> Test { get; set; }
    public required string Interval { get; set; }
    public required string Timeout { get; set; }
    public int Retries { get; set; }
}

internal sealed class ComposeDeploy
{
    public required ComposeResources Resources { get; set; }
}

internal sealed class ComposeResources
{
    public required ComposeReservations Reservations { get; set; }
}

internal sealed class ComposeReservations
{
    public required List<ComposeDevice> Devices { get; set; }
}

internal sealed class ComposeDevice
{
    public required string Driver { get; set; }
    public int Count { get; set; }
    public required List<string> Capabilities { get; set; }
}
