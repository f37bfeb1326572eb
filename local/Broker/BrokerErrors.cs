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

    /// <summary>A refusal as it is; anything else (a full disk, a broker that ends) as a failure after which clients try again.</summary>
    public static Error ToError(Exception exception) => (exception as AmqpException)?.Error
        ?? new Error { Condition = TryAgain, Description = $"The broker failed: {exception.Message}" };

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
