using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Sdxl.GpuWorker.Hosting;

namespace Sdxl.Tests.GpuWorker;

public sealed class RetirementTests
{
    private readonly ManualTime time = new();
    private readonly Lifetime lifetime = new();

    [Fact]
    public void By_default_a_worker_stays()
    {
        var retirement = Of(new WorkerOptions());
        retirement.JobEnded();
        time.Advance(TimeSpan.FromDays(30));

        Assert.False(retirement.IsDue());
        Assert.False(lifetime.IsStopped);
    }

    [Fact]
    public void It_leaves_once_no_job_has_come_for_as_long_as_it_was_told_and_a_job_starts_the_wait_anew()
    {
        var retirement = Of(new WorkerOptions { ExitWhenIdleMinutes = 5 });
        time.Advance(TimeSpan.FromMinutes(4.9));
        Assert.False(retirement.IsDue());
        retirement.JobEnded();
        time.Advance(TimeSpan.FromMinutes(4.9));
        Assert.False(retirement.IsDue());

        time.Advance(TimeSpan.FromMinutes(0.1));

        Assert.True(retirement.IsDue());
        Assert.True(lifetime.IsStopped);
    }

    [Fact]
    public void It_leaves_after_one_job_and_not_before()
    {
        var retirement = Of(new WorkerOptions { ExitAfterOneJob = true });
        Assert.False(retirement.IsDue());

        retirement.JobEnded();

        Assert.True(retirement.IsDue());
        Assert.True(lifetime.IsStopped);
    }

    private Retirement Of(WorkerOptions options) => new(Options.Create(options), time, lifetime, NullLogger<Retirement>.Instance);

    private sealed class Lifetime : IHostApplicationLifetime
    {
        public bool IsStopped { get; private set; }
        public CancellationToken ApplicationStarted => default;
        public CancellationToken ApplicationStopping => default;
        public CancellationToken ApplicationStopped => default;

        public void StopApplication() => IsStopped = true;
    }
}
