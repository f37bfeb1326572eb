using System.Globalization;
using Microsoft.DurableTask;
using Sdxl.Core;

namespace Sdxl.Functions.Jobs;

/// <summary>What the orchestrators of trainings and predictions have in common.</summary>
internal static class JobOrchestration
{
    /// <summary>The external event that asks a job to stop.</summary>
    public const string CancelEvent = "cancel";

    /// <summary>Passing faults (storage, queue) are tried five times, waiting 1, 2, 4 and 8 s; a refusal of the input is final at
    /// once.</summary>
    internal static TaskOptions Retrying { get; } = new(new TaskRetryOptions(async retry =>
    {
        if (retry.LastFailure.ErrorType == typeof(RefusedException).FullName || retry.LastAttemptNumber >= 5)
            return false;
        var orchestration = retry.OrchestrationContext;
        var due = orchestration.CurrentUtcDateTime.AddSeconds(1 << (retry.LastAttemptNumber - 1));
        await orchestration.CreateTimer(due, CancellationToken.None);
        return true;
    }));

    /// <summary>What the user reads: a refusal's own sentence, else which step failed and how.</summary>
    internal static string Sentence(TaskFailedException failure) => failure.FailureDetails.ErrorType == typeof(RefusedException).FullName
        ? failure.FailureDetails.ErrorMessage
        : string.Create(CultureInfo.InvariantCulture, $"The step {failure.TaskName} failed: {failure.FailureDetails.ErrorMessage}");
}
