using System.Text.Json;
using Microsoft.DurableTask;

namespace Sdxl.Local.Durable;

/// <summary>Failure details as stored text.</summary>
internal static class FailureJson
{
    private sealed record Stored(string Type, string Message, string? Stack, Stored? Inner);

    public static string Write(TaskFailureDetails failure) => JsonSerializer.Serialize(ToStored(failure));

    public static string Write(Exception exception) => Write(Describe(exception));

    public static TaskFailureDetails Read(string json) => FromStored(JsonSerializer.Deserialize<Stored>(json)!)!;

    /// <summary>The exception and its causes; a failed task inside an orchestrator brings the task's own failure as the cause.</summary>
    public static TaskFailureDetails Describe(Exception exception) => new(
        exception.GetType().ToString(),
        exception.Message,
        exception.StackTrace,
        exception switch
        {
            TaskFailedException failed => failed.FailureDetails,
            { InnerException: { } inner } => Describe(inner),
            _ => null,
        },
        null);

    private static Stored ToStored(TaskFailureDetails failure) =>
        new(failure.ErrorType, failure.ErrorMessage, failure.StackTrace, failure.InnerFailure is { } inner ? ToStored(inner) : null);

    private static TaskFailureDetails? FromStored(Stored? stored) =>
        stored is null ? null : new TaskFailureDetails(stored.Type, stored.Message, stored.Stack, FromStored(stored.Inner), null);
}
