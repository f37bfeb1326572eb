using System.Globalization;
using System.Text.Json.Nodes;

namespace Sdxl.Cli.Show;

/// <summary>
/// Plain lines for pipes, logs and simple terminals: no colours, no cursor movements, steps and parts at most every few seconds.
/// </summary>
internal sealed class PlainShow(TextWriter output, TimeProvider? time = null) : IShow
{
    private static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(5);
    private readonly TimeProvider time = time ?? TimeProvider.System;
    private string stage = "";
    private long lastProgress;
    private bool captions;

    public void Stage(string name, string what)
    {
        (stage, lastProgress, captions) = (name, 0, false);
        Write(name, what);
    }

    public void Parts(int done, int total)
    {
        if (done > 0 && !captions && IsTime(done, total)) // captions say it
            Write(stage, string.Create(CultureInfo.InvariantCulture, $"{done} of {total}"));
    }

    public void Caption(int index, int total, string picture, string caption)
    {
        captions = true;
        Write("picture", string.Create(CultureInfo.InvariantCulture, $"{index} of {total}: {picture}: {caption}"));
    }

    public void Steps(int step, int total, double? loss, double? stepsPerSecond, double? secondsLeft)
    {
        if (!IsTime(step, total))
            return;
        var speed = Shows.Speed(loss, stepsPerSecond, secondsLeft);
        Write(stage, string.Create(CultureInfo.InvariantCulture, $"step {step} of {total}{(speed.Length > 0 ? ", " : "")}{speed}"));
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

    /// <summary>The first news of a stage, its end, and what comes every few seconds between.</summary>
    private bool IsTime(int done, int total)
    {
        if (lastProgress != 0 && done < total && time.GetElapsedTime(lastProgress) < ProgressEvery)
            return false;
        lastProgress = time.GetTimestamp();
        return true;
    }

    private void Write(string word, string text)
    {
        output.WriteLine($"{word,-8} {text}");
        output.Flush();
    }
}
