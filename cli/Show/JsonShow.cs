using System.Text.Json.Nodes;
using Sdxl.Core.Json;

namespace Sdxl.Cli.Show;

/// <summary>One JSON object a line, flushed at once; "event" says which kind, the result has none and comes last.</summary>
internal sealed class JsonShow(TextWriter output) : IShow
{
    public void Stage(string name, string what) => Write(new { @event = "stage", stage = name, what });

    public void Parts(int done, int total) => Write(new { @event = "parts", done, total });

    public void Caption(int index, int total, string picture, string caption) =>
        Write(
            new
            {
                @event = "caption",
                index,
                total,
                picture,
                caption,
            }
        );

    public void Steps(int step, int total, double? loss, double? stepsPerSecond, double? secondsLeft) =>
        Write(new { @event = "progress", step, total, loss, stepsPerSecond, secondsLeft });

    public void Warning(string sentence) => Write(new { @event = "warning", sentence });

    public void Note(string line) => Write(new { @event = "note", line });

    public void Result(JsonObject json, params IReadOnlyList<string> lines)
    {
        output.WriteLine(json.ToJsonString(SdxlJson.Options));
        output.Flush();
    }

    private void Write<T>(T line)
    {
        output.WriteLine(SdxlJson.Serialize(line));
        output.Flush();
    }
}
