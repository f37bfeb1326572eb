using System.Globalization;
using System.Text.Json.Nodes;
using Sdxl.Cli.Api;
using Sdxl.Cli.Hosting;
using Sdxl.Core.Json;

namespace Sdxl.Cli.Commands;

/// <summary>
/// What the commands that ask and change single things have in common: a link to the service, and rows as columns or JSON.
/// </summary>
internal static class Listing
{
    /// <summary>Runs with a link to the service: the running host, one started for this command, or the one logged in to.</summary>
    public static async Task<int> RunAsync(Func<ApiClient, Task> action, CancellationToken cancel)
    {
        await using var host = await HostLink.OpenWithoutWorkerAsync(new SilentShow(), cancel);
        await action(host.Api);
        return CommandRunner.Succeeded;
    }

    /// <summary>One JSON object a line, or its columns, as wide as they need to be.</summary>
    /// <param name="none">Said where there is nothing.</param>
    public static void Write(IReadOnlyList<JsonObject> items, bool json, string none, params Func<JsonObject, string>[] columns)
    {
        if (json)
        {
            foreach (var item in items)
                Write(item);
            return;
        }
        if (items.Count == 0)
            Console.WriteLine(none);
        var rows = items.Select(item => columns.Select(column => column(item)).ToArray()).ToList();
        foreach (var row in rows)
            Console.WriteLine(string.Join("  ", row.Select((text, i) => text.PadRight(rows.Max(other => other[i].Length)))).TrimEnd());
    }

    public static void Write(JsonObject item) => Console.WriteLine(item.ToJsonString(SdxlJson.Options));

    public static string Text(JsonObject item, string name) => item[name]?.ToString() ?? "";

    /// <summary>Local time to the minute; empty where there is none.</summary>
    public static string Time(JsonObject item, string name) =>
        DateTimeOffset.TryParse(Text(item, name), CultureInfo.InvariantCulture, out var time)
            ? time.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) : "";
}
