using DurableTask.Core;
using DurableTask.Core.Exceptions;
using DurableTask.Core.History;
using Microsoft.Extensions.Logging.Abstractions;
using Sdxl.Local.Durable;
using Sdxl.Tests;

namespace Sdxl.Local.Tests.Durable;

/// <summary>Who gets which work when. The test plays the worker, on a clock that it moves itself.</summary>
public sealed class HandOutTests : IAsyncDisposable
{
    private static readonly SqliteOrchestrationOptions Options = new() { LockDuration = TimeSpan.FromMinutes(1) };

    private readonly TempFolder folder = new();
    private readonly ManualTime time = new();
    private readonly SqliteOrchestrationService service;

    public HandOutTests() => service = new SqliteOrchestrationService(folder.File("durable.db"), Options, time, NullLogger.Instance);

    public async ValueTask DisposeAsync()
    {
        await service.DisposeAsync();
        folder.Dispose();
    }

    private Task Create(string id, DateTime? at = null)
    {
        var instance = new OrchestrationInstance { InstanceId = id, ExecutionId = id };
        return service.CreateTaskOrchestrationAsync(new TaskMessage { OrchestrationInstance = instance, Event = Started(instance, at) });
    }

    private static ExecutionStartedEvent Started(OrchestrationInstance instance, DateTime? at = null, ParentInstance? parent = null) =>
        new(-1, null) { Name = "N", Version = "", OrchestrationInstance = instance, ScheduledStartTime = at, ParentInstance = parent };

    private Task Raise(string id, string name) => service.SendTaskOrchestrationMessageAsync(new TaskMessage
    {
        OrchestrationInstance = new OrchestrationInstance { InstanceId = id },
        Event = new EventRaisedEvent(-1, null) { Name = name },
    });

    private Task<TaskOrchestrationWorkItem> Step(TimeSpan patience = default) =>
        service.LockNextTaskOrchestrationWorkItemAsync(patience, CancellationToken.None);

    private Task<TaskActivityWorkItem> Activity(TimeSpan patience = default) =>
        service.LockNextTaskActivityWorkItem(patience, CancellationToken.None);

    /// <summary>Ends a step that schedules activities.</summary>
    private async Task Complete(TaskOrchestrationWorkItem step, params string[] activities)
    {
        var state = step.OrchestrationRuntimeState;
        foreach (var message in step.NewMessages)
            state.AddEvent(message.Event);
        var messages = activities.Select((name, i) => new TaskMessage
        {
            OrchestrationInstance = state.OrchestrationInstance,
            Event = new TaskScheduledEvent(i) { Name = name },
        });
        var written = (await service.GetOrchestrationStateAsync(step.InstanceId, null))!;
        written.OrchestrationStatus = OrchestrationStatus.Running;
        await service.CompleteTaskOrchestrationWorkItemAsync(step, state, [.. messages], [], [], null, written);
        await service.ReleaseTaskOrchestrationWorkItemAsync(step);
    }

    private static string Name(TaskActivityWorkItem? item) => item is null ? "none" : ((TaskScheduledEvent)item.TaskMessage.Event).Name!;

    private Task Finish(TaskActivityWorkItem item) => service.CompleteTaskActivityWorkItemAsync(item, new TaskMessage
    {
        OrchestrationInstance = item.TaskMessage.OrchestrationInstance,
        Event = new TaskCompletedEvent(-1, item.TaskMessage.Event.EventId, Name(item)),
    });

    [Fact]
    public async Task Activities_are_handed_out_in_turn_over_the_orchestrations_the_oldest_first()
    {
        foreach (var (id, activities) in new[] { ("a", 1200), ("b", 2), ("c", 3) })
        {
            await Create(id);
            await Complete((await Step())!, [.. Enumerable.Range(0, activities).Select(i => $"{id}{i}")]);
        }

        var order = new List<string>();
        for (var i = 0; i < 10; i++)
            order.Add(Name(await Activity()));

        Assert.Equal(["a0", "b0", "c0", "a1", "b1", "c1", "a2", "c2", "a3", "a4"], order);
    }

    [Fact]
    public async Task An_orchestration_with_many_sub_orchestrations_has_no_larger_share_than_another()
    {
        await Create("a");
        var step = (await Step())!;
        await Complete(step);
        foreach (var child in new[] { "a1", "a2" })
        {
            var instance = new OrchestrationInstance { InstanceId = child, ExecutionId = child };
            var parent = new ParentInstance { OrchestrationInstance = step.OrchestrationRuntimeState.OrchestrationInstance };
            await service.SendTaskOrchestrationMessageAsync(
                new TaskMessage { OrchestrationInstance = instance, Event = Started(instance, parent: parent) });
            await Complete((await Step())!, $"{child}x", $"{child}y");
        }
        await Create("b");
        await Complete((await Step())!, "bx", "by");

        var order = new List<string>();
        for (var i = 0; i < 6; i++)
            order.Add(Name(await Activity()));

        Assert.Equal(["a1x", "bx", "a1y", "by", "a2x", "a2y"], order);
    }

    [Fact]
    public async Task A_step_has_all_that_has_come_in_order_and_what_comes_meanwhile_stays_for_the_next()
    {
        await Create("a");
        await Raise("a", "1");
        await Raise("a", "2");
        var first = (await Step())!;
        await Raise("a", "3");

        Assert.Equal(["ExecutionStarted", "1", "2"], Names(first));
        Assert.Null(await Step()); // One step of an instance at a time.
        await Complete(first);
        var second = (await Step())!;
        Assert.Equal(["3"], Names(second));
        Assert.Equal(3, second.OrchestrationRuntimeState.PastEvents.Count);

        static IEnumerable<string> Names(TaskOrchestrationWorkItem step) =>
            step.NewMessages.Select(message => (message.Event as EventRaisedEvent)?.Name ?? message.Event.EventType.ToString());
    }

    [Fact]
    public async Task Who_waits_is_woken_by_work_by_a_timer_and_by_the_end_of_patience()
    {
        var waiting = Step(Hub.Patience);
        Assert.False(waiting.IsCompleted);
        await Create("a");
        Assert.Equal("a", (await waiting.WaitAsync(Hub.Patience))!.InstanceId);

        await Create("b", time.GetUtcNow().UtcDateTime.AddSeconds(10));
        waiting = Step(Hub.Patience);
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(waiting.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("b", (await waiting.WaitAsync(Hub.Patience))!.InstanceId);

        waiting = Step(TimeSpan.FromSeconds(10));
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Null(await waiting.WaitAsync(Hub.Patience));

        using var stop = new CancellationTokenSource();
        waiting = service.LockNextTaskOrchestrationWorkItemAsync(Hub.Patience, stop.Token);
        stop.Cancel();
        Assert.Null(await waiting.WaitAsync(Hub.Patience));
    }

    [Fact]
    public async Task Abandoned_work_rests_for_the_delay_and_then_wakes_who_waits()
    {
        await Create("a");
        await Complete((await Step())!, "x", "y");
        var activity = (await Activity())!;
        await Raise("a", "e");
        var step = (await Step())!;

        await service.AbandonTaskActivityWorkItemAsync(activity);
        await service.AbandonTaskOrchestrationWorkItemAsync(step);
        await service.ReleaseTaskOrchestrationWorkItemAsync(step); // As the framework does after abandoning.
        Assert.Equal("y", Name(await Activity())); // One that rests does not hold others back.
        Assert.Null(await Activity());
        Assert.Null(await Step());
        var (waitingActivity, waitingStep) = (Activity(Hub.Patience), Step(Hub.Patience));
        time.Advance(Options.RetryDelay);

        Assert.Equal("x", Name(await waitingActivity.WaitAsync(Hub.Patience)));
        Assert.Single((await waitingStep.WaitAsync(Hub.Patience))!.NewMessages);
    }

    [Fact]
    public async Task While_a_worker_is_down_only_as_many_activities_are_tried_per_delay_as_may_run_at_a_time()
    {
        await Create("a");
        await Complete((await Step())!, [.. Enumerable.Range(0, 100).Select(i => $"{i}")]);

        for (var round = 1; round <= 3; round++)
        {
            var tried = 0;
            for (; tried < 100 && await Activity() is { } activity; tried++)
                await service.AbandonTaskActivityWorkItemAsync(activity);
            Assert.Equal(Options.MaxConcurrentActivities, tried);
            time.Advance(Options.RetryDelay);
        }
    }

    [Fact]
    public async Task A_lock_that_is_not_renewed_runs_out_and_the_late_result_is_dropped()
    {
        await Create("a");
        await Complete((await Step())!, "x");
        var slow = (await Activity())!;
        time.Advance(TimeSpan.FromSeconds(50));
        var renewedUntil = (await service.RenewTaskActivityWorkItemLockAsync(slow)).LockedUntilUtc;
        Assert.Equal(time.GetUtcNow().UtcDateTime + Options.LockDuration, renewedUntil);
        time.Advance(TimeSpan.FromSeconds(50));
        Assert.Null(await Activity()); // Renewed.
        time.Advance(TimeSpan.FromSeconds(10));
        var again = (await Activity())!;
        Assert.Equal("x", Name(again));

        await Finish(slow);
        Assert.Null(await Step());
        await Assert.ThrowsAsync<InvalidOperationException>(() => service.RenewTaskActivityWorkItemLockAsync(slow));
        await Finish(again);
        Assert.IsType<TaskCompletedEvent>(Assert.Single((await Step())!.NewMessages).Event);
        Assert.Null(await Activity());
    }

    [Fact]
    public async Task The_step_of_a_lock_that_has_run_out_is_dropped_whole()
    {
        await Create("a");
        var slow = (await Step())!;
        time.Advance(Options.LockDuration);
        var again = (await Step())!;

        await Complete(slow, "wrong");
        Assert.Null(await Activity());
        await Complete(again, "right");
        Assert.Equal("right", Name(await Activity()));
        Assert.Single(Hub.History(service, "a"));
    }

    [Fact]
    public async Task A_new_worker_gets_what_an_earlier_one_of_this_process_held()
    {
        await Create("a");
        await Complete((await Step())!, "x");
        var held = (await Activity())!;

        await service.StartAsync();

        Assert.Equal("x", Name(await Activity()));
        await Finish(held);
        Assert.Null(await Step());
    }

    [Fact]
    public async Task An_orchestration_that_waits_for_its_end_in_vain_says_so()
    {
        await Create("a");

        var waiting = service.WaitForOrchestrationAsync("a", null, TimeSpan.FromSeconds(5), CancellationToken.None);
        time.Advance(TimeSpan.FromSeconds(5));

        var exception = await Assert.ThrowsAsync<TimeoutException>(() => waiting.WaitAsync(Hub.Patience));
        Assert.Equal("Orchestration 'a' has not got there in 00:00:05; its status is Pending.", exception.Message);
    }
}

public sealed class AbandonTests
{
    [Fact]
    public async Task A_step_and_an_activity_that_the_worker_aborts_are_run_again_by_the_framework()
    {
        var (steps, runs) = (0, 0);
        await using var hub = await new Hub()
            .Activity("Abort", input => ++runs < 3 ? throw new SessionAbortedException("worker gone") : input)
            .Orchestrator("Run", flow => ++steps < 3 ? throw new SessionAbortedException("worker gone") : flow.Activity("Abort", "done"))
            .Start();

        Assert.Equal("done", await hub.Run("Run", "run"));
        Assert.Equal(3, runs);
        Assert.Empty(hub.Events<TaskFailedEvent>("run"));
    }
}
