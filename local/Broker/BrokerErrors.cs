namespace Sdxl.Local.Broker;

/// <summary>Service Bus's own words on the wire, and how failures are told to a client.</summary>
internal static class BrokerErrors
{
    public const string DeadLetterReason = "DeadLetterReason";
    public const string DeadLetterDescription = "DeadLetterErrorDescription";
    public const string MessageLockLost = "com.microsoft:message-lock-lost";
    public const string MessageNotFound = "com.microsoft:message-not-found";

    // The client tries again at once after this; amqp:internal-error it takes for final, and for a busy server it waits ten seconds.
    private const string TryAgain = "com.microsoft:timeout";

    public static AmqpException NotOffered(string what) =>
        new(AmqpErrorCode.NotImplemented, $"{what}: the local broker does not offer this; Azure Service Bus does.");

    /// <returns>Null, or what went wrong: a refusal as it is; anything else (a full disk, a broker that ends) as worth a new try.</returns>
    public static async Task<Error?> Try(Func<Task> work)
    {
        try
        {
            await work();
            return null;
        }
        catch (Exception problem)
        {
            return (problem as AmqpException)?.Error
                ?? new Error { Condition = TryAgain, Description = $"The broker failed: {problem.Message}" };
        }
    }

    /// <summary>What a client is told of its message.</summary>
    public static async Task<Outcome> OutcomeOf(Func<Task> work) =>
        await Try(work) is { } error ? new Rejected { Error = error } : AmqpConstants.AcceptedOutcome;

    /// <summary>The status of an answer.</summary>
    public static int Status(Error error) => error.Condition.Value switch
    {
        "amqp:invalid-field" or "amqp:link:message-size-exceeded" => 400,
        "amqp:unauthorized-access" => 401,
        "amqp:not-found" or MessageNotFound => 404,
        MessageLockLost => 410,
        "amqp:not-implemented" => 501,
        _ => 500,
    };
}
