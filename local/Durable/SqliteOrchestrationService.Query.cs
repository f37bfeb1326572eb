namespace Sdxl.Local.Durable;

/// <content>Listing and purging instances.</content>
public sealed partial class SqliteOrchestrationService
{
    /// <summary>A page of instances, in the order of their creation. Ranges of time include their ends; TaskHubNames is ignored.</summary>
    /// <returns>The page, and a token for the next page unless this one is the last.</returns>
    /// <exception cref="ArgumentException">The continuation token is none of ours, or the page has no room.</exception>
    public Task<OrchestrationQueryResult> GetOrchestrationWithQueryAsync(OrchestrationQuery query, CancellationToken cancellationToken)
    {
        if (query.PageSize < 1)
            throw new ArgumentException($"{nameof(query.PageSize)} is {query.PageSize}; it must be 1 or more.");
        var after = string.IsNullOrEmpty(query.ContinuationToken) ? ((long, string)?)null : ParseToken(query.ContinuationToken);
        var rows = file.Read(session => session.List(query, after));
        var token = rows.Count < query.PageSize ? null : FormattableString.Invariant($"{rows[^1].CreatedAt.Ticks}|{rows[^1].Id}");
        var states = rows.ConvertAll(row => row.State.ClearFieldsImmutably(!query.FetchInputsAndOutputs, !query.FetchInputsAndOutputs));
        return Task.FromResult(new OrchestrationQueryResult(states, token));
    }

    /// <summary>Deletes an instance that has ended, with its history. One that has not ended stays.</summary>
    public async Task<PurgeResult> PurgeInstanceStateAsync(string instanceId) =>
        new(await ChangeStatesAsync(session => session.Purge(instanceId)), isComplete: true);

    /// <summary>Deletes ended instances by time of creation (ends included) and status; null statuses: any.</summary>
    public async Task<PurgeResult> PurgeInstanceStateAsync(PurgeInstanceFilter filter) => new(
        await PurgeAsync("created_at", filter.CreatedTimeFrom, filter.CreatedTimeTo, filter.RuntimeStatus), isComplete: true);

    /// <summary>Deletes ended instances whose time is the threshold or earlier.</summary>
    public Task PurgeOrchestrationHistoryAsync(DateTime threshold, OrchestrationStateTimeRangeFilterType kind) => kind switch
    {
        OrchestrationStateTimeRangeFilterType.OrchestrationCreatedTimeFilter => PurgeAsync("created_at", null, threshold),
        OrchestrationStateTimeRangeFilterType.OrchestrationCompletedTimeFilter => PurgeAsync("completed_at", null, threshold),
        OrchestrationStateTimeRangeFilterType.OrchestrationLastUpdatedTimeFilter => PurgeAsync("updated_at", null, threshold),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Unknown kind of time."),
    };

    private Task<int> PurgeAsync(string column, DateTime? from, DateTime? to, IEnumerable<OrchestrationStatus>? statuses = null) =>
        ChangeStatesAsync(session => session.Purge(column, from, to, statuses));

    private static (long, string) ParseToken(string token) =>
        token.Split('|', 2) is [var ticks, var id] && long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var at)
            ? (at, id)
            : throw new ArgumentException($"'{token}' is no continuation token of this query. Ask for the first page, without a token.");
}
