using System.Net;
using System.Text.Json;
using Sdxl.Local.Functions;

namespace Sdxl.Local.Tests.Functions;

/// <summary>Orchestrations of the app, through its own DurableTaskClient, on the real framework.</summary>
[Collection(nameof(SharedHost))]
public sealed class DurableTests(SharedHost shared)
{
    private readonly TestHost app = shared.App;

    [Fact]
    public async Task Fans_out_to_fifty_activities_and_sums_them()
    {
        var end = await app.Run("FanOut", 50);
        Assert.Equal(("Completed", 42_925L), (end.Status, end.Result<long>()));
        Assert.Equal("""{"count":50}""", end.CustomStatus);
    }

    [Fact]
    public async Task Inputs_and_results_of_activities_keep_their_values()
    {
        var end = await app.Run("Values");
        Assert.Equal(
            """{"order":{"Name":"a \u0022quoted\u0022 name","Count":42},"list":[7,0],"text":"[\u0022no list\u0022]!","none":null}""",
            end.Result<string>()
        );
    }

    [Fact]
    public async Task An_activity_that_fails_twice_is_tried_a_third_time() => Assert.Equal(3, (await app.Run("Retried")).Result<int>());

    [Fact]
    public async Task An_external_event_wakes_its_orchestration()
    {
        await app.Start("Approval", "approval");
        await app.Http.GetStringAsync("wait/approval/start");
        await app.Act<bool>("approval", "raise");
        Assert.Equal("approved with please", (await app.End("approval")).Result<string>());
    }

    [Fact]
    public async Task Waiting_for_an_event_ends_with_its_timer() => Assert.Equal("gave up", (await app.Run("Impatient")).Result<string>());

    [Fact]
    public async Task A_sub_orchestration_returns_its_result_or_its_failure() => Assert.Equal(
        "8, System.ArgumentOutOfRangeException: negative (Parameter 'number')", (await app.Run("Parent", 4)).Result<string>());

    [Fact]
    public async Task An_orchestrator_sees_all_of_an_activitys_exception()
    {
        var seen = JsonSerializer.Deserialize<JsonElement>((await app.Run("Careful")).Result<string>());
        Assert.Equal("WorkerApp.OutOfPaintException", seen.GetProperty("ErrorType").GetString());
        Assert.Equal("no red left\nnor any other", seen.GetProperty("ErrorMessage").GetString());
        Assert.True(seen.GetProperty("IsOurs").GetBoolean());
        Assert.True(seen.GetProperty("HasStack").GetBoolean());
        Assert.Equal("System.IO.IOException", seen.GetProperty("Inner").GetString());
        Assert.Equal("the tin is empty", seen.GetProperty("InnerMessage").GetString());
    }

    [Fact]
    public async Task An_orchestrator_that_lets_a_failure_pass_fails_with_it()
    {
        var end = await app.Run("Careless");
        Assert.Equal("Failed", end.Status);
        Assert.StartsWith("Microsoft.DurableTask.TaskFailedException: Task 'Paint' (#0) failed with an unhandled exception: no blue left",
            end.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Continues_as_new_until_it_is_done() => Assert.Equal(3, (await app.Run("Counting", 0)).Result<int>());

    [Fact]
    public async Task Functions_that_the_app_lacks_fail_by_name()
    {
        Assert.Equal("The app has no activity function 'Lost'. Deploy it.", (await app.Run("Astray", "Lost")).Result<string>());
        var end = await app.Run("NoSuchOrchestrator");
        Assert.Equal("Failed", end.Status);
        Assert.Contains("no orchestrator function 'NoSuchOrchestrator'", end.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_start_under_the_same_id_is_a_conflict()
    {
        await app.Start("Approval", "twice");
        var second = await app.Http.PostAsync("start/Approval/twice", null);
        Assert.Equal(HttpStatusCode.Conflict, second.StatusCode);
        await app.Act<bool>("twice", "terminate");
    }

    [Fact]
    public async Task Terminated_suspended_and_resumed_by_the_apps_client()
    {
        await app.Start("Approval", "stopped");
        await app.Http.GetStringAsync("wait/stopped/start");
        await app.Act<bool>("stopped", "terminate");
        var stopped = await app.End("stopped");
        Assert.Equal(("Terminated", "\"enough\""), (stopped.Status, stopped.Output));

        await app.Start("Approval", "held");
        await app.Http.GetStringAsync("wait/held/start");
        await app.Act<bool>("held", "suspend");
        await app.Act<bool>("held", "raise");
        Assert.DoesNotContain("Completed", await app.Http.GetStringAsync("instances/held"), StringComparison.Ordinal);
        await app.Act<bool>("held", "resume");
        Assert.Equal("approved with please", (await app.End("held")).Result<string>());
    }

    [Fact]
    public async Task Ended_orchestrations_are_listed_and_purged()
    {
        foreach (var id in (string[])["listed-1", "listed-2"])
        {
            await app.Start("Counting", id, 3);
            await app.End(id);
        }
        Assert.Equal(["listed-1", "listed-2"], await app.Act<string[]>("listed-", "query"));
        Assert.Equal(1, await app.Act<int>("listed-1", "purge"));
        Assert.Equal(HttpStatusCode.NotFound, (await app.Http.GetAsync("instances/listed-1")).StatusCode);
        Assert.Equal(["listed-2"], await app.Act<string[]>("listed-", "query"));
    }

    [Fact]
    public async Task What_cannot_be_terminated_is_refused()
    {
        await app.Run("Counting", 3);
        Assert.Equal(HttpStatusCode.InternalServerError, (await app.Http.PostAsync("instances/nobody/terminate", null)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await app.Http.PostAsync("instances/nobody/raise", null)).StatusCode); // dropped, as in Azure
    }
}
