using Sdxl.Core.Messages;
using Sdxl.Local.Broker;
using Sdxl.Local.Hosting;

namespace Sdxl.Local.Tests.Hosting;

/// <summary>A join word gives its holder a worker's rights and no more.</summary>
public sealed class WorkerKeyTests
{
    [Fact]
    public void A_worker_elsewhere_takes_jobs_and_tells_of_them_and_reaches_no_other_queue()
    {
        var ofWorkers = LocalQueues.OfWorkers;
        Assert.Equal(AccessRights.Send, ofWorkers[Queues.WorkerEvents]);
        Assert.True(ofWorkers[Queues.Trainings].HasFlag(AccessRights.Listen) && ofWorkers[Queues.Predictions].HasFlag(AccessRights.Listen));
        Assert.All(
            LocalQueues.All.Select(queue => queue.Name).Except([Queues.Trainings, Queues.Predictions, Queues.WorkerEvents]),
            queue => Assert.DoesNotContain(queue, ofWorkers.Keys)
        );
        Assert.All(ofWorkers.Keys, name => Assert.Contains(name, LocalQueues.All.Select(queue => queue.Name)));
    }
}
