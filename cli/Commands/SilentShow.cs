using System.Text.Json.Nodes;
using Sdxl.Cli.Show;

namespace Sdxl.Cli.Commands;

/// <summary>For commands whose answer alone goes to stdout.</summary>
internal sealed class SilentShow : IShow
{
    public void Stage(string name, string what) { }
    public void Parts(int done, int total) { }
    public void Caption(int index, int total, string picture, string caption) { }
    public void Steps(int step, int total, double? loss, double? stepsPerSecond, double? secondsLeft) { }
    public void Warning(string sentence) { }
    public void Note(string line) { }
    public void Result(JsonObject json, params IReadOnlyList<string> lines) { }
}
