using System.Text.RegularExpressions;
using YamlDotNet.Core;

namespace Sdxl.Tests.Infra.Azd;

/// <summary>azure.yaml: of azd's form, and it finds what it names.</summary>
public sealed class AzureYamlTests
{
    private static readonly string s_text = File.ReadAllText(Path.Combine(TestPaths.Root, "azure.yaml"));
    private static readonly AzureYaml s_file = AzureYaml.Read(s_text);

    [Fact]
    public void Template_projects_and_Dockerfiles_are_where_it_says()
    {
        Assert.Matches("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", s_file.Name);
        Assert.Equal("bicep", s_file.Infra.Provider);
        Assert.True(File.Exists(At(s_file.Infra.Path, s_file.Infra.Module + ".bicep")));
        Assert.Single(Directory.GetFiles(At(s_file.Services["functions"].Project), "*.csproj"));
        Assert.True(File.Exists(At(s_file.Services["worker"].Project, s_file.Services["worker"].Docker!.Path)));
        // A host "function" takes no docker part, a "containerapp" needs one here.
        Assert.Equal([("functions", "function", false), ("worker", "containerapp", true)],
            s_file.Services.Select(s => (s.Key, s.Value.Host, s.Value.Docker is not null)).Order());
    }

    [Fact]
    public void Each_service_is_one_resource_by_its_tag()
    {
        var tags = Directory.GetFiles(At("infra"), "*.bicep", SearchOption.AllDirectories)
            .SelectMany(file => Regex.Matches(File.ReadAllText(file), "'azd-service-name': '(?<name>[a-z]+)'"))
                .Select(match => match.Groups["name"].Value);

        Assert.Equal(s_file.Services.Keys.Order(), tags.Order());
    }

    /// <summary>Nothing runs beside azd itself: what a hook would do, the template or a program does, where it is compiled and
    /// tested.</summary>
    [Fact]
    public void There_are_no_hooks_and_no_scripts()
    {
        Assert.DoesNotContain("hooks", s_text, StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.GetFiles(At("infra"), "*.*", SearchOption.AllDirectories),
            file => Path.GetExtension(file) is ".sh" or ".ps1");
    }

    [Theory]
    [InlineData("remoteBuild: true", "remotebuild: true")]
    [InlineData("remoteBuild: true", "remoteBuild: perhaps")]
    [InlineData("language: dotnet", "language: dotnet\n    hooks: {}")]
    public void A_misspelt_key_a_wrong_type_and_a_hook_are_found(string right, string wrong) =>
        Assert.ThrowsAny<YamlException>(() => AzureYaml.Read(s_text.Replace(right, wrong, StringComparison.Ordinal)));

    private static string At(params string[] path) => Path.Combine([TestPaths.Root, .. path]);
}
