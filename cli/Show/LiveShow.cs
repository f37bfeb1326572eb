using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Sdxl.Cli.Show;

/// <summary>Stages with progress bars on a terminal; captions and warnings scroll above them.</summary>
internal sealed class LiveShow : IShow
{
    private readonly IAnsiConsole console;
    private readonly ProgressContext progress;
    private readonly List<Action> afterwards = [];
    private ProgressTask? current;
    private string name = "";
    private string what = "";

    private LiveShow(IAnsiConsole console, ProgressContext progress)
    {
        this.console = console;
        this.progress = progress;
    }

    public static async Task<T> RunAsync<T>(IAnsiConsole console, Func<IShow, Task<T>> action)
    {
        LiveShow? show = null;
        var result = await console
            .Progress()
            .AutoRefresh(true)
            .AutoClear(false)
            .HideCompleted(false)
            .Columns(
                new SpinnerColumn { CompletedText = "✓", CompletedStyle = new Style(Color.Green) },
                new TextColumn(),
                new ProgressBarColumn { Width = 30 }
            )
            .StartAsync(async context =>
            {
                show = new LiveShow(console, context);
                var value = await action(show);
                show.Finish();
                return value;
            });
        // The result belongs below the bars, which are drawn until here.
        foreach (var write in show!.afterwards)
            write();
        return result;
    }

    public void Stage(string name, string what)
    {
        Finish();
        (this.name, this.what) = (name, what);
        current = progress.AddTask(Label(what)).IsIndeterminate();
    }

    public void Parts(int done, int total)
    {
        if (current is null || total <= 0)
            return;
        current.IsIndeterminate(false).MaxValue(total).Value(done);
        current.Description = Label(string.Create(CultureInfo.InvariantCulture, $"{what} ({done} of {total})"));
    }

    public void Caption(int index, int total, string picture, string caption) =>
        console.MarkupLineInterpolated($"  [grey]{picture}[/] {caption}");

    public void Steps(int step, int total, double? loss, double? stepsPerSecond, double? secondsLeft)
    {
        if (current is null || total <= 0)
            return;
        current.IsIndeterminate(false).MaxValue(total).Value(step);
        var speed = Shows.Speed(loss, stepsPerSecond, secondsLeft);
        current.Description = Label(
            string.Create(CultureInfo.InvariantCulture, $"step {step} of {total}{(speed.Length > 0 ? ", " : "")}{speed}")
        );
    }

    public void Warning(string sentence) => console.MarkupLineInterpolated($"  [yellow]warning[/] {sentence}");

    public void Note(string line) => console.MarkupLineInterpolated($"  [grey]{line}[/]");

    public void Result(JsonObject json, params IReadOnlyList<string> lines)
    {
        Finish();
        afterwards.Add(() =>
        {
            console.WriteLine();
            foreach (var line in lines)
                console.WriteLine(line);
        });
    }

    private void Finish()
    {
        if (current is null)
            return;
        current.IsIndeterminate(false);
        current.Value = current.MaxValue;
        current.StopTask();
        current = null;
    }

    private string Label(string text) => string.Create(CultureInfo.InvariantCulture, $"[bold]{name,-8}[/] {text.EscapeMarkup()}");

    /// <summary>The stage's name and what it is at, left-aligned; Spectre's own column is right-aligned and wraps.</summary>
    private sealed class TextColumn : ProgressColumn
    {
        protected override bool NoWrap => true;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Markup(task.Description).Overflow(Overflow.Ellipsis).LeftJustified();
    }
}
