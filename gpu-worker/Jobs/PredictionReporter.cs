using System.Threading.Channels;
using Sdxl.Core.Messages;
using Sdxl.Diffusion.Pipelines;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>Turns the sampler's steps, told on the drawing thread, into progress events: at most one every so many seconds, over all pictures of the job.</summary>
public sealed class PredictionReporter(PredictionJob job, string device, double progressSeconds, TimeProvider time) : IProgress<GenerationProgress>
{
    // Only the newest word counts.
    private readonly Channel<JobProgressed> _events = Channel.CreateBounded<JobProgressed>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
    private DateTimeOffset? _began;
    private DateTimeOffset _lastTold;
    private int _first;

    public void Report(GenerationProgress value)
    {
        var now = time.GetUtcNow();
        var (step, total) = (value.Picture * value.Steps + value.Step, value.Pictures * value.Steps);
        if (_began is null)
            (_began, _first) = (now, step);
        if (now - _lastTold < TimeSpan.FromSeconds(progressSeconds))
            return;
        _lastTold = now;
        var seconds = (now - _began.Value).TotalSeconds;
        double? speed = seconds > 0 && step > _first ? (step - _first) / seconds : null;
        _events.Writer.TryWrite(new JobProgressed(job.Prediction, 1, now, step, total, null, speed, (total - step) / speed, device));
    }

    /// <summary>Nothing more is drawn.</summary>
    public void Complete() => _events.Writer.Complete();

    /// <summary>Sends until <see cref="Complete"/>.</summary>
    public async Task SendAllAsync(EventSender events)
    {
        await foreach (var progressed in _events.Reader.ReadAllAsync(CancellationToken.None))
            await events.SendAsync(progressed, CancellationToken.None);
    }
}
