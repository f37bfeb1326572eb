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

    /// <summary>
    /// Nothing runs beside azd itself but the question whether the functions were built whole: what another hook would do, the template or
    /// a program does, where it is compiled and tested.
    /// </summary>
    [Fact]
    public void The_only_hook_asks_a_target_that_is_there_and_there_are_no_scripts()
    {
        var (name, service) = Assert.Single(s_file.Services, s => s.Value.Hooks is not null);
        var hook = service.Hooks!.Prepackage;
        Assert.Equal(("functions", "sh"), (name, hook.Shell));
        var command = Regex.Match(hook.Run, "^dotnet msbuild (?<project>\\S+) -nologo -t:(?<target>\\w+)$");
        Assert.True(command.Success, hook.Run);
        var project = At(service.Project, command.Groups["project"].Value);
        Assert.Contains($"<Target Name=\"{command.Groups["target"].Value}\" ", File.ReadAllText(project), StringComparison.Ordinal);
        Assert.Single(Regex.Matches(s_text, "(?m)^ *hooks:"));
        Assert.DoesNotContain(Directory.GetFiles(At("infra"), "*.*", SearchOption.AllDirectories),
            file => Path.GetExtension(file) is ".sh" or ".ps1");
    }

    [Theory]
    [InlineData("remoteBuild: true", "remotebuild: true")]
    [InlineData("remoteBuild: true", "remoteBuild: perhaps")]
    [InlineData("language: docker", "language: docker\n    hooks: {}")]
    [InlineData("prepackage:", "prepackge:")]
    public void A_misspelt_key_a_wrong_type_and_a_hook_of_nothing_are_found(string right, string wrong) =>
        Assert.ThrowsAny<YamlException>(() => AzureYaml.Read(s_text.Replace(right, wrong, StringComparison.Ordinal)));

    private static string At(params string[] path) => Path.Combine([TestPaths.Root, .. path]);
}
