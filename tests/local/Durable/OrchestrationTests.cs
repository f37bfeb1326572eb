using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Sdxl.Local.Durable;
using OrchestrationAlreadyExistsException = DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException;

namespace Sdxl.Local.Tests.Durable;

public sealed class OrchestrationTests : IAsyncDisposable
{
    private readonly EngineFixture fixture = new();

    public sealed record Picture(string Name, int Width);

    public ValueTask DisposeAsync() => fixture.DisposeAsync();

    [Fact]
    public async Task An_orchestration_returns_what_its_activities_made_of_its_input()
    {
        fixture.Activity("Double", (Picture picture) => picture with { Width = picture.Width * 2 })
            .Orchestrator("Enlarge", async context => await context.CallActivityAsync<Picture>("Double", context.GetInput<Picture>()));

        var id = await fixture.Start("Enlarge", new Picture("cat.png", 32));

        Assert.Equal(new Picture("cat.png", 64), await fixture.Output<Picture>(id));
        Assert.Equal("{\"Name\":\"cat.png\",\"Width\":32}", (await fixture.End(id)).SerializedInput);
    }

    [Fact]
    public async Task Activities_of_a_fan_out_run_side_by_side_and_come_back_in_the_order_of_the_calls()
    {
        var barrier = new TaskCompletionSource();
        var arrived = 0;
        fixture.Activity("Square", async (int number) =>
            {
                if (Interlocked.Increment(ref arrived) == 4)
                    barrier.SetResult();
                await barrier.Task.WaitAsync(EngineFixture.Patience);
                return number * number;
            })
            .Orchestrator("FanOut", async context => await Task.WhenAll(Enumerable.Range(1, 8).Select(n => context.CallActivityAsync<int>("Square", n))));

        var id = await fixture.Start("FanOut");

        Assert.Equal("1 4 9 16 25 36 49 64", string.Join(" ", (await fixture.Output<int[]>(id))!));
    }

    [Fact]
    public async Task An_activity_with_a_recorded_result_never_runs_again_however_often_the_engine_restarts()
    {
        fixture.Activity("Step", (int number) => number)
            .Orchestrator("Steps", async context =>
            {
                var sum = 0;
                for (var step = 1; step <= 3; step++)
                {
                    sum += await context.CallActivityAsync<int>("Step", step);
                    await context.WaitForExternalEvent<string>("go");
                }
                return sum;
            });

        var id = await fixture.Start("Steps");
        for (var step = 1; step <= 3; step++)
        {
            await fixture.Until(id, HistoryKind.ActivityCompleted, step);
            await fixture.Restart();
            await fixture.Client.RaiseEventAsync(id, "go", "on");
        }

        Assert.Equal(6, await fixture.Output<int>(id));
        Assert.Equal(["Step(1)", "Step(2)", "Step(3)"], fixture.Calls);
    }

    [Fact]
    public async Task A_failed_activity_throws_a_TaskFailedException_with_the_whole_chain_of_causes()
    {
        fixture.Activity<int, int>("Break", new Func<int, int>(_ => throw new InvalidDataException("outer", new FormatException("inner"))))
            .Orchestrator("Catch", async context =>
            {
                try
                {
                    return await context.CallActivityAsync<string>("Break", 1);
                }
                catch (TaskFailedException failure)
                {
                    return $"{failure.TaskName}|{failure.FailureDetails}|{failure.FailureDetails.InnerFailure}|{failure.FailureDetails.IsCausedBy<InvalidDataException>()}";
                }
            });

        var id = await fixture.Start("Catch");

        Assert.Equal("Break|System.IO.InvalidDataException: outer|System.FormatException: inner|True", await fixture.Output<string>(id));
    }

    [Fact]
    public async Task An_uncaught_failure_fails_the_orchestration_and_keeps_the_cause()
    {
        fixture.Activity<int, int>("Break", new Func<int, int>(_ => throw new InvalidDataException("no good")))
            .Orchestrator("Fall", async context => await context.CallActivityAsync<string>("Break", 1));

        var end = await fixture.End(await fixture.Start("Fall"));

        Assert.Equal(OrchestrationRuntimeStatus.Failed, end.RuntimeStatus);
        Assert.Equal("Microsoft.DurableTask.TaskFailedException", end.FailureDetails!.ErrorType);
        Assert.Equal("System.IO.InvalidDataException: no good", end.FailureDetails.InnerFailure!.ToString());
    }

    [Fact]
    public async Task A_retry_policy_waits_first_interval_then_backs_off_up_to_the_longest_interval()
    {
        var attempts = 0;
        fixture.Activity<int, int>("Flaky", new Func<int, int>(_ => ++attempts < 4 ? throw new IOException($"try {attempts}") : attempts))
            .Orchestrator("Retry", async context => await context.CallActivityAsync<int>(
                "Flaky", 1, new TaskOptions(new RetryPolicy(5, TimeSpan.FromSeconds(10), 3.0, TimeSpan.FromSeconds(40)))));

        var id = await fixture.Start("Retry");
        foreach (var (timers, seconds) in new[] { (1, 10), (2, 30), (3, 40) }) // 10 s, 30 s, 90 s capped at 40 s
        {
            await fixture.Until(id, HistoryKind.TimerCreated, timers);
            fixture.Time.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromTicks(1));
            Assert.Empty(fixture.Engine.Store.ReadyInstances());
            fixture.Time.Advance(TimeSpan.FromTicks(1));
        }

        Assert.Equal(4, await fixture.Output<int>(id));
    }

    [Fact]
    public async Task A_retry_policy_gives_up_after_its_attempts_and_a_handler_decides_by_the_failure()
    {
        fixture.Activity<int, int>("Break", new Func<int, int>(_ => throw new IOException("always")))
            .Orchestrator("Once", async context => await context.CallActivityAsync<int>(
                "Break", 1, new TaskOptions(new RetryPolicy(3, TimeSpan.FromSeconds(1)) { HandleFailure = details => !details.IsCausedBy<IOException>() })))
            .Orchestrator("Asked", async context => await context.CallActivityAsync<int>(
                "Break", 2, TaskOptions.FromRetryHandler(retry => retry.LastAttemptNumber < 3 && retry.LastFailure.IsCausedBy<IOException>())));

        Assert.Equal(OrchestrationRuntimeStatus.Failed, (await fixture.End(await fixture.Start("Once"))).RuntimeStatus);
        Assert.Equal(OrchestrationRuntimeStatus.Failed, (await fixture.End(await fixture.Start("Asked"))).RuntimeStatus);
        Assert.Equal(["Break(1)", "Break(2)", "Break(2)", "Break(2)"], fixture.Calls);
    }

    [Fact]
    public async Task A_timer_fires_at_its_time_also_when_the_engine_was_down_meanwhile()
    {
        fixture.Orchestrator("Sleep", async context =>
        {
            var start = context.CurrentUtcDateTime;
            await context.CreateTimer(TimeSpan.FromHours(2), CancellationToken.None);
            return (context.CurrentUtcDateTime - start).TotalMinutes;
        });

        var id = await fixture.Start("Sleep");
        await fixture.Until(id, HistoryKind.TimerCreated);
        await fixture.Engine.Kill();
        fixture.Time.Advance(TimeSpan.FromHours(3));
        fixture.OpenAgain();

        Assert.Equal(180, await fixture.Output<double>(id));
    }

    [Fact]
    public async Task An_event_wait_times_out_and_an_event_that_comes_in_time_cancels_the_timer()
    {
        fixture.Orchestrator("Wait", async context =>
        {
            try
            {
                return await context.WaitForExternalEvent<string>("Answer", TimeSpan.FromMinutes(5));
            }
            catch (TaskCanceledException)
            {
                return "nothing";
            }
        });

        var late = await fixture.Start("Wait");
        await fixture.Until(late, HistoryKind.TimerCreated);
        fixture.Time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal("nothing", await fixture.Output<string>(late));

        var inTime = await fixture.Start("Wait");
        await fixture.Until(inTime, HistoryKind.TimerCreated);
        await fixture.Client.RaiseEventAsync(inTime, "ANSWER", "yes"); // names ignore case
        Assert.Equal("yes", await fixture.Output<string>(inTime));
        Assert.Null(fixture.Engine.Store.NextDueTime(fixture.Time.GetUtcNow()));
    }

    [Fact]
    public async Task Events_that_come_before_the_orchestrator_waits_are_kept_in_order()
    {
        fixture.Orchestrator("Collect", async context =>
        {
            var second = await context.WaitForExternalEvent<string>("b");
            var first = await context.WaitForExternalEvent<string>("a");
            return first + second + await context.WaitForExternalEvent<string>("a");
        });

        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Collect");
        await fixture.Client.RaiseEventAsync(id, "a", "1");
        await fixture.Client.RaiseEventAsync(id, "a", "3");
        await fixture.Client.RaiseEventAsync(id, "b", "2");
        fixture.Engine.Start();

        Assert.Equal("123", await fixture.Output<string>(id));
    }

    [Fact]
    public async Task A_sub_orchestration_returns_its_output_and_knows_its_parent()
    {
        fixture.Orchestrator("Child", context => Task.FromResult($"{context.Parent!.Name.Name}/{context.Parent.InstanceId}/{context.InstanceId}/{context.GetInput<int>()}"))
            .Orchestrator("Parent", async context => await context.CallSubOrchestratorAsync<string>("Child", 7, new SubOrchestrationOptions(instanceId: "kid")));

        await fixture.Start("Parent", options: new StartOrchestrationOptions("mum"));

        Assert.Equal("Parent/mum/kid/7", await fixture.Output<string>("mum"));
        Assert.Equal(OrchestrationRuntimeStatus.Completed, (await fixture.Client.GetInstanceAsync("kid"))!.RuntimeStatus);
    }

    [Fact]
    public async Task A_failed_sub_orchestration_fails_the_call_and_is_retried_under_the_same_id()
    {
        var runs = 0;
        fixture.Activity("Count", (int _) => ++runs)
            .Orchestrator("Child", async context => await context.CallActivityAsync<int>("Count", 0) < 2 ? throw new IOException("first time") : "second time")
            .Orchestrator("Parent", async context => await context.CallSubOrchestratorAsync<string>(
                "Child", null, new SubOrchestrationOptions(new TaskOptions(new RetryPolicy(2, TimeSpan.FromSeconds(5))), "kid")));

        var id = await fixture.Start("Parent");
        await fixture.Until(id, HistoryKind.TimerCreated);
        fixture.Time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal("second time", await fixture.Output<string>(id));
    }

    [Fact]
    public async Task ContinueAsNew_starts_over_with_the_new_input_and_keeps_unclaimed_events()
    {
        fixture.Orchestrator("Count", async context =>
        {
            var count = context.GetInput<int>();
            var step = await context.WaitForExternalEvent<int>("add");
            if (count + step >= 6)
                return count + step;
            context.ContinueAsNew(count + step);
            return 0;
        });

        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Count", 0);
        foreach (var step in new[] { 1, 2, 3 })
            await fixture.Client.RaiseEventAsync(id, "add", step);
        fixture.Engine.Start();

        Assert.Equal(6, await fixture.Output<int>(id));
    }

    [Fact]
    public async Task Orchestrations_send_each_other_events()
    {
        fixture.Orchestrator("Listen", async context => await context.WaitForExternalEvent<string>("hello"))
            .Orchestrator("Speak", context =>
            {
                context.SendEvent("ear", "hello", "you");
                return Task.FromResult("sent");
            });

        await fixture.Start("Listen", options: new StartOrchestrationOptions("ear"));
        await fixture.Start("Speak");

        Assert.Equal("you", await fixture.Output<string>("ear"));
    }

    [Fact]
    public async Task The_custom_status_shows_while_the_orchestration_runs_and_is_limited_to_16_KB()
    {
        fixture.Orchestrator("Show", async context =>
        {
            context.SetCustomStatus(new Picture("progress", 50));
            await context.WaitForExternalEvent<int>("go");
            context.SetCustomStatus(new string('x', 9000));
            return 0;
        });

        var id = await fixture.Start("Show");
        await fixture.UntilStatus(id, state => state.SerializedCustomStatus is not null);
        Assert.Equal(new Picture("progress", 50), (await fixture.Client.GetInstanceAsync(id, true))!.ReadCustomStatusAs<Picture>());

        await fixture.Client.RaiseEventAsync(id, "go", 1);
        var end = await fixture.End(id);
        Assert.Equal(OrchestrationRuntimeStatus.Failed, end.RuntimeStatus);
        Assert.Contains("at most 16384 are allowed", end.FailureDetails!.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_suspended_orchestration_sees_nothing_until_it_is_resumed()
    {
        fixture.Orchestrator("Wait", async context => await context.WaitForExternalEvent<string>("go"));
        var id = await fixture.Start("Wait");
        await fixture.UntilStatus(id, state => state.IsRunning);

        await fixture.Client.SuspendInstanceAsync(id, "pause");
        await fixture.UntilStatus(id, state => state.RuntimeStatus == OrchestrationRuntimeStatus.Suspended);
        await fixture.Client.RaiseEventAsync(id, "go", "now");
        Assert.Empty(fixture.Engine.Store.ReadyInstances());
        await fixture.Client.ResumeInstanceAsync(id);

        Assert.Equal("now", await fixture.Output<string>(id));
    }

    [Fact]
    public async Task A_terminated_orchestration_ends_at_once_and_drops_the_late_result_of_its_activity()
    {
        var release = new TaskCompletionSource();
        var entered = new TaskCompletionSource();
        fixture.Activity("Long", async (int _) =>
            {
                entered.SetResult();
                await release.Task;
                return 1;
            })
            .Orchestrator("Work", async context => await context.CallActivityAsync<int>("Long", 0));
        var id = await fixture.Start("Work");
        await entered.Task.WaitAsync(EngineFixture.Patience);

        await fixture.Client.TerminateInstanceAsync(id, "enough");
        var end = await fixture.End(id);
        release.SetResult();

        Assert.Equal(OrchestrationRuntimeStatus.Terminated, end.RuntimeStatus);
        Assert.Equal("enough", end.ReadOutputAs<string>());
        Assert.Empty(fixture.Engine.Store.PendingActivities());
    }

    [Fact]
    public async Task Terminating_recursively_ends_the_sub_orchestrations_too()
    {
        fixture.Orchestrator("Child", async context => await context.WaitForExternalEvent<int>("never"))
            .Orchestrator("Parent", async context => await context.CallSubOrchestratorAsync<int>("Child", null, new SubOrchestrationOptions(instanceId: "kid")));
        var id = await fixture.Start("Parent");
        await fixture.Until(id, HistoryKind.SubOrchestrationCreated);

        await fixture.Client.TerminateInstanceAsync(id, new TerminateInstanceOptions(Recursive: true));

        Assert.Equal(OrchestrationRuntimeStatus.Terminated, (await fixture.End("kid")).RuntimeStatus);
        Assert.Equal(OrchestrationRuntimeStatus.Terminated, (await fixture.End(id)).RuntimeStatus);
    }

    [Fact]
    public async Task A_second_start_with_the_id_of_a_living_orchestration_throws_and_of_an_ended_one_replaces_it()
    {
        fixture.Orchestrator("Wait", async context => await context.WaitForExternalEvent<string>("go"));
        var options = new StartOrchestrationOptions("one");
        await fixture.Start("Wait", options: options);

        await Assert.ThrowsAsync<OrchestrationAlreadyExistsException>(() => fixture.Start("Wait", options: options));
        await fixture.Client.RaiseEventAsync("one", "go", "first");
        Assert.Equal("first", await fixture.Output<string>("one"));

        await Assert.ThrowsAsync<OrchestrationAlreadyExistsException>(() => fixture.Start("Wait", options: options.WithDedupeStatuses(
            OrchestrationRuntimeStatus.Pending, OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Suspended, OrchestrationRuntimeStatus.Completed)));
        await fixture.Start("Wait", options: options);
        await fixture.Client.RaiseEventAsync("one", "go", "second");
        Assert.Equal("second", await fixture.Output<string>("one"));
    }

    [Fact]
    public async Task A_start_in_the_future_stays_pending_until_its_time_even_if_events_come()
    {
        fixture.Orchestrator("Later", async context => await context.WaitForExternalEvent<string>("go"));
        var id = await fixture.Start("Later", options: new StartOrchestrationOptions { StartAt = fixture.Time.GetUtcNow() + TimeSpan.FromHours(1) });
        await fixture.Client.RaiseEventAsync(id, "go", "early");
        Assert.Empty(fixture.Engine.Store.ReadyInstances());
        Assert.Equal(OrchestrationRuntimeStatus.Pending, (await fixture.Client.GetInstanceAsync(id))!.RuntimeStatus);

        fixture.Time.Advance(TimeSpan.FromHours(1));

        Assert.Equal("early", await fixture.Output<string>(id));
    }

    [Fact]
    public async Task What_falls_due_while_the_engine_looks_at_the_store_is_not_lost()
    {
        fixture.Orchestrator("Later", context => Task.FromResult("done"));
        var options = new StartOrchestrationOptions { StartAt = fixture.Time.GetUtcNow() + TimeSpan.FromHours(1) };
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Later", null, options);
        var passed = false;
        fixture.Engine.FaultPoint = point =>
        {
            // Between the list of what is due and the question when the next is due; no other news wakes the engine after it.
            if (point == "activities:listed" && !Interlocked.Exchange(ref passed, true))
                fixture.Time.Advance(TimeSpan.FromHours(1));
        };

        fixture.Engine.Start();

        Assert.Equal("done", await fixture.Output<string>(id));
    }

    [Fact]
    public async Task Queries_filter_and_page_and_purges_remove_only_what_has_ended()
    {
        fixture.Orchestrator("Echo", context => Task.FromResult(context.InstanceId))
            .Orchestrator("Wait", async context => await context.WaitForExternalEvent<string>("go"));
        for (var number = 0; number < 5; number++)
        {
            await fixture.End(await fixture.Start("Echo", options: new StartOrchestrationOptions($"echo-{number}")));
            fixture.Time.Advance(TimeSpan.FromSeconds(1));
        }
        await fixture.Start("Wait", options: new StartOrchestrationOptions("wait-0"));

        var pages = new List<string>();
        await foreach (var page in fixture.Client.GetAllInstancesAsync(new OrchestrationQuery(InstanceIdPrefix: "echo-", PageSize: 2)).AsPages())
            pages.Add(string.Join(",", page.Values.Select(each => each.InstanceId)));
        Assert.Equal(["echo-0,echo-1", "echo-2,echo-3", "echo-4"], pages);

        var completed = new List<string>();
        await foreach (var each in fixture.Client.GetAllInstancesAsync(new OrchestrationQuery(Statuses: [OrchestrationRuntimeStatus.Completed])))
            completed.Add(each.InstanceId);
        Assert.Equal(5, completed.Count);

        Assert.Equal(0, (await fixture.Client.PurgeInstanceAsync("wait-0")).PurgedInstanceCount);
        Assert.Equal(1, (await fixture.Client.PurgeInstanceAsync("echo-0")).PurgedInstanceCount);
        Assert.Equal(0, (await fixture.Client.PurgeInstanceAsync("echo-0")).PurgedInstanceCount);
        Assert.Equal(4, (await fixture.Client.PurgeAllInstancesAsync(new PurgeInstancesFilter())).PurgedInstanceCount);
        Assert.NotNull(await fixture.Client.GetInstanceAsync("wait-0"));
    }

    [Fact]
    public async Task An_orchestrator_whose_code_changed_while_it_ran_fails_with_a_sentence_that_says_so()
    {
        var activity = "Old";
        fixture.Activity("Old", (int n) => n).Activity("New", (int n) => n)
            .Orchestrator("Change", async context =>
            {
                await context.CallActivityAsync<int>(activity, 1);
                return await context.WaitForExternalEvent<int>("go");
            });
        var id = await fixture.Start("Change");
        await fixture.Until(id, HistoryKind.ActivityCompleted);
        activity = "New";
        await fixture.Client.RaiseEventAsync(id, "go", 1);

        var end = await fixture.End(id);

        Assert.Equal(typeof(NonDeterministicOrchestrationException).FullName, end.FailureDetails!.ErrorType);
        Assert.Contains("its history has ActivityScheduled #0 'Old', and the replay asks for ActivityScheduled #0 'New'", end.FailureDetails.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_orchestrator_that_awaits_something_not_durable_fails_with_a_sentence_that_says_so()
    {
        fixture.Orchestrator("Illegal", async _ =>
        {
            await new TaskCompletionSource().Task;
            return 0;
        });

        var end = await fixture.End(await fixture.Start("Illegal"));

        Assert.Contains("awaits something that is not durable", end.FailureDetails!.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_await_that_is_not_durable_fails_the_orchestration_also_where_it_ends_after_the_turn_beside_a_durable_wait()
    {
        var outside = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        fixture.Orchestrator("Stray", async context =>
        {
            var never = context.WaitForExternalEvent<string>("go");
            await outside.Task;
            return await never;
        });

        var id = await fixture.Start("Stray");
        await fixture.UntilStatus(id, state => state.RuntimeStatus == OrchestrationRuntimeStatus.Running);
        outside.SetResult();
        var end = await fixture.End(id);

        Assert.Equal(typeof(NonDeterministicOrchestrationException).FullName, end.FailureDetails!.ErrorType);
        Assert.Contains("awaits something that is not durable", end.FailureDetails.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Awaiting_CancelAsync_in_an_orchestrator_fails_it_with_a_sentence_instead_of_a_silent_halt()
    {
        fixture.Activity("Work", (int n) => n).Orchestrator("Race", async context =>
        {
            using var stop = new CancellationTokenSource();
            var never = context.WaitForExternalEvent<string>("go");
            var timer = context.CreateTimer(context.CurrentUtcDateTime.AddHours(1), stop.Token);
            await Task.WhenAny(timer, context.CallActivityAsync<int>("Work", 1));
            await stop.CancelAsync();
            return await never;
        });

        var end = await fixture.End(await fixture.Start("Race"));

        Assert.Equal(typeof(NonDeterministicOrchestrationException).FullName, end.FailureDetails!.ErrorType);
    }

    [Fact]
    public async Task An_activity_that_ends_while_the_list_of_pending_ones_is_being_read_does_not_run_again()
    {
        var mayEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task released = Task.CompletedTask;
        fixture.Activity("Slow", async (int number) =>
        {
            await mayEnd.Task;
            return number;
        }).Orchestrator("Once", async context => await context.CallActivityAsync<int>("Slow", 1));
        fixture.Engine.FaultPoint = point =>
        {
            if (point == "activity:after-commit")
                released = fixture.Engine.NextChange; // fired once more when the slot is given back
            if (point != "activities:listed" || fixture.Calls.IsEmpty || mayEnd.Task.IsCompleted)
                return;
            mayEnd.SetResult(); // the list is read and holds the running activity: it ends now, before the list is used
            SpinWait.SpinUntil(() => fixture.Engine.Store.PendingActivities().Count == 0 && released != Task.CompletedTask && released.IsCompleted, EngineFixture.Patience);
        };

        var id = await fixture.Start("Once");
        while (fixture.Calls.IsEmpty)
            await Task.Delay(1);
        await fixture.Client.RaiseEventAsync(id, "any", 1); // makes the engine read the list again
        await fixture.Output<int>(id);
        await fixture.Engine.DisposeAsync(); // waits for everything that was started

        Assert.Equal(["Slow(1)"], fixture.Calls);
    }

    [Fact]
    public async Task An_engine_goes_on_after_an_exception_that_nobody_expected()
    {
        var failures = 0;
        fixture.Activity("Work", (int n) => n).Orchestrator("Chain", async context => await context.CallActivityAsync<int>("Work", 1));
        fixture.Engine.FaultPoint = point =>
        {
            if (point == "activities:listed" && Interlocked.Increment(ref failures) <= 2)
                throw new IOException("disk I/O error");
        };

        var end = fixture.End(await fixture.Start("Chain"));
        while (!end.IsCompleted)
        {
            fixture.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(end, Task.Delay(10));
        }

        Assert.Equal(OrchestrationRuntimeStatus.Completed, (await end).RuntimeStatus);
    }

    [Fact]
    public async Task Clock_and_ids_are_the_same_in_every_replay()
    {
        var seen = new List<string>();
        fixture.Orchestrator("Same", async context =>
        {
            seen.Add($"{context.CurrentUtcDateTime:o} {context.NewGuid()} {context.NewGuid()}");
            await context.WaitForExternalEvent<int>("a");
            await context.WaitForExternalEvent<int>("b");
            return 0;
        });
        var id = await fixture.Start("Same");
        foreach (var name in new[] { "a", "b" })
        {
            await fixture.UntilStatus(id, state => state.IsRunning);
            fixture.Time.Advance(TimeSpan.FromMinutes(1));
            await fixture.Client.RaiseEventAsync(id, name, 1);
        }
        await fixture.Output<int>(id);

        Assert.True(seen.Count >= 2);
        Assert.Single(seen.Distinct());
    }

    [Fact]
    public async Task Starting_an_unknown_orchestrator_names_the_known_ones()
    {
        fixture.Orchestrator("Known", _ => Task.FromResult(0));

        var error = await Assert.ThrowsAsync<ArgumentException>(() => fixture.Start("Unknown"));

        Assert.Equal("There is no orchestrator named 'Unknown'. Known: Known.", error.Message);
    }
}
