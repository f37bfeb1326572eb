namespace Sdxl.Tests.Infra.Bicep;

/// <summary>Compiled and linted with bicepconfig.json's rules, not a word may be said: the compiler's own warnings cannot be raised to
/// errors.</summary>
public sealed class BicepTests
{
    private static readonly string s_infra = Path.Combine(TestPaths.Root, "infra");

    [Fact]
    public async Task The_template_builds_and_lints_without_a_word()
    {
        var (said, template) = await BicepTool.RunAsync(s_infra, "build", "main.bicep", "--stdout");
        Assert.Equal("", said);
        Assert.Contains("subscriptionDeploymentTemplate.json#", template, StringComparison.Ordinal);

        Assert.Equal(("", ""), await BicepTool.RunAsync(s_infra, "lint", "main.bicep"));
    }

    [Fact]
    public async Task Azds_parameters_fit_the_template()
    {
        var (said, parameters) = await BicepTool.RunAsync(s_infra, "build-params", "main.bicepparam", "--stdout");

        Assert.Equal("", said);
        Assert.Contains("environmentName", parameters, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_misspelt_property_an_unused_parameter_and_an_old_version_are_found()
    {
        using var copy = new InfraCopy();
        copy.Plant("infra/modules/storage.bicep", "allowSharedKeyAccess: false", "allowSharedKeyAcess: false")
            .Plant("infra/modules/identities.bicep", "param names object", "param names object\nparam nobodyReadsIt string = ''")
            .Plant("infra/modules/service-bus.bicep", "Microsoft.ServiceBus/namespaces@2026-01-01",
                "Microsoft.ServiceBus/namespaces@2021-11-01");

        var (said, _) = await BicepTool.RunAsync(copy.At("infra"), "build", "main.bicep", "--stdout");

        Assert.Matches(@"storage\.bicep\(\d+,\d+\) : \w+ BCP0(37|89).*allowSharedKeyAcess", said);
        Assert.Matches(@"identities\.bicep\(\d+,\d+\) : Error no-unused-params", said);
        Assert.Matches(@"service-bus\.bicep\(\d+,\d+\) : Error use-recent-api-versions", said);
    }
}
