namespace Sdxl.Local.Hosting;

/// <summary>The product's queues, as infra/ declares them in Azure, with a shorter lock: a dead worker's job is taken up sooner.</summary>
internal static class LocalQueues
{
    private static readonly TimeSpan JobLock = TimeSpan.FromSeconds(20); // the worker renews at half of it
    // Only workers that died on a job count: one that stops in order sends the next attempt, and outages are waited out.
    private const int JobDeliveries = 10;
    private static readonly TimeSpan DuplicateWindow = TimeSpan.FromDays(1);

    /// <summary>What a worker elsewhere may do: take jobs and hand them on, and tell how they end.</summary>
    public static IReadOnlyDictionary<string, AccessRights> OfWorkers { get; } = new Dictionary<string, AccessRights>
    {
        [Queues.Trainings] = AccessRights.All,
        [Queues.Predictions] = AccessRights.All,
        [Queues.WorkerEvents] = AccessRights.Send,
    };

    public static IReadOnlyList<QueueSettings> All { get; } =
    [
        new(Queues.Uploads) { LockDuration = TimeSpan.FromMinutes(1), MaxDeliveryCount = 10 },
        new(Queues.Trainings) { LockDuration = JobLock, MaxDeliveryCount = JobDeliveries, DuplicateDetectionWindow = DuplicateWindow },
        new(Queues.Predictions) { LockDuration = JobLock, MaxDeliveryCount = JobDeliveries, DuplicateDetectionWindow = DuplicateWindow },
        new(Queues.WorkerEvents) { LockDuration = TimeSpan.FromMinutes(1), MaxDeliveryCount = 10 },
        new(Queues.Events) { LockDuration = TimeSpan.FromMinutes(1), MaxDeliveryCount = 10, DuplicateDetectionWindow = DuplicateWindow },
    ];
}
