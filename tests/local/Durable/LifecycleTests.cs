using DurableTask.Core;
using DurableTask.Core.Exceptions;
using DurableTask.Core.History;

namespace Sdxl.Local.Tests.Durable;

/// <summary>Starting under an id that exists, terminating, purging.</summary>
public sealed class LifecycleTests
{
    private static readonly OrchestrationStatus[] Live =
        [OrchestrationStatus.Running, OrchestrationStatus.Pending, OrchestrationStatus.Suspended];

    private static Hub Waiting() => new Hub()
        .Activity("Echo", input => input)
        .Orchestrator("Wait", async flow => await flow.Event("go") == "fail" ? throw new InvalidOperationException("failed") : flow.Input)
        .Orchestrator("Tree", async flow =>
        {
            var depth = int.Parse(flow.Input, System.Globalization.CultureInfo.InvariantCulture);
            return depth == 0 ? await flow.Event("go") : await flow.Child("Tree", $"{flow.Id}{depth}", depth - 1);
        });

    /// <summary>Brings an instance into a status.</summary>
    private static async Task<OrchestrationInstance> Reach(Hub hub, string id, OrchestrationStatus status)
    {
        var instance = status == OrchestrationStatus.Pending
            ? await hub.Client.CreateScheduledOrchestrationInstanceAsync("Wait", "", id, "old", DateTime.UtcNow.AddHours(1))
            : await hub.Begin("Wait", id, "old");
        if (status == OrchestrationStatus.Suspended)
            await hub.Client.SuspendInstanceAsync(instance);
        if (status == OrchestrationStatus.Terminated)
            await hub.Client.TerminateInstanceAsync(instance, "reason");
        if (status is OrchestrationStatus.Completed or OrchestrationStatus.Failed)
            await hub.Raise(id, "go", status == OrchestrationStatus.Failed ? "fail" : "");
        await hub.UntilStatus(id, status);
        return instance;
    }

    private static Task<OrchestrationInstance> Again(Hub hub, OrchestrationStatus[]? dedupe) =>
        hub.Client.CreateOrchestrationInstanceAsync("Wait", "", "one", "new", null, dedupe);

    [Theory]
    [InlineData(OrchestrationStatus.Pending)]
    [InlineData(OrchestrationStatus.Running)]
    [InlineData(OrchestrationStatus.Suspended)]
    [InlineData(OrchestrationStatus.Completed)]
    [InlineData(OrchestrationStatus.Failed)]
    [InlineData(OrchestrationStatus.Terminated)]
    public async Task A_second_start_is_refused_in_the_given_statuses_and_replaces_the_instance_in_others(OrchestrationStatus status)
    {
        await using var hub = await Waiting().Start();
        var old = await Reach(hub, "one", status);
        var refused = Live.Contains(status) ? Live : [.. Live, status];

        foreach (var dedupe in new[] { null, refused })
        {
            var exception = await Assert.ThrowsAsync<OrchestrationAlreadyExistsException>(() => Again(hub, dedupe));
            Assert.Equal($"An orchestration with id 'one' already exists; its status is {status}.", exception.Message);
        }
        Assert.NotNull(await hub.Service.GetOrchestrationStateAsync("one", old.ExecutionId));

        var replaced = await Again(hub, [.. Live.Except([status])]);
        await hub.Raise("one", "go", "");
        Assert.Equal("new", await hub.Output("one"));
        Assert.NotNull(await hub.Service.GetOrchestrationStateAsync("one", replaced.ExecutionId));
    }

    [Fact]
    public async Task Results_for_an_instance_that_was_replaced_meanwhile_do_not_reach_the_new_one()
    {
        var began = new TaskCompletionSource();
        var gate = new TaskCompletionSource<string>();
        var ended = new TaskCompletionSource();
        await using var hub = await new Hub()
            .Activity("Old", async _ =>
            {
                began.SetResult();
                var result = await gate.Task;
                ended.SetResult();
                return result;
            })
            .Activity("New", input => input)
            .Orchestrator("Run", async flow => await flow.Activity(flow.Input, flow.Input) + await flow.Event("go"))
            .Start();
        await hub.Begin("Run", "run", "Old");
        await began.Task.WaitAsync(Hub.Patience);

        await hub.Client.CreateOrchestrationInstanceAsync("Run", "", "run", "New", null, []);
        gate.SetResult("wrong");
        await ended.Task.WaitAsync(Hub.Patience);
        await hub.UntilEvents<TaskCompletedEvent>("run");
        await hub.Raise("run", "go", "!");

        Assert.Equal("New!", await hub.Output("run"));
        Assert.Single(hub.Events<TaskCompletedEvent>("run"));
    }

    [Theory]
    [InlineData(OrchestrationStatus.Pending)]
    [InlineData(OrchestrationStatus.Running)]
    [InlineData(OrchestrationStatus.Suspended)]
    public async Task A_terminated_instance_ends_with_the_reason_and_stays_so(OrchestrationStatus status)
    {
        await using var hub = await Waiting().Start();
        var instance = await Reach(hub, "one", status);

        await hub.Client.TerminateInstanceAsync(instance, "no longer wanted");
        var end = await hub.End("one");
        Assert.Equal((OrchestrationStatus.Terminated, "no longer wanted"), (end.OrchestrationStatus, end.Output));

        await hub.Raise("one", "go", "");
        await hub.Client.TerminateInstanceAsync(instance, "again");
        Assert.Equal("no longer wanted", (await hub.End("one")).Output);
        Assert.Null(await hub.Service.LockNextTaskOrchestrationWorkItemAsync(TimeSpan.Zero, CancellationToken.None));
    }

    [Fact]
    public async Task A_terminated_parent_leaves_its_children_running()
    {
        await using var hub = await Waiting().Start();
        await hub.Begin("Tree", "a", "2");
        await hub.UntilStatus("a21", OrchestrationStatus.Running);

        await hub.Service.ForceTerminateTaskOrchestrationAsync("a", "alone");

        Assert.Equal("alone", (await hub.End("a")).Output);
        await hub.Raise("a21", "go", "on");
        Assert.Equal("on", await hub.Output("a2"));
    }

    [Fact]
    public async Task Purging_deletes_what_has_ended_and_nothing_else()
    {
        await using var hub = await Waiting().Start();
        foreach (var status in Live.Append(OrchestrationStatus.Completed))
            await Reach(hub, status.ToString(), status);

        foreach (var status in Live)
            Assert.Equal(0, (await hub.Service.PurgeInstanceStateAsync(status.ToString())).DeletedInstanceCount);
        Assert.Equal(1, (await hub.Service.PurgeInstanceStateAsync("Completed")).DeletedInstanceCount);
        Assert.Equal(0, (await hub.Service.PurgeInstanceStateAsync("Completed")).DeletedInstanceCount);

        Assert.Null(await hub.Client.GetOrchestrationStateAsync("Completed"));
        Assert.Equal("[]", await hub.Service.GetOrchestrationHistoryAsync("Completed", null));
        Assert.Equal(["Pending", "Running", "Suspended"], (await hub.Ids(new())).Order());
    }

    [Fact]
    public async Task Purging_by_filter_goes_by_time_of_creation_and_status_and_may_be_cut_short()
    {
        await using var hub = await Waiting().Start();
        await Reach(hub, "failed", OrchestrationStatus.Failed);
        await Reach(hub, "completed", OrchestrationStatus.Completed);
        await Reach(hub, "running", OrchestrationStatus.Running);
        var between = DateTime.UtcNow;
        await Reach(hub, "later", OrchestrationStatus.Completed);

        Assert.Equal(0, await Purge(between.AddHours(-2), between.AddHours(-1)));
        Assert.Equal(1, await Purge(DateTime.MinValue, between, OrchestrationStatus.Failed, OrchestrationStatus.Running));
        Assert.Equal(1, await Purge(between, null));
        Assert.Equal(1, await Purge(DateTime.MinValue, null));
        Assert.Equal(["running"], await hub.Ids(new()));

        async Task<int> Purge(DateTime from, DateTime? to, params OrchestrationStatus[] statuses)
        {
            var filter = new PurgeInstanceFilter(from, to, statuses.Length == 0 ? null : statuses);
            var result = await hub.Service.PurgeInstanceStateAsync(filter);
            Assert.True(result.IsComplete);
            return result.DeletedInstanceCount;
        }
    }

    [Theory]
    [InlineData(OrchestrationStateTimeRangeFilterType.OrchestrationCreatedTimeFilter)]
    [InlineData(OrchestrationStateTimeRangeFilterType.OrchestrationCompletedTimeFilter)]
    [InlineData(OrchestrationStateTimeRangeFilterType.OrchestrationLastUpdatedTimeFilter)]
    public async Task The_clients_purge_takes_what_is_as_old_as_the_threshold(OrchestrationStateTimeRangeFilterType filter)
    {
        await using var hub = await Waiting().Start();
        await Reach(hub, "old", OrchestrationStatus.Completed);
        var threshold = DateTime.UtcNow;
        await Reach(hub, "new", OrchestrationStatus.Completed);

        await hub.Client.PurgeOrchestrationInstanceHistoryAsync(threshold, filter);

        Assert.Equal(["new"], await hub.Ids(new()));
    }
}
