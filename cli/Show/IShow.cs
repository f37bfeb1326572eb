using System.Text.Json.Nodes;

namespace Sdxl.Cli.Show;

/// <summary>How a command tells what happens: live on a terminal, as plain lines in a pipe, as JSON lines for programs.</summary>
internal interface IShow
{
    /// <summary>A stage begins; the one before is done.</summary>
    /// <param name="name">One word: start, upload, unpack, pictures, train, publish, draw.</param>
    /// <param name="what">What it works on, in a few words.</param>
    void Stage(string name, string what);

    /// <summary>Parts of the current stage.</summary>
    void Parts(int done, int total);

    /// <summary>A picture has its caption.</summary>
    void Caption(int index, int total, string picture, string caption);

    /// <summary>Training steps. Loss, steps a second and seconds left are null while unknown.</summary>
    void Steps(int step, int total, double? loss, double? stepsPerSecond, double? secondsLeft);

    /// <summary>Something the user should know.</summary>
    void Warning(string sentence);

    /// <summary>A line of plain information.</summary>
    void Note(string line);

    /// <summary>The result: the JSON object for programs, the lines for people.</summary>
    void Result(JsonObject json, params IReadOnlyList<string> lines);
}
