using System.Reflection;
using Microsoft.DurableTask;

namespace Sdxl.Local.Durable;

/// <summary>Asks a retry policy whether a failure is worth another attempt.</summary>
internal static class RetryFilter
{
    private const string CoreException = "DurableTask.Core.Exceptions.TaskFailedException, DurableTask.Core";
    private const string CoreDetails = "DurableTask.Core.FailureDetails, DurableTask.Core";

    public static bool Wants(RetryPolicy policy, TaskFailedException failure) => policy.Handle(AsCoreException(failure) ?? failure);

    /// <summary>The real package hands its filters the exception of DurableTask.Core, which the polyfill does not have: hence by name.</summary>
    private static Exception? AsCoreException(TaskFailedException failure)
    {
        if (Type.GetType(CoreException) is not { } exceptionType || Type.GetType(CoreDetails) is not { } detailsType)
            return null;
        var exception = (Exception)Activator.CreateInstance(exceptionType, failure.Message)!;
        var property = exceptionType.GetProperty("FailureDetails", BindingFlags.Instance | BindingFlags.Public);
        property?.SetValue(exception, ToCore(detailsType, failure.FailureDetails));
        return exception;
    }

    private static object? ToCore(Type type, TaskFailureDetails? details) => details is null
        ? null
        : Activator.CreateInstance(type, details.ErrorType, details.ErrorMessage, details.StackTrace, ToCore(type, details.InnerFailure), false);
}
