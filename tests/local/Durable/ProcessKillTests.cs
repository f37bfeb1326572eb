using Microsoft.Data.Sqlite;
using Sdxl.Local.Durable;

namespace Sdxl.Local.Tests.Durable;

public sealed class ProcessKillTests
{
    [Fact]
    public async Task A_process_killed_with_signal_9_again_and_again_ends_with_the_right_sum_and_repeats_no_recorded_activity()
    {
        using var folder = new TempFolder();
        var database = folder.File("durable.db");
        var log = folder.File("steps.log");
        var recorded = new HashSet<int>();
        string? last = null;
        for (var life = 0; last?.StartsWith("Completed", StringComparison.Ordinal) != true; life++)
        {
            Assert.True(life < 30, $"no end after 30 lives; last line: {last}");
            var ranBefore = File.Exists(log) ? File.ReadAllLines(log).Length : 0;
            using var child = ChildProgram.Start("durable", database, log);
            for (var line = 0; line < 3 + life * 3 && await child.StandardOutput.ReadLineAsync() is { } text; line++)
                last = text;
            child.Kill();
            await child.WaitForExitAsync();

            var ranNow = File.Exists(log) ? File.ReadAllLines(log).Skip(ranBefore).Select(int.Parse).ToList() : [];
            Assert.Empty(ranNow.Intersect(recorded));
            recorded.UnionWith(Recorded(database));
        }

        Assert.Equal("Completed 78", last); // 1 + 2 + … + 12
        Assert.Equal(Enumerable.Range(1, ChildProgram.Steps), File.ReadAllLines(log).Select(int.Parse).Distinct().Order());
    }

    /// <summary>The steps whose result the database has, in the history or still in the inbox.</summary>
    private static List<int> Recorded(string database)
    {
        if (!File.Exists(database))
            return [];
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = database, Pooling = false }.ToString());
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText =
            $"SELECT payload FROM history WHERE kind = '{HistoryKind.ActivityCompleted}' UNION SELECT payload FROM inbox WHERE kind = '{HistoryKind.ActivityCompleted}'";
        using var rows = command.ExecuteReader();
        var steps = new List<int>();
        while (rows.Read())
            steps.Add(int.Parse(rows.GetString(0), System.Globalization.CultureInfo.InvariantCulture));
        return steps;
    }
}
