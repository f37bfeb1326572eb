namespace Sdxl.Local.Broker;

/// <summary>Service Bus's own words on the wire, and how failures are told to a client.</summary>
internal static class BrokerErrors
{
    public const string DeadLetterReason = "DeadLetterReason";
    public const string DeadLetterDescription = "DeadLetterErrorDescription";

    public static readonly AmqpSymbol MessageLockLost = "com.microsoft:message-lock-lost";
    public static readonly AmqpSymbol MessageNotFound = "com.microsoft:message-not-found";

    // The client tries again at once after this; amqp:internal-error it takes for final, and for a busy server it waits ten seconds.
    private static readonly AmqpSymbol s_tryAgain = "com.microsoft:timeout";

    public static AmqpException NotOffered(string what) =>
        new(AmqpErrorCode.NotImplemented, $"{what}: the local broker does not offer this; Azure Service Bus does.");

    /// <summary>A refusal as it is; anything else (a full disk, a broker that ends) as a failure after which clients try again.</summary>
    public static Error ToError(Exception exception) => exception is AmqpException { Error: { } error }
        ? error
        : new Error { Condition = s_tryAgain, Description = $"The broker failed: {exception.Message}" };

    /// <summary>The status of a management response.</summary>
    public static int Status(Error error) =>
        error.Condition.Equals(MessageLockLost) ? 410
        : error.Condition.Equals(MessageNotFound) || error.Condition.Equals(AmqpErrorCode.NotFound) ? 404
        : error.Condition.Equals(AmqpErrorCode.UnauthorizedAccess) ? 401
        : error.Condition.Equals(AmqpErrorCode.InvalidField) || error.Condition.Equals(AmqpErrorCode.MessageSizeExceeded) ? 400
        : error.Condition.Equals(AmqpErrorCode.NotImplemented) ? 501
        : 500;
}
