using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;

namespace Sdxl.Local.Durable;

/// <summary>
/// What an orchestrator sees. Each call takes the next task id and asks the turn for a task; the turn answers from the history
/// or keeps the call as a new one.
/// </summary>
internal sealed class LocalOrchestrationContext(
    InstanceRow instance, OrchestrationTurn turn, DataConverter converter, ILoggerFactory loggers) : TaskOrchestrationContext
{
    private const int CustomStatusLimitBytes = 16 * 1024; // of UTF-16, as the real service has it

    private int guidCounter;

    public override TaskName Name => instance.Name;

    public override string InstanceId => instance.Id;

    public override ParentOrchestrationInstance? Parent { get; } =
        instance.ParentId is { } id ? new ParentOrchestrationInstance(instance.ParentName!, id) : null;

    public override DateTime CurrentUtcDateTime => turn.Clock;

    public override bool IsReplaying => turn.IsReplaying;

    public override string Version => instance.Version;

    protected override ILoggerFactory LoggerFactory => loggers;

    public override T? GetInput<T>()
        where T : default => converter.Deserialize<T>(instance.Input);

    public override async Task<TResult> CallActivityAsync<TResult>(TaskName name, object? input = null, TaskOptions? options = null)
    {
        RejectMisplacedOptions(input, options);
        var json = converter.Serialize(input);
        return Read<TResult>(await WithRetries(name, options?.Retry, () => turn.CallActivity(name.Name, json)));
    }

    public override async Task<TResult> CallSubOrchestratorAsync<TResult>(TaskName orchestratorName, object? input = null, TaskOptions? options = null)
    {
        RejectMisplacedOptions(input, options);
        var json = converter.Serialize(input);
        var version = options?.Version is { } asked ? asked.Version : string.Empty;
        // One id for all attempts, as in the real worker: a retry replaces the failed sub-orchestration.
        var id = (options as SubOrchestrationOptions)?.InstanceId ?? NewGuid().ToString("N");
        return Read<TResult>(await WithRetries(
            orchestratorName, options?.Retry, () => turn.CallSubOrchestrator(orchestratorName.Name, id, json, version)));
    }

    public override Task CreateTimer(DateTime fireAt, CancellationToken cancellationToken) =>
        turn.CreateTimer(new DateTimeOffset(fireAt.ToUniversalTime(), TimeSpan.Zero), cancellationToken);

    public override async Task<T> WaitForExternalEvent<T>(string eventName, CancellationToken cancellationToken = default) =>
        Read<T>(await turn.WaitForEvent(eventName, cancellationToken));

    public override void SendEvent(string instanceId, string eventName, object payload) =>
        turn.SendEvent(instanceId, eventName, converter.Serialize(payload));

    public override void SetCustomStatus(object? customStatus)
    {
        var json = converter.Serialize(customStatus);
        if (json is not null && Encoding.Unicode.GetByteCount(json) > CustomStatusLimitBytes)
        {
            throw new ArgumentException(
                $"The custom status of orchestration '{InstanceId}' has {Encoding.Unicode.GetByteCount(json)} bytes of UTF-16; at most {CustomStatusLimitBytes} are allowed.",
                nameof(customStatus));
        }
        turn.SetCustomStatus(json);
    }

    public override void ContinueAsNew(object? newInput = null, bool preserveUnprocessedEvents = true) =>
        turn.ContinueAsNew(converter.Serialize(newInput), preserveUnprocessedEvents);

    public override Guid NewGuid()
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{InstanceId}_{CurrentUtcDateTime:o}_{guidCounter++}");
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(name), hash);
        // RFC 9562, version 8: a name-based id with a hash of our choice.
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash[..16], bigEndian: true);
    }

    private T Read<T>(string? json) => converter.Deserialize<T>(json)!;

    /// <summary>Attempt n + 1 comes FirstRetryInterval * BackoffCoefficient^(n - 1) after attempt n, at most MaxRetryInterval later.</summary>
    private async Task<string?> WithRetries(TaskName name, TaskRetryOptions? retry, Func<Task<string?>> attempt)
    {
        var startedAt = CurrentUtcDateTime;
        for (var attempts = 1; ; attempts++)
        {
            try
            {
                return await attempt();
            }
            catch (TaskFailedException failure) when (retry is not null)
            {
                // Decided below: no await is allowed to hide in a filter.
                if (!await AnotherAttempt(retry, failure, attempts, startedAt))
                    throw;
            }
            if (!turn.IsReplaying)
                loggers.CreateLogger<LocalOrchestrationContext>().RetryingTask(InstanceId, name.Name, attempts + 1);
        }
    }

    private async Task<bool> AnotherAttempt(TaskRetryOptions retry, TaskFailedException failure, int attempts, DateTime startedAt)
    {
        if (retry.Handler is { } handler)
            return await handler(new RetryContext(this, attempts, failure.FailureDetails, CurrentUtcDateTime - startedAt, CancellationToken.None));

        var policy = retry.Policy!;
        if (attempts >= policy.MaxNumberOfAttempts || !RetryFilter.Wants(policy, failure))
            return false;
        if (policy.RetryTimeout != Timeout.InfiniteTimeSpan && CurrentUtcDateTime - startedAt >= policy.RetryTimeout)
            return false;
        await CreateTimer(CurrentUtcDateTime + DelayAfter(policy, attempts), CancellationToken.None);
        return true;
    }

    internal static TimeSpan DelayAfter(RetryPolicy policy, int attempts)
    {
        var longest = policy.MaxRetryInterval == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : policy.MaxRetryInterval;
        var milliseconds = policy.FirstRetryInterval.TotalMilliseconds * Math.Pow(policy.BackoffCoefficient, attempts - 1);
        return milliseconds < longest.TotalMilliseconds ? TimeSpan.FromMilliseconds(milliseconds) : longest;
    }

    private static void RejectMisplacedOptions(object? input, TaskOptions? options)
    {
        if (input is TaskOptions && options is null)
        {
            throw new ArgumentException(
                $"A {nameof(TaskOptions)} value was given as the task's input, and none as its options. Name the parameter: options: …", nameof(input));
        }
    }
}
