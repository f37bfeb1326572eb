namespace Sdxl.Local.Durable;

/// <content>Listing and purging instances.</content>
public sealed partial class SqliteOrchestrationService
{
    private const int PurgeTogether = 100;

    /// <summary>
    /// A page of instances, in the order of their creation. Ranges of time include their ends; TaskHubNames is ignored, as the file is
    /// one hub.
    /// </summary>
    /// <param name="query">The conditions; PageSize must be 1 or more.</param>
    /// <param name="cancellationToken">Unused: a page takes milliseconds.</param>
    /// <returns>The page, and a token for the next page unless this one is the last.</returns>
    /// <exception cref="ArgumentException">The continuation token is none of ours, or the page has no room.</exception>
    public Task<OrchestrationQueryResult> GetOrchestrationWithQueryAsync(OrchestrationQuery query, CancellationToken cancellationToken)
    {
        if (query.PageSize < 1)
            throw new ArgumentException($"{nameof(query.PageSize)} is {query.PageSize}; it must be 1 or more.");
        var after = string.IsNullOrEmpty(query.ContinuationToken) ? ((long, string)?)null : ParseToken(query.ContinuationToken);
        var rows = file.Read(session => session.List(query, after));
        var token = rows.Count < query.PageSize ? null : $"{rows[^1].CreatedAt.Ticks.ToString(CultureInfo.InvariantCulture)}|{rows[^1].Id}";
        var states = rows.ConvertAll(row => row.State.ClearFieldsImmutably(!query.FetchInputsAndOutputs, !query.FetchInputsAndOutputs));
        return Task.FromResult(new OrchestrationQueryResult(states, token));
    }

    /// <summary>Deletes an instance that has ended, with its history. One that has not ended stays.</summary>
    public Task<PurgeResult> PurgeInstanceStateAsync(string instanceId) => PurgeInstanceStateAsync(instanceId, isRecursive: false);

    /// <inheritdoc cref="PurgeInstanceStateAsync(string)"/>
    /// <param name="instanceId">Of the instance.</param>
    /// <param name="isRecursive">Its sub-orchestrations too, if it has ended; those that still run stay.</param>
    public async Task<PurgeResult> PurgeInstanceStateAsync(string instanceId, bool isRecursive)
    {
        var count = await file.WriteAsync(session =>
        {
            if (session.FindInstance(instanceId) is not { HasEnded: true } root)
                return 0;
            var rows = isRecursive ? session.Family(instanceId).FindAll(row => row.HasEnded) : [root];
            rows.ForEach(session.DeleteInstance);
            return rows.Count;
        });
        statesChanged.Set();
        return new PurgeResult(count, isComplete: true);
    }

    /// <summary>
    /// Deletes ended instances by time of creation (ends included) and status; null statuses: any in which an instance has ended.
    /// </summary>
    public async Task<PurgeResult> PurgeInstanceStateAsync(PurgeInstanceFilter purgeInstanceFilter)
    {
        var filter = purgeInstanceFilter;
        return await Purge("created_at", filter.CreatedTimeFrom, filter.CreatedTimeTo, filter.RuntimeStatus, filter.Timeout);
    }

    /// <summary>Deletes ended instances whose time is the threshold or earlier.</summary>
    public Task PurgeOrchestrationHistoryAsync(
        DateTime thresholdDateTimeUtc, OrchestrationStateTimeRangeFilterType timeRangeFilterType) => Purge(
        timeRangeFilterType switch
        {
            OrchestrationStateTimeRangeFilterType.OrchestrationCreatedTimeFilter => "created_at",
            OrchestrationStateTimeRangeFilterType.OrchestrationCompletedTimeFilter => "completed_at",
            OrchestrationStateTimeRangeFilterType.OrchestrationLastUpdatedTimeFilter => "updated_at",
            _ => throw new ArgumentOutOfRangeException(nameof(timeRangeFilterType), timeRangeFilterType, "Unknown kind of time."),
        },
        null,
        thresholdDateTimeUtc,
        null,
        null);

    private async Task<PurgeResult> Purge(
        string column, DateTime? from, DateTime? to, IEnumerable<OrchestrationStatus>? statuses, TimeSpan? timeout)
    {
        var start = time.GetTimestamp();
        var count = 0;
        bool isComplete;
        do
        {
            var deleted = await file.WriteAsync(session => session.Purge(column, from, to, statuses, PurgeTogether));
            count += deleted;
            isComplete = deleted < PurgeTogether;
        }
        while (!isComplete && (timeout is null || time.GetElapsedTime(start) < timeout));
        statesChanged.Set();
        return new PurgeResult(count, isComplete);
    }

    private static (long, string) ParseToken(string token) =>
        token.Split('|', 2) is [var ticks, var id] && long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var at)
            ? (at, id)
            : throw new ArgumentException($"'{token}' is no continuation token of this query. Ask for the first page, without a token.");
}
