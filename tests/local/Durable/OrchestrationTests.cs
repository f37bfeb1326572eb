using System.Globalization;
using DurableTask.Core;
using DurableTask.Core.Exceptions;
using DurableTask.Core.History;
using Sdxl.Local.Durable;

namespace Sdxl.Local.Tests.Durable;

/// <summary>The framework's own behaviour over our service.</summary>
public sealed class OrchestrationTests
{
    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);

    private static int Int(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    [Fact]
    public async Task A_thousand_activities_run_once_each_and_their_results_come_back_in_order()
    {
        await using var hub = await new Hub()
            .Activity("Double", input => Text(2 * Int(input)))
            .Orchestrator("FanOut", async flow =>
            {
                var results = await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => flow.Activity("Double", i)));
                return string.Join(',', results);
            })
            .Start();

        var output = await hub.Run("FanOut", "fan");

        Assert.Equal(string.Join(',', Enumerable.Range(0, 1000).Select(i => Text(2 * i))), output);
        Assert.Equal(1000, hub.Calls.Count);
        Assert.Equal(1000, hub.Calls.Distinct().Count());
    }

    [Fact]
    public async Task No_more_activities_than_allowed_run_at_a_time_and_as_many_do()
    {
        var running = 0;
        var most = 0;
        var four = new TaskCompletionSource();
        await using var hub = await new Hub()
            .Activity("Count", async _ =>
            {
                var now = Interlocked.Increment(ref running);
                InterlockedMax(ref most, now);
                if (now == 4)
                    four.TrySetResult();
                await four.Task.WaitAsync(Hub.Patience);
                Interlocked.Decrement(ref running);
                return "";
            })
            .Orchestrator("FanOut", async flow =>
            {
                await Task.WhenAll(Enumerable.Range(0, 20).Select(i => flow.Activity("Count", i)));
                return "";
            })
            .Start();

        await hub.Run("FanOut", "fan");

        Assert.Equal(4, most);

        static void InterlockedMax(ref int target, int value)
        {
            for (var seen = target; seen < value; seen = target)
                Interlocked.CompareExchange(ref target, value, seen);
        }
    }

    [Fact]
    public async Task Timers_fire_in_the_order_of_their_times_and_not_early()
    {
        await using var hub = await new Hub()
            .Orchestrator("Timers", async flow =>
            {
                var begin = flow.Context.CurrentUtcDateTime;
                var order = new List<string>();
                await Task.WhenAll(Sleep(300), Sleep(100), Sleep(200));
                var isLateEnough = flow.Context.CurrentUtcDateTime >= begin.AddMilliseconds(300);
                return string.Join(',', order) + (isLateEnough ? " late enough" : " early");

                async Task Sleep(int milliseconds)
                {
                    await flow.Sleep(milliseconds);
                    order.Add(Text(milliseconds));
                }
            })
            .Start();

        Assert.Equal("100,200,300 late enough", await hub.Run("Timers", "timers"));
        Assert.All(hub.Events<TimerFiredEvent>("timers"), fired =>
            Assert.Equal((DateTimeKind.Utc, DateTimeKind.Utc), (fired.Timestamp.Kind, fired.FireAt.Kind)));
    }

    [Fact]
    public async Task A_cancelled_timer_neither_keeps_nor_wakes_its_orchestration()
    {
        await using var hub = await new Hub()
            .Orchestrator("Race", async flow =>
            {
                using var stop = new CancellationTokenSource();
                var timer = flow.Sleep(200, stop.Token);
                var answer = flow.Event("answer");
                if (await Task.WhenAny(answer, timer) == timer)
                    return "timeout";
                stop.Cancel();
                // Still there when the cancelled timer is due.
                await flow.Sleep(400);
                return await answer;
            })
            .Start();

        await hub.Begin("Race", "race");
        await hub.UntilStatus("race", OrchestrationStatus.Running);
        await hub.Raise("race", "answer", "yes");

        Assert.Equal("yes", await hub.Output("race"));
    }

    [Fact]
    public async Task An_event_that_does_not_come_in_time_ends_in_the_timeout_and_one_that_comes_after_the_end_is_dropped()
    {
        await using var hub = await new Hub()
            .Orchestrator("Race", async flow =>
                await Task.WhenAny(flow.Event("answer"), flow.Sleep(50)) is Task<string> answer ? await answer : "timeout")
            .Start();

        Assert.Equal("timeout", await hub.Run("Race", "race"));
        await hub.Raise("race", "answer", "too late");

        Assert.DoesNotContain(hub.Events<EventRaisedEvent>("race"), _ => true);
        Assert.Null(await hub.Service.LockNextTaskOrchestrationWorkItemAsync(TimeSpan.Zero, CancellationToken.None));
    }

    [Fact]
    public async Task Events_wait_for_their_orchestration_whatever_their_order()
    {
        await using var hub = await new Hub()
            .Activity("Echo", input => input)
            .Orchestrator("Listen", async flow =>
                await flow.Event("a") + await flow.Event("b") + await flow.Activity("Echo", "-") + await flow.Event("a"))
            .Start();

        await hub.Begin("Listen", "listen");
        await hub.Raise("listen", "b", "1"); // Before it is waited for.
        await hub.Raise("listen", "a", "2");
        await hub.Raise("listen", "a", "3");

        Assert.Equal("21-3", await hub.Output("listen"));
    }

    [Fact]
    public async Task Events_sent_before_the_worker_starts_come_after_the_start_in_the_order_of_sending()
    {
        await using var hub = new Hub().Orchestrator("Listen", async flow =>
        {
            var text = "";
            for (var i = 0; i < 20; i++)
                text += await flow.Event("a");
            return text;
        });
        await hub.Begin("Listen", "listen");
        for (var i = 0; i < 20; i++)
            await hub.Raise("listen", "a", $"{i},");

        await hub.Start();

        Assert.Equal(string.Concat(Enumerable.Range(0, 20).Select(i => $"{i},")), await hub.Output("listen"));
    }

    [Fact]
    public async Task A_failing_activity_is_retried_with_growing_pauses_until_it_succeeds()
    {
        var attempts = 0;
        await using var hub = await new Hub()
            .Activity("Flaky", _ => ++attempts < 4 ? throw new InvalidOperationException($"attempt {attempts}") : Text(attempts))
            .Orchestrator("Retry", flow => flow.Context.ScheduleWithRetry<string>(
                "Flaky", "", new RetryOptions(TimeSpan.FromMilliseconds(20), 5) { BackoffCoefficient = 2 }, ""))
            .Start();

        Assert.Equal("4", await hub.Run("Retry", "retry"));
        var pauses = hub.Events<TimerCreatedEvent>("retry").ConvertAll(timer => timer.FireAt - timer.Timestamp);
        Assert.Equal(3, pauses.Count);
        Assert.Equal(3, hub.Events<TaskFailedEvent>("retry").Count);
    }

    [Fact]
    public async Task A_failure_keeps_type_message_stack_and_inner_failure_on_its_way_through_the_file()
    {
        await using var hub = await new Hub()
            .Activity("Boom", string (_) => throw new InvalidOperationException("outer\nsecond line", new FormatException("inner")))
            .Orchestrator("Fails", flow => flow.Activity("Boom"))
            .Orchestrator("Parent", async flow =>
            {
                try
                {
                    return await flow.Child("Fails", "child");
                }
                catch (SubOrchestrationFailedException e)
                {
                    return $"{e.FailureDetails!.ErrorType}|{e.FailureDetails.InnerFailure?.ErrorType}";
                }
            })
            .Start();

        await hub.Begin("Fails", "fails");
        var end = await hub.End("fails");

        Assert.Equal(OrchestrationStatus.Failed, end.OrchestrationStatus);
        Assert.Equal(typeof(TaskFailedException).FullName, end.FailureDetails.ErrorType);
        Assert.EndsWith("outer\nsecond line", end.FailureDetails.ErrorMessage, StringComparison.Ordinal);
        var failed = Assert.Single(hub.Events<TaskFailedEvent>("fails")).FailureDetails!;
        Assert.Equal(typeof(InvalidOperationException).FullName, failed.ErrorType);
        Assert.Contains("A_failure_keeps_type_message_stack_and_inner_failure", failed.StackTrace, StringComparison.Ordinal);
        Assert.Equal((typeof(FormatException).FullName, "inner"), (failed.InnerFailure!.ErrorType, failed.InnerFailure.ErrorMessage));
        Assert.Equal(typeof(TaskFailedException).FullName, (await hub.Run("Parent", "parent")).Split('|')[0]);
    }

    [Fact]
    public async Task Sub_orchestrations_nest_and_return_their_results()
    {
        await using var hub = await new Hub()
            .Activity("Echo", input => input)
            .Orchestrator("Tree", async flow => flow.Input.Length == 3
                ? await flow.Activity("Echo", flow.Input)
                : string.Join(' ', await Task.WhenAll("xyz".Select(letter =>
                    flow.Child("Tree", $"tree-{flow.Input}{letter}", flow.Input + letter)))))
            .Start();

        var output = await hub.Run("Tree", "tree", "");

        Assert.Equal(27, output.Split(' ').Distinct().Count());
        Assert.StartsWith("xxx xxy xxz xyx", output, StringComparison.Ordinal);
        var leaf = await hub.End("tree-xyz");
        Assert.Equal("tree-xy", leaf.ParentInstance.OrchestrationInstance.InstanceId);
    }

    [Fact]
    public async Task A_sub_orchestration_under_the_id_of_a_running_one_fails_and_leaves_that_one_alone()
    {
        await using var hub = await new Hub()
            .Orchestrator("Wait", flow => flow.Event("go"))
            .Orchestrator("Parent", async flow =>
            {
                try
                {
                    return await flow.Child("Wait", "taken");
                }
                catch (SubOrchestrationFailedException e)
                {
                    return e.FailureDetails!.ErrorMessage;
                }
            })
            .Start();
        await hub.Begin("Wait", "taken");
        await hub.UntilStatus("taken", OrchestrationStatus.Running);

        Assert.Contains("'taken' already exists", await hub.Run("Parent", "parent"), StringComparison.Ordinal);
        await hub.Raise("taken", "go", "on");
        Assert.Equal("on", await hub.Output("taken"));
    }

    [Fact]
    public async Task Continue_as_new_keeps_the_id_and_the_time_of_creation_and_forgets_the_history()
    {
        await using var hub = new Hub()
            .Activity("Echo", input => input)
            .Orchestrator("Loop", async flow =>
            {
                var sum = flow.Input + await flow.Activity("Echo", ".");
                if (sum.Length < 10)
                    flow.Context.ContinueAsNew(sum);
                return sum;
            });
        var first = await hub.Begin("Loop", "loop");
        var created = (await hub.Client.GetOrchestrationStateAsync("loop"))!.CreatedTime;
        await hub.Start();

        Assert.Equal("..........", await hub.Output("loop"));
        var end = await hub.End("loop");
        Assert.NotEqual(first.ExecutionId, end.OrchestrationInstance.ExecutionId);
        Assert.Equal(created, end.CreatedTime);
        Assert.Single(hub.Events<TaskScheduledEvent>("loop"));
        Assert.Single(hub.Events<ExecutionStartedEvent>("loop"));
        Assert.Null(await hub.Service.GetOrchestrationStateAsync("loop", first.ExecutionId));
        Assert.Equal("[]", await hub.Service.GetOrchestrationHistoryAsync("loop", first.ExecutionId));
    }

    [Fact]
    public async Task Continue_as_new_carries_the_events_over_that_came_too_early()
    {
        await using var hub = new Hub().Orchestrator("Loop", async flow =>
        {
            var sum = flow.Input + await flow.Event("next");
            if (sum.Length < 10)
                flow.Context.ContinueAsNew(sum);
            return sum;
        });
        await hub.Begin("Loop", "loop");
        foreach (var letter in "abcdefghij") // All are there at the first step; each execution takes one.
            await hub.Raise("loop", "next", $"{letter}");

        await hub.Start();

        Assert.Equal("abcdefghij", await hub.Output("loop"));
    }

    [Fact]
    public async Task A_suspended_orchestration_takes_results_and_events_but_goes_on_only_when_it_is_resumed()
    {
        var gate = new TaskCompletionSource<string>();
        await using var hub = await new Hub()
            .Activity("Gate", _ => gate.Task)
            .Activity("After", input => input)
            .Orchestrator("Work", async flow => await flow.Activity("Gate") + await flow.Event("e") + await flow.Activity("After", "after"))
            .Start();
        var instance = await hub.Begin("Work", "work");
        await hub.UntilEvents<TaskScheduledEvent>("work");

        await hub.Client.SuspendInstanceAsync(instance, "pause");
        await hub.UntilStatus("work", OrchestrationStatus.Suspended);
        gate.SetResult("gate");
        await hub.UntilEvents<TaskCompletedEvent>("work");
        await hub.Raise("work", "e", "event");
        await hub.UntilEvents<EventRaisedEvent>("work");
        Assert.Equal(OrchestrationStatus.Suspended, await hub.Status("work"));
        Assert.DoesNotContain("after", hub.Calls);

        await hub.Client.ResumeInstanceAsync(instance, "go on");
        Assert.Equal("gateeventafter", await hub.Output("work"));
    }

    [Fact]
    public async Task The_custom_status_is_seen_while_the_orchestration_waits()
    {
        await using var hub = await new Hub()
            .Orchestrator("Status", async flow =>
            {
                flow.Status = "half";
                await flow.Event("go");
                flow.Status = "all";
                return "";
            })
            .Start();
        await hub.Begin("Status", "status");

        await hub.Until("status", state => state.Status == "\"half\"");
        await hub.Raise("status", "go", "");

        Assert.Equal("\"all\"", (await hub.End("status")).Status);
    }

    [Fact]
    public async Task A_scheduled_start_waits_for_its_time_and_its_events_wait_with_it()
    {
        await using var hub = await new Hub()
            .Orchestrator("Listen", async flow => $"{flow.Context.CurrentUtcDateTime:O} {await flow.Event("a")}")
            .Start();
        var at = DateTime.UtcNow.AddMilliseconds(400);

        await hub.Client.CreateScheduledOrchestrationInstanceAsync("Listen", "", "later", "", at);
        await hub.Raise("later", "a", "heard");
        Assert.Equal(OrchestrationStatus.Pending, await hub.Status("later"));

        var output = (await hub.Output("later")).Split(' ');
        Assert.True(DateTime.Parse(output[0], CultureInfo.InvariantCulture).ToUniversalTime() >= at, $"{output[0]} is before {at:O}");
        Assert.Equal("heard", output[1]);
    }

    [Fact]
    public async Task Work_goes_on_where_it_stood_when_the_file_is_opened_again()
    {
        var gate = new TaskCompletionSource<string>();
        await using var hub = await new Hub()
            .Activity("First", input => input)
            .Activity("Second", input => gate.Task)
            .Orchestrator("Steps", async flow => await flow.Activity("First", "first") + await flow.Activity("Second", "second"))
            .Start();
        await hub.Begin("Steps", "steps");
        await hub.UntilEvents<TaskScheduledEvent>("steps", 2);

        await hub.Reopen();
        Assert.Equal(OrchestrationStatus.Running, await hub.Status("steps"));
        gate.SetResult("!");
        await hub.Start();

        Assert.Equal("first!", await hub.Output("steps"));
        Assert.Single(hub.Calls, "first");
    }
}
