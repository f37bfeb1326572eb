using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Sdxl.Tests.Infra.Azd;

/// <summary>azd's azure.yaml, as far as ours may go: a key that is not among these properties is an error. Names: azd's schema,
/// v1.0.</summary>
internal sealed class AzureYaml
{
    public required string Name { get; set; }
    public Dictionary<string, string>? RequiredVersions { get; set; }
    public required AzdInfra Infra { get; set; }
    public required Dictionary<string, AzdService> Services { get; set; }

    /// <exception cref="YamlException">Not YAML, or not of this form; the message says where.</exception>
    public static AzureYaml Read(string text) =>
        new DeserializerBuilder().WithNamingConvention(CamelCaseNamingConvention.Instance)
            .WithDuplicateKeyChecking().WithEnforceRequiredMembers().Build()
            .Deserialize<AzureYaml>(text);
}

internal sealed class AzdInfra
{
    public required string Provider { get; set; }
    public required string Path { get; set; }
    public required string Module { get; set; }
}

internal sealed class AzdService
{
    public required string Project { get; set; }
    public required string Language { get; set; }
    public required string Host { get; set; }
    public AzdDocker? Docker { get; set; }
    public AzdHooks? Hooks { get; set; }
}

/// <summary>Of a service; ours has one.</summary>
internal sealed class AzdHooks
{
    public required AzdHook Prepackage { get; set; }
}

internal sealed class AzdHook
{
    public required string Shell { get; set; }
    public required string Run { get; set; }
}

internal sealed class AzdDocker
{
    public required string Path { get; set; }
    public required string Context { get; set; }
    public required string Platform { get; set; }
    public bool RemoteBuild { get; set; }
}
