using System.Globalization;
using System.Threading.Channels;
using Sdxl.Core.Messages;
using Sdxl.Diffusion.Training;
using Sdxl.GpuWorker.Telemetry;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>One thing to pass on: an event to send, or a checkpoint to store.</summary>
public sealed record TrainingReport(WorkerEvent? Event, string? Checkpoint);

/// <summary>Turns what the trainer says, on its own thread, into events: progress at most once a second, the loss smoothed.</summary>
public sealed class TrainingReporter(TrainingJob job, string device, double progressSeconds, TimeProvider time) : ITrainingObserver
{
    private const double LossSmoothing = 0.95;
    private const double SpeedWindowSeconds = 10;

    private readonly Channel<TrainingReport> _reports = Channel.CreateUnbounded<TrainingReport>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Queue<(DateTimeOffset At, int Step)> _recent = new();
    private DateTimeOffset _lastSent;
    private double? _loss;
    private int _total;

    public ChannelReader<TrainingReport> Reports => _reports.Reader;

    public void Complete() => _reports.Writer.Complete();

    public void Started(string deviceName, int resumedAtStep, int totalSteps)
    {
        _total = totalSteps;
        Send(new JobStarted(job.Training, job.Attempt, time.GetUtcNow(), deviceName, resumedAtStep, totalSteps));
    }

    public void Stepped(StepMetrics metrics)
    {
        var now = time.GetUtcNow();
        _loss = _loss is { } old ? old * LossSmoothing + metrics.Loss * (1 - LossSmoothing) : metrics.Loss;
        _recent.Enqueue((now, metrics.Step));
        while (_recent.Count > 2 && now - _recent.Peek().At > TimeSpan.FromSeconds(SpeedWindowSeconds))
            _recent.Dequeue();
        if (now - _lastSent < TimeSpan.FromSeconds(progressSeconds) && metrics.Step < _total)
            return;
        _lastSent = now;
        var (firstAt, firstStep) = _recent.Peek();
        var seconds = (now - firstAt).TotalSeconds;
        double? speed = seconds > 0 && metrics.Step > firstStep ? (metrics.Step - firstStep) / seconds : null;
        Send(new JobProgressed(job.Training, job.Attempt, now, metrics.Step, _total, _loss, speed, (_total - metrics.Step) / speed, device));
        JobTelemetry.Progress(device, speed, metrics.DevicePeakMebibytes ?? metrics.PeakMebibytes);
        if (job.Inputs.Verbose)
            Log(ProgressLine(metrics.Step, speed));
    }

    public void CheckpointWritten(string folder, int step) => _reports.Writer.TryWrite(new TrainingReport(null, folder));

    public void SampleDrawn(string file, string prompt, int step) => Log(string.Create(CultureInfo.InvariantCulture, $"Sample at step {step}: {prompt}"));

    public void Log(string line) => Send(new JobLogged(job.Training, job.Attempt, time.GetUtcNow(), [line]));

    /// <summary>The line that Replicate's clients read progress from: " 50%|##########          | 500/1000 [loss 0.1000, 4.20 steps/s]".</summary>
    private string ProgressLine(int step, double? speed)
    {
        const int width = 20;
        var filled = _total == 0 ? 0 : (int)((long)step * width / _total);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{100L * step / Math.Max(1, _total),3}%|{new string('#', filled).PadRight(width)}| {step}/{_total} [loss {_loss:F4}, {speed ?? 0:F2} steps/s]");
    }

    private void Send(WorkerEvent happened) => _reports.Writer.TryWrite(new TrainingReport(happened, null));
}
