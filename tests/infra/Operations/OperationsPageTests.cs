using System.Text.RegularExpressions;

namespace Sdxl.Tests.Infra.Operations;

/// <summary>docs/operations.md says what is so.</summary>
public sealed class OperationsPageTests
{
    private static readonly string s_page = File.ReadAllText(Path.Combine(TestPaths.Root, "docs", "operations.md"));

    [Fact]
    public void The_cost_table_is_the_models()
    {
        var table = CostModel.Table(0, 10, 1000);

        Assert.True(s_page.Contains(table, StringComparison.Ordinal), $"docs/operations.md has another cost table than:\n{table}");
    }

    [Fact]
    public void Every_alert_points_to_a_chapter_that_is_there()
    {
        var alerts = File.ReadAllText(Path.Combine(TestPaths.Root, "infra", "modules", "alerts.bicep"));
        var chapters = Regex.Matches(alerts, "docs/operations\\.md, \"(?<chapter>[^\"]+)\"").Select(match => match.Groups["chapter"].Value)
            .ToList();

        Assert.NotEmpty(chapters);
        Assert.All(chapters, chapter => Assert.Contains($"\n## {chapter}\n", s_page, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_variable_that_the_page_sets_is_read_by_the_parameter_file()
    {
        var parameters = File.ReadAllText(Path.Combine(TestPaths.Root, "infra", "main.bicepparam"));
        var set = Regex.Matches(s_page, "azd env set (?<name>[A-Z0-9_]+)").Select(match => match.Groups["name"].Value).Distinct().ToList();

        Assert.NotEmpty(set);
        Assert.All(set, name => Assert.Contains($"'{name}'", parameters, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_output_that_the_page_uses_is_one_of_the_templates()
    {
        var outputs = Regex.Matches(File.ReadAllText(Path.Combine(TestPaths.Root, "infra", "main.bicep")), "^output (?<name>[A-Z_]+) ",
            RegexOptions.Multiline).Select(m => m.Groups["name"].Value);
        var used = Regex.Matches(s_page, "azd env get-value (?<name>[A-Z0-9_]+)").Select(match => match.Groups["name"].Value).Distinct()
            .ToList();

        Assert.NotEmpty(used);
        Assert.Subset(outputs.ToHashSet(), used.ToHashSet());
    }

    [Fact]
    public void Measurements_of_alerts_workbook_and_page_are_those_that_the_code_makes()
    {
        var made = new[] { "functions", "gpu-worker" }.SelectMany(
            room => Directory.EnumerateFiles(Path.Combine(TestPaths.Root, room), "*.cs", SearchOption.AllDirectories))
            .SelectMany(file => Regex.Matches(File.ReadAllText(file), "(Of|Create\\w+<\\w+>)\\(\\s*\"(?<name>sdxl\\.[a-z_.]+)\""))
                .Select(match => match.Groups["name"].Value).ToHashSet();
        foreach (var file in new[] { "infra/modules/alerts.bicep", "infra/workbook.json", "docs/operations.md" })
        {
            var named = Regex.Matches(File.ReadAllText(
                Path.Combine(TestPaths.Root, file)), "sdxl\\.(queue|training|trainings|run)\\.[a-z_]+").Select(match => match.Value)
                .ToHashSet();
            Assert.NotEmpty(named);
            Assert.Subset(made, named);
        }
    }
}
