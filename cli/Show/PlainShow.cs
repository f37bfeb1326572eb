using System.Globalization;
using System.Text.Json.Nodes;

namespace Sdxl.Cli.Show;

/// <summary>Plain lines for pipes and logs: no colours, no cursor movements, training steps at most every few seconds.</summary>
internal sealed class PlainShow(TextWriter output, TimeProvider? time = null) : IShow
{
    private static readonly TimeSpan StepsEvery = TimeSpan.FromSeconds(5);
    private readonly TimeProvider time = time ?? TimeProvider.System;
    private long lastSteps;

    public void Stage(string name, string what) => Write(name, what);

    public void Parts(int done, int total) { } // captions say it

    public void Caption(int index, int total, string picture, string caption) =>
        Write("picture", string.Create(CultureInfo.InvariantCulture, $"{index} of {total}: {picture}: {caption}"));

    public void Steps(int step, int total, double? loss, double? stepsPerSecond, double? secondsLeft)
    {
        if (lastSteps != 0 && step < total && time.GetElapsedTime(lastSteps) < StepsEvery)
            return;
        lastSteps = time.GetTimestamp();
        var speed = Shows.Speed(loss, stepsPerSecond, secondsLeft);
        Write("train", string.Create(CultureInfo.InvariantCulture, $"step {step} of {total}{(speed.Length > 0 ? ", " : "")}{speed}"));
    }

    public void Warning(string sentence) => Write("warning", sentence);

    public void Note(string line) => Write("", line);

    public void Result(JsonObject json, params IReadOnlyList<string> lines)
    {
        output.WriteLine();
        foreach (var line in lines)
            output.WriteLine(line);
        output.Flush();
    }

    private void Write(string word, string text)
    {
        output.WriteLine($"{word,-8} {text}");
        output.Flush();
    }
}
