using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.DurableTask.Converters;
using Microsoft.Extensions.Logging;
using OrchestrationAlreadyExistsException = DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException;

#pragma warning disable CA2016 // The overloads without a token are listed on purpose.

namespace Sdxl.Tests.Polyfills.Azure;

/// <summary>The members of Durable Task that the product and local/ use, with their types spelled out. It compiles against polyfill and real package; nothing is called.</summary>
internal static class DurableSignatures
{
    public static async Task Orchestrating(TaskOrchestrationContext context, CancellationToken cancel)
    {
        TaskName name = context.Name;
        string text = name, id = context.InstanceId, version = context.Version;
        ParentOrchestrationInstance? parent = context.Parent;
        (TaskName, string)? parentParts = parent is null ? null : (parent.Name, parent.InstanceId);
        DateTime now = context.CurrentUtcDateTime;
        bool replaying = context.IsReplaying;
        IReadOnlyDictionary<string, object?> properties = context.Properties;
        int? input = context.GetInput<int?>();
        await context.CallActivityAsync("A", input, new TaskOptions(new RetryPolicy(3, TimeSpan.FromSeconds(1))));
        await context.CallActivityAsync("A", new TaskOptions());
        int a = await context.CallActivityAsync<int>("A", "input"), b = await context.CallActivityAsync<int>(nameof(Orchestrating), 1, null);
        int c = await context.CallSubOrchestratorAsync<int>("S", "input", new SubOrchestrationOptions(instanceId: id));
        await context.CallSubOrchestratorAsync("S", "input", new TaskOptions().WithInstanceId(id));
        await context.CreateTimer(TimeSpan.FromSeconds(1), cancel);
        await context.CreateTimer(now, cancel);
        string d = await context.WaitForExternalEvent<string>("e"), e = await context.WaitForExternalEvent<string>("e", cancel);
        string f = await context.WaitForExternalEvent<string>("e", TimeSpan.FromSeconds(1), cancel);
        context.SendEvent(id, "e", "payload");
        context.SetCustomStatus(new { Done = 1 });
        context.ContinueAsNew("input", preserveUnprocessedEvents: true);
        context.ContinueAsNew(new ContinueAsNewOptions { NewInput = 1, PreserveUnprocessedEvents = false, NewVersion = null });
        Guid guid = context.NewGuid();
        ILogger one = context.CreateReplaySafeLogger("category"), two = context.CreateReplaySafeLogger<string>(), three = context.CreateReplaySafeLogger(typeof(string));
        ILoggerFactory loggers = context.ReplaySafeLoggerFactory;
        _ = (text, version, parentParts, replaying, properties, a, b, c, d, e, f, guid, one, two, three, loggers);
    }

    public static void Retrying(TaskFailureDetails details)
    {
        var policy = new RetryPolicy(5, TimeSpan.FromSeconds(1), 2.0, TimeSpan.FromMinutes(1), TimeSpan.FromHours(1)) { HandleFailure = failure => failure.IsCausedBy<IOException>() };
        (int Attempts, TimeSpan First, double Coefficient, TimeSpan Longest, TimeSpan Patience) parts =
            (policy.MaxNumberOfAttempts, policy.FirstRetryInterval, policy.BackoffCoefficient, policy.MaxRetryInterval, policy.RetryTimeout);
        Func<Exception, bool> handle = policy.Handle;
        TaskRetryOptions byPolicy = policy, byHandler = new((RetryContext retry) => Task.FromResult(retry.LastAttemptNumber < 3));
        (RetryPolicy? Policy, AsyncRetryHandler? Handler) either = (byPolicy.Policy, byHandler.Handler);
        TaskOptions options = TaskOptions.FromRetryPolicy(policy), asked = TaskOptions.FromRetryHandler(
            (RetryContext retry) => retry is { LastFailure.ErrorType: "T", TotalRetryTime.Ticks: > 0, OrchestrationContext.IsReplaying: false, CancellationToken.IsCancellationRequested: false });
        (TaskRetryOptions? Retry, IDictionary<string, string>? Tags, TaskVersion? Version) inside = (options.Retry, options.Tags, options.Version);
        (string, string, string?, TaskFailureDetails?) why = (details.ErrorType, details.ErrorMessage, details.StackTrace, details.InnerFailure);
        var thrown = new TaskFailedException("task", 1, details);
        (string, int, TaskFailureDetails) what = (thrown.TaskName, thrown.TaskId, thrown.FailureDetails);
        _ = (parts, handle, either, asked, inside, why, what, TaskFailureDetails.FromException(thrown), new TaskFailureDetails("T", "m", null, null, null));
    }

    public static async Task Calling(DurableTaskClient client, CancellationToken cancel)
    {
        var options = new StartOrchestrationOptions("id", DateTimeOffset.UnixEpoch).WithDedupeStatuses(OrchestrationRuntimeStatus.Running);
        string id = await client.ScheduleNewOrchestrationInstanceAsync("name", new { A = 1 }, options, cancel);
        await client.RaiseEventAsync(id, "event", "payload", cancel);
        OrchestrationMetadata started = await client.WaitForInstanceStartAsync(id, getInputsAndOutputs: true, cancel), ended = await client.WaitForInstanceCompletionAsync(id, cancel);
        OrchestrationMetadata? found = await client.GetInstanceAsync(id, getInputsAndOutputs: true, cancel);
        await client.TerminateInstanceAsync(id, "output", cancel);
        await client.TerminateInstanceAsync(id, new TerminateInstanceOptions("output", Recursive: true), cancel);
        await client.SuspendInstanceAsync(id, "reason", cancel);
        await client.ResumeInstanceAsync(id, "reason", cancel);
        AsyncPageable<OrchestrationMetadata> all = client.GetAllInstancesAsync(new OrchestrationQuery(Statuses: [OrchestrationRuntimeStatus.Failed], PageSize: 10, FetchInputsAndOutputs: true));
        await foreach (Page<OrchestrationMetadata> page in all.AsPages())
            _ = (page.Values.Count, page.ContinuationToken);
        PurgeResult one = await client.PurgeInstanceAsync(id, new PurgeInstanceOptions(Recursive: true), cancel);
        PurgeResult many = await client.PurgeAllInstancesAsync(new PurgeInstancesFilter(DateTimeOffset.UnixEpoch, null, null), cancel);
        var read = (found?.ReadInputAs<int>(), found?.ReadOutputAs<string>(), found?.ReadCustomStatusAs<string>(), found?.FailureDetails, found?.SerializedCustomStatus);
        var made = new OrchestrationMetadata("name", id)
        {
            DataConverter = JsonDataConverter.Default, RuntimeStatus = OrchestrationRuntimeStatus.Completed, CreatedAt = default, LastUpdatedAt = default,
            SerializedInput = null, SerializedOutput = null, SerializedCustomStatus = null, FailureDetails = null, Tags = new Dictionary<string, string>(),
        };
        _ = (started.IsRunning, ended.IsCompleted, one.PurgedInstanceCount, many.IsComplete, read, made, new OrchestrationAlreadyExistsException("message"));
    }
}
