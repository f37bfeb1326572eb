using System.Globalization;
using System.Threading.Channels;
using Sdxl.Core.Jobs;
using Sdxl.Core.Messages;
using Sdxl.Diffusion.Training;
using Sdxl.GpuWorker.Telemetry;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>One thing that a training said.</summary>
public abstract record TrainingReport
{
    private TrainingReport() { }

    /// <summary>It began, or began again after going back: numbers and samples of later steps are void.</summary>
    public sealed record Began(int Step) : TrainingReport;

    public sealed record Line(string Text) : TrainingReport;

    public sealed record Progressed(JobProgress Progress) : TrainingReport;

    public sealed record Checkpoint(string Folder) : TrainingReport;

    public sealed record Kept(string Folder, int Step) : TrainingReport;

    public sealed record Sample(string File, string Prompt, int Step) : TrainingReport;

    /// <summary>All pictures that the user asked for were told.</summary>
    public sealed record AskedSamples(int Step) : TrainingReport;
}

/// <summary>Turns what the trainer says, on its own thread, into reports: progress at most once a second, the loss smoothed.</summary>
public sealed class TrainingReporter(TrainingJob job, string device, double progressSeconds, TimeProvider time) : ITrainingObserver
{
    private const double LossSmoothing = 0.95;
    private const double SpeedWindowSeconds = 10;
    private const double BytesOfMebibyte = 1 << 20;

    private readonly Channel<TrainingReport> _reports = Channel.CreateUnbounded<TrainingReport>(
        new UnboundedChannelOptions { SingleReader = true }
    );
    private readonly Queue<(DateTimeOffset At, int Step)> _recent = new();
    private DateTimeOffset _lastTold;
    private double? _loss;
    private int _total;

    public ChannelReader<TrainingReport> Reports => _reports.Reader;

    public void Complete() => _reports.Writer.Complete();

    public void Started(string deviceName, int resumedAtStep, int totalSteps)
    {
        _total = totalSteps;
        _recent.Clear();
        Tell(new TrainingReport.Began(resumedAtStep));
        var resumed =
            resumedAtStep > 0 ? string.Create(CultureInfo.InvariantCulture, $", going on from the checkpoint at step {resumedAtStep}") : "";
        Log($"Training on {deviceName}{resumed}.");
        Tell(
            new TrainingReport.Progressed(
                new JobProgress(job.Attempt, resumedAtStep, totalSteps, null, null, null, time.GetUtcNow(), deviceName)
            )
        );
    }

    public void Stepped(StepMetrics metrics)
    {
        var now = time.GetUtcNow();
        _loss = _loss is { } old ? old * LossSmoothing + metrics.Loss * (1 - LossSmoothing) : metrics.Loss;
        _recent.Enqueue((now, metrics.Step));
        while (_recent.Count > 2 && now - _recent.Peek().At > TimeSpan.FromSeconds(SpeedWindowSeconds))
            _recent.Dequeue();
        if (now - _lastTold < TimeSpan.FromSeconds(progressSeconds) && metrics.Step < _total)
            return;
        _lastTold = now;
        var (firstAt, firstStep) = _recent.Peek();
        var seconds = (now - firstAt).TotalSeconds;
        double? speed = seconds > 0 && metrics.Step > firstStep ? (metrics.Step - firstStep) / seconds : null;
        var mebibytes = metrics.DevicePeakMebibytes ?? metrics.PeakMebibytes;
        Tell(
            new TrainingReport.Progressed(
                new JobProgress(
                    job.Attempt,
                    metrics.Step,
                    _total,
                    _loss,
                    speed,
                    (_total - metrics.Step) / speed,
                    now,
                    device,
                    (long)(mebibytes * BytesOfMebibyte)
                )
            )
        );
        JobTelemetry.Progress(device, speed, mebibytes);
        if (job.Inputs.Verbose)
            Log(ProgressLine(metrics.Step, speed));
    }

    public void CheckpointWritten(string folder, int step) => Tell(new TrainingReport.Checkpoint(folder));

    public void CheckpointKept(string folder, int step) => Tell(new TrainingReport.Kept(folder, step));

    public void SampleDrawn(string file, string prompt, int step)
    {
        Log(string.Create(CultureInfo.InvariantCulture, $"Sample at step {step}: {prompt}"));
        Tell(new TrainingReport.Sample(file, prompt, step));
    }

    public void AskedSamplesDrawn(int step) => Tell(new TrainingReport.AskedSamples(step));

    public void Log(string line) => Tell(new TrainingReport.Line(line));

    /// <summary>
    /// The line that Replicate's clients read progress from: " 50%|##########          | 500/1000 [loss 0.1000, 4.20 steps/s]".
    /// </summary>
    private string ProgressLine(int step, double? speed)
    {
        const int width = 20;
        var filled = _total == 0 ? 0 : (int)((long)step * width / _total);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{100L * step / Math.Max(1, _total), 3}%|{new string('#', filled).PadRight(width)}| {step}/{_total} [loss {_loss:F4}, "
                + $"{speed ?? 0:F2} steps/s]"
        );
    }

    private void Tell(TrainingReport report) => _reports.Writer.TryWrite(report);
}
