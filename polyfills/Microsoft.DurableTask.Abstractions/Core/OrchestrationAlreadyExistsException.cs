namespace DurableTask.Core.Exceptions;

/// <summary>An orchestration with this instance id exists in a state that forbids starting another one. (The real type lives in the package DurableTask.Core.)</summary>
public class OrchestrationAlreadyExistsException : Exception
{
    public OrchestrationAlreadyExistsException()
    {
    }

    public OrchestrationAlreadyExistsException(string message)
        : base(message)
    {
    }

    public OrchestrationAlreadyExistsException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
