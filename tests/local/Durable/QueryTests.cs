using DurableTask.Core;
using DurableTask.Core.History;
using DurableTask.Core.Query;

namespace Sdxl.Local.Tests.Durable;

public sealed class QueryTests
{
    /// <summary>Instances t0 … t6 a minute apart, and u0; t0 and t1 are terminated, the others pending.</summary>
    private static async Task<(Hub Hub, DateTime Begin)> Seven()
    {
        var hub = new Hub();
        var begin = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        foreach (var (id, minute) in new[] { ("t3", 3), ("t0", 0), ("t1", 1), ("u0", 0), ("t2", 2), ("t6", 6), ("t4", 4), ("t5", 5) })
        {
            var instance = new OrchestrationInstance { InstanceId = id, ExecutionId = "e" };
            var started = new ExecutionStartedEvent(-1, $"\"{id}\"")
            {
                Name = "N",
                Version = "",
                OrchestrationInstance = instance,
                Timestamp = begin.AddMinutes(minute),
                Tags = new Dictionary<string, string> { ["subject"] = id },
            };
            await hub.Service.CreateTaskOrchestrationAsync(new TaskMessage { OrchestrationInstance = instance, Event = started });
        }
        await hub.Service.ForceTerminateTaskOrchestrationAsync("t0", "out");
        await hub.Service.ForceTerminateTaskOrchestrationAsync("t1", "out");
        return (hub, begin);
    }

    [Fact]
    public async Task Filters_choose_by_prefix_status_and_time_with_both_ends_and_results_come_by_time_of_creation()
    {
        var (hub, begin) = await Seven();
        await using var _ = hub;

        Assert.Equal(["t0", "u0", "t1", "t2", "t3", "t4", "t5", "t6"], await hub.Ids(new()));
        Assert.Equal(["u0"], await hub.Ids(new() { InstanceIdPrefix = "u" }));
        Assert.Empty(await hub.Ids(new() { InstanceIdPrefix = "T" }));
        Assert.Empty(await hub.Ids(new() { InstanceIdPrefix = "%" }));
        Assert.Equal(["t0", "t1"], await hub.Ids(new() { RuntimeStatus = [OrchestrationStatus.Terminated] }));
        Assert.Equal(8, (await hub.Ids(new() { RuntimeStatus = [OrchestrationStatus.Terminated, OrchestrationStatus.Pending] })).Count);
        var (one, two, four) = (begin.AddMinutes(1), begin.AddMinutes(2), begin.AddMinutes(4));
        Assert.Equal(["t2", "t3", "t4"], await hub.Ids(new() { CreatedTimeFrom = two, CreatedTimeTo = four }));
        Assert.Equal(["t1"], await hub.Ids(new() { CreatedTimeFrom = one, RuntimeStatus = [OrchestrationStatus.Terminated] }));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(100)]
    public async Task Pages_give_every_instance_once_also_if_instances_come_and_go_between_them(int pageSize)
    {
        var (hub, _) = await Seven();
        await using var __ = hub;
        var ids = new List<string>();
        var query = new OrchestrationQuery { PageSize = pageSize };
        do
        {
            var page = await hub.Service.GetOrchestrationWithQueryAsync(query, CancellationToken.None);
            Assert.InRange(page.OrchestrationState.Count, 0, pageSize);
            ids.AddRange(page.OrchestrationState.Select(state => state.OrchestrationInstance.InstanceId));
            query.ContinuationToken = page.ContinuationToken;
            await hub.Service.PurgeInstanceStateAsync("t0"); // The first one, hence an offset would skip another.
        }
        while (query.ContinuationToken is not null);

        Assert.Equal(["t0", "u0", "t1", "t2", "t3", "t4", "t5", "t6"], ids);
    }

    [Fact]
    public async Task Inputs_and_outputs_come_only_if_asked_for_and_tags_always()
    {
        var (hub, _) = await Seven();
        await using var __ = hub;

        var with = await hub.Query(new() { InstanceIdPrefix = "t0" });
        var without = await hub.Query(new() { InstanceIdPrefix = "t0", FetchInputsAndOutputs = false });

        var (full, bare) = (with.OrchestrationState.Single(), without.OrchestrationState.Single());
        Assert.Equal(("\"t0\"", "out", "t0"), (full.Input, full.Output, full.Tags["subject"]));
        Assert.Equal((null, null, "t0"), (bare.Input, bare.Output, bare.Tags["subject"]));
    }

    [Theory]
    [InlineData("nonsense", 10, "'nonsense' is no continuation token")]
    [InlineData(null, 0, "PageSize is 0")]
    public async Task A_query_that_cannot_be_answered_says_why(string? token, int pageSize, string expected)
    {
        await using var hub = new Hub();

        var exception = await Assert.ThrowsAsync<ArgumentException>(() => hub.Service.GetOrchestrationWithQueryAsync(
            new OrchestrationQuery { ContinuationToken = token, PageSize = pageSize }, CancellationToken.None));

        Assert.StartsWith(expected, exception.Message, StringComparison.Ordinal);
    }
}
